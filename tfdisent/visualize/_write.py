"""Where pictures may be written."""

import pathlib


def check_suffix(path, suffixes):
    """Returns `path` as a `pathlib.Path`.

    Raises:
      ValueError: if its suffix is not one of `suffixes`.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"expected a path that ends in {' or '.join(suffixes)}, received '{path}'."
        )
    return path
