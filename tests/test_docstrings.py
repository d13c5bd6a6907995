"""The examples in docstrings say what the code says."""

import doctest
import importlib
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_MODULES = [
    ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((_ROOT / "tfdisent").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", _MODULES)
def test_examples_give_what_they_show(module):
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0
