"""The one-way order of imports, read from the source files without running them."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]

FOUNDATION = {
    "atomic",
    "information",
    "schedules",
    "latents",
    "likelihoods",
    "priors",
    "networks",
    "assignment",
    "neighbors",
}
MODEL = {"vae", "objectives", "data"}
# Part of tfdisent -> the parts that it may import besides itself: never trainers, never export.
ALLOWED = {
    **{part: set() for part in FOUNDATION},
    "quiet": set(),
    "metrics": {"information"},
    "vae": FOUNDATION,
    "objectives": FOUNDATION - {"latents", "likelihoods", "priors", "networks"},
    "data": FOUNDATION,
    "visualize": FOUNDATION | MODEL | {"metrics"},
    "evaluation": FOUNDATION | MODEL | {"metrics", "visualize"},
    "trainers": FOUNDATION | MODEL | {"metrics", "visualize", "evaluation"},
    "export": FOUNDATION | {"vae"},
}
# The composition root, the command line with a file per command, may import everything.
ROOTS = {"cli", "__main__", "__init__"}
TENSORFLOW = {"tensorflow", "keras", "tf_keras", "tensorflow_probability", "tensorflow_datasets"}
KERAS_2 = (
    "tf_keras",
    "tensorflow.keras",
    "tf.keras",
    "tensorflow_probability.layers",
    "tfp.layers",
)


def source_files():
    """{module name: path} of everything that an installed tfdisent holds."""
    files = {}
    for folder, package in (
        ("tfdisent", ()),
        ("trainers", ("tfdisent",)),
        ("export", ("tfdisent",)),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_link = folder == "tfdisent" and parts[1] in ("trainers", "export")
            if not is_link:
                files[".".join((*package, *parts))] = path
    return files


def imports(module, tree):
    """Dotted names of what a file imports, anywhere in it, and of the attributes it looks up."""
    package = module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *filter(None, [node.module])]
            # `from tfdisent import vae` and `from tfdisent.vae import VAE` alike.
            yield from (".".join([*base, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("tfdisent", "tf", "tfp"):  # names of packages load on first use
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Constant) and re.fullmatch(
            r"tfdisent(\.\w+)+(:\w+)?", str(node.value)
        ):
            yield node.value.split(":")[0]  # a table of modules that are imported on first use


def imported_at_once(tree):
    """Packages that a file imports when it is itself imported, not inside a function."""
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            nodes += ast.iter_child_nodes(node)


def part(module):
    """The part of tfdisent that a module belongs to: "networks" for "tfdisent.networks.conv"."""
    return (module.split(".") + ["__init__"])[1]


TREES = {module: ast.parse(path.read_text()) for module, path in source_files().items()}
IMPORTS = {module: set(imports(module, tree)) for module, tree in TREES.items()}


def offenders(modules, find):
    """{module: what `find` finds wrong with it}, of those where it finds something."""
    found = {module: find(module) for module in modules}
    assert found  # an empty selection would pass every test
    return {module: sorted(wrong) for module, wrong in found.items() if wrong}


def test_the_parser_sees_every_form_of_import():
    source = (
        "import tfdisent.data as d\n"
        "from tfdisent import vae\n"
        "def f():\n"
        "    from tfdisent.trainers.run import Run\n"
        "from . import other\n"
        "from ..metrics import mig\n"
        "tfdisent.evaluation.encode_dataset\n"
        "TABLE = {'name': 'tfdisent.export:save'}\n"
        "TEXT = 'tfdisent.cli in a sentence'\n"
    )
    assert set(imports("tfdisent.networks.conv", ast.parse(source))) == {
        "tfdisent.data",
        "tfdisent.vae",
        "tfdisent.trainers.run.Run",
        "tfdisent.networks.other",
        "tfdisent.metrics.mig",
        "tfdisent.evaluation",
        "tfdisent.export",
    }


def test_imports_inside_functions_do_not_happen_at_once():
    source = (
        "import os\n"
        "if os:\n"
        "    from keras import layers\n"
        "class C:\n"
        "    import json\n"
        "    def f(self):\n"
        "        import tensorflow\n"
    )
    assert set(imported_at_once(ast.parse(source))) == {"os", "keras", "json"}


def test_the_order_has_no_circle():
    placed = set()
    while len(placed) < len(ALLOWED):
        free = {name for name in set(ALLOWED) - placed if ALLOWED[name] <= placed}
        assert free, f"circle among {sorted(set(ALLOWED) - placed)}"
        placed |= free


def test_imports_go_one_way():
    def forbidden(module):
        own = {name for name in IMPORTS[module] if name.split(".")[0] == "tfdisent"}
        harmless = {part(module), "__init__", "__version__"}
        return {part(name) for name in own} - ALLOWED[part(module)] - harmless

    assert {part(module) for module in TREES} - ROOTS <= set(ALLOWED)
    assert offenders([m for m in TREES if part(m) not in ROOTS], forbidden) == {}


def test_scores_and_information_theory_never_import_tensorflow():
    def tensorflow(module):
        return {name.split(".")[0] for name in IMPORTS[module]} & (TENSORFLOW | {"tf", "tfp"})

    assert offenders([m for m in TREES if part(m) in ("metrics", "information")], tensorflow) == {}


def test_what_must_answer_at_once_imports_tensorflow_inside_functions():
    modules = {m for m in TREES if part(m) in {"data", "quiet", *ROOTS}}
    modules |= {"tfdisent.trainers.__init__", "tfdisent.trainers.methods"}
    # A builder is a subclass of a class of TensorFlow Datasets.
    modules -= {"tfdisent.data.dsprites_builder"}
    assert offenders(modules, lambda m: set(imported_at_once(TREES[m])) & TENSORFLOW) == {}


def test_only_keras_3_is_used():
    def keras_2(module):
        return {name for name in IMPORTS[module] if name.startswith(KERAS_2)}

    assert offenders(TREES, keras_2) == {}


def test_nothing_imports_the_folders_by_their_bare_names():
    def bare(module):
        return {name.split(".")[0] for name in IMPORTS[module]} & {"trainers", "export", "tests"}

    assert offenders(TREES, bare) == {}


def test_every_module_says_what_it_is():
    assert [module for module, tree in TREES.items() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("name", ["trainers", "export"])
def test_the_package_reaches_the_folder_by_its_link(name):
    assert (ROOT / "tfdisent" / name).samefile(ROOT / name)


@pytest.mark.parametrize("name", ["trainers", "export"])
def test_a_bare_import_raises_and_names_the_right_one(name):
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError") and f"import tfdisent.{name}" in last
