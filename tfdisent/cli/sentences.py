"""What went wrong, in one sentence."""

import os
import re
import sys


def sentence(error):
    """What an error says, on one line.

    Args:
      error: exception. Of an `OSError` the file and the reason are told, of TensorFlow's errors the
        message without the names of operations.

    Returns:
      str.
    """
    if isinstance(error, OSError):
        # Of two files the second is the one that was to be written.
        path = error.filename if error.filename2 is None else error.filename2
        return _about_file(path, error.strerror or str(error) or type(error).__name__)
    if isinstance(error, tensorflow_errors()):
        return _of_tensorflow(error)
    return " ".join(str(error).split())


def tensorflow_errors():
    """(`tf.errors.OpError`,) if TensorFlow is loaded, else (): nothing else can have raised it."""
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    return () if errors is None else (errors.OpError,)


def _about_file(path, reason):
    where = f" {os.fsdecode(path)}" if isinstance(path, (str, bytes, os.PathLike)) else ""
    return f"cannot read or write{where}: {' '.join(reason.split()).rstrip('.')}."


def _of_tensorflow(error):
    """The last paragraph of the message: those before it are a traceback."""
    text = error.message.strip().split("\n\n")[-1]
    text = re.sub(r"\[\[\{\{.*?\}\}\]\]|\{\{.*?\}\}|\[Op:\w*\](\s*name:\s*\S*)?", "", text)
    text = " ".join(text.split()).rstrip(".") or type(error).__name__
    # As the file systems of TensorFlow say it: PATH; No such file or directory.
    about_file = re.fullmatch(r"(\S.*); (\w[\w ]*)", text)
    return _about_file(*about_file.groups()) if about_file else f"TensorFlow reports: {text}."
