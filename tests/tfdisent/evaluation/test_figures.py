import numpy as np
import pytest

from tfdisent import data, evaluation

_IMAGES = np.random.default_rng(0).uniform(size=(24, 4, 4, 1)).astype(np.float32)
_LABELS = np.arange(24) % 3
_EVERY = {"reconstructions.png", "traversals.png", "traversals.gif"}
_OF_FACTORS = {"mean_activations.png", "association.png"}


def _vae(linear_vae, discrete):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(16, 3)) if discrete else None
    return linear_vae((4, 4, 1), rng.normal(size=(16, 2)), [0.1, 0.1], logits)


@pytest.mark.parametrize(
    ("known", "discrete", "expected"),
    [
        ({}, False, set()),
        ({}, True, set()),
        ({"labels": _LABELS}, False, set()),
        ({"labels": _LABELS}, True, {"class_shares.png"}),
        ({"labels": _LABELS - 1}, True, {"class_shares.png"}),  # a third without a label
        ({"labels": np.full(24, -1)}, True, set()),
        ({"factors": _LABELS[:, None]}, False, _OF_FACTORS),
        ({"factors": _LABELS[:, None]}, True, _OF_FACTORS | {"class_shares.png"}),
    ],
)
def test_what_is_known_is_drawn(tmp_path, linear_vae, known, discrete, expected):
    dataset = data.from_arrays(_IMAGES, **known)
    vae = _vae(linear_vae, discrete)
    encoding = evaluation.encode_dataset(vae, dataset)
    paths = evaluation.save_figures(tmp_path, vae, dataset, encoding, steps=3)
    expected = _EVERY | expected | ({"classes.png"} if discrete else set())
    assert set(paths) == expected == {path.name for path in tmp_path.iterdir()}


def test_several_discrete_groups_have_a_figure_each(tmp_path, linear_vae):
    dataset = data.from_arrays(_IMAGES, labels=_LABELS)
    vae = _vae(linear_vae, discrete=True)
    encoding = evaluation.encode_dataset(vae, dataset)
    twice = encoding._replace(discrete_columns=((2, 3, 4), (2, 3)))
    paths = evaluation.save_figures(tmp_path, vae, dataset, twice, steps=3)
    assert {"class_shares_0.png", "class_shares_1.png"} < set(paths)
