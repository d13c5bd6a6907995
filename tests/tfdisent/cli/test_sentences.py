import errno
import os
import sys

import pytest
import tensorflow as tf

from tfdisent.cli.sentences import sentence, tensorflow_errors


def os_error(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (os_error(errno.ENOENT, "/no/file"), "cannot read or write /no/file: No such file or dir"),
        (os_error(errno.EACCES, b"/no/file"), "cannot read or write /no/file: Permission denied."),
        # As os.replace gives them: from a temporary file to the one that was meant.
        (os_error(errno.EXDEV, "a.tmp", None, "a"), "cannot read or write a: Invalid cross-dev"),
        (os_error(errno.ENOSPC), "cannot read or write: No space left on device."),
        (OSError("the file is\n truncated."), "cannot read or write: the file is truncated."),
        (OSError(), "cannot read or write: OSError."),
    ],
)
def test_files_are_named_with_the_reason(error, expected):
    assert sentence(error).startswith(expected)


def test_other_errors_are_put_on_one_line():
    assert sentence(ValueError("expected this,\n  received that.")) == (
        "expected this, received that."
    )


def raised(function):
    with pytest.raises(tf.errors.OpError) as caught:
        function()
    return caught.value


def test_a_file_that_tensorflow_cannot_write_is_named_alike(file_as_folder):
    checkpoint = tf.train.Checkpoint(v=tf.Variable(0.0))
    error = raised(lambda: checkpoint.write(str(file_as_folder / "ckpt")))
    assert sentence(error) == f"TensorFlow reports: {file_as_folder.parent} is not a directory."
    missing = file_as_folder.parents[1] / "missing" / "file"
    error = raised(lambda: tf.io.TFRecordWriter(str(missing)))
    assert sentence(error) == f"cannot read or write {missing}: No such file or directory."


def test_a_damaged_file_is_one_sentence(tmp_path):
    checkpoint = tf.train.Checkpoint(v=tf.Variable(0.0))
    path = checkpoint.write(str(tmp_path / "ckpt"))
    index = tmp_path / "ckpt.index"
    index.write_bytes(index.read_bytes()[:20])
    error = raised(lambda: checkpoint.read(path))
    assert sentence(error).startswith("TensorFlow reports: ")
    assert "short" in sentence(error) and "\n" not in sentence(error)


def test_names_of_operations_and_tracebacks_are_left_out():
    @tf.function(input_signature=[tf.TensorSpec([None, None])], autograph=False)
    def multiply(x):
        return tf.matmul(x, tf.ones([3, 4]))

    error = raised(lambda: multiply(tf.ones([2, 2])))
    assert "Detected at node" in error.message
    assert sentence(error) == (
        "TensorFlow reports: Matrix size-incompatible: In[0]: [2,2], In[1]: [3,4]."
    )
    error = raised(lambda: tf.matmul(tf.ones([2, 2]), tf.ones([3, 4])))
    assert "function_node" in error.message
    assert sentence(error) == (
        "TensorFlow reports: Matrix size-incompatible: In[0]: [2,2], In[1]: [3,4]."
    )


def test_tensorflow_is_not_loaded_for_its_errors(monkeypatch):
    assert tensorflow_errors() == (tf.errors.OpError,)
    monkeypatch.delitem(sys.modules, "tensorflow")
    assert tensorflow_errors() == ()
    assert "tensorflow" not in sys.modules
