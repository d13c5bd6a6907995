"""Files that are either whole or absent."""

import os


def write(path, data):
    """Writes bytes beside `path`, then renames, so that no reader ever sees half a file.

    Folders on the way are created. What is written beside is hidden, and removed on failure.

    Args:
      path: `pathlib.Path` of the file.
      data: bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
