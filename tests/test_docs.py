"""What the pages on Python and on scores show runs as it stands."""

import pathlib
import re

import numpy as np
import pytest

DOCS = pathlib.Path(__file__).parents[1] / "docs"


def _run(page, directory, monkeypatch):
    """The names that the Python blocks of a page leave, run one after the other."""
    blocks = re.findall(
        r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(directory)
    names = {}
    for block in blocks:
        exec(block, names)
    return names


def test_the_page_on_python_runs(tmp_path, monkeypatch):
    names = _run("python.md", tmp_path, monkeypatch)
    assert names["codes"].shape == (8, 6) and names["samples"].shape == (16, 8, 8, 1)
    assert names["reconstructions"].shape == names["images"].shape
    losses = names["history"].history["loss"]
    assert losses[-1] < losses[0]
    assert (tmp_path / "traversals.png").exists()
    for left in ("vae", "trainer"):
        assert (tmp_path / f"{left}.keras").exists()
    np.testing.assert_allclose(names["vae"].encode(names["images"]), names["codes"], rtol=1e-6)
    assert int(names["trainer"].step.numpy()) == 10 * (1797 // 64)
    assert len(list((tmp_path / "search").rglob("trial.json"))) == 3
    assert 2 <= names["best"].latents.size <= 8


def test_the_page_on_scores_runs(tmp_path, monkeypatch):
    scores = _run("scores.md", tmp_path, monkeypatch)["scores"]
    assert list(scores) == ["mig", "dci", "sap"] and all(0 <= s <= 1 for s in scores.values())


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_between_pages_and_figures_lead_somewhere(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / target).exists(), target
