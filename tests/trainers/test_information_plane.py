import math

import keras
import numpy as np
import pytest

from tfdisent import (
    VAE,
    DeepVIBTrainer,
    FusedAdam,
    Gaussian,
    Latents,
    VAETrainer,
    data,
    evaluation,
    information,
    likelihoods,
    priors,
)
from tfdisent.trainers import (
    InformationPlaneStudy,
    RateDistortionStudy,
    Recipe,
    load_run,
    trace_information_plane,
)

# A table p(x, y) in rows of a data set: six images, three labels, some of them uncertain.
COUNTS = np.array([[30, 2, 0], [24, 8, 0], [2, 28, 2], [0, 30, 2], [1, 3, 28], [0, 8, 24]])
TABLE = COUNTS / COUNTS.sum()


def _data():
    """The table itself, not a sample of it: each pair as often as it is probable."""
    x, y = np.nonzero(COUNTS)
    repeats = COUNTS[x, y]
    images = np.eye(6, dtype=np.float32)[np.repeat(x, repeats)].reshape(-1, 1, 6, 1)
    return data.from_arrays(images, labels=np.repeat(y, repeats))


def _build(beta, hidden=32):
    keras.utils.set_random_seed(0)
    # Clusters of images are far from N(0, I): a mixture comes closer to their q(z).
    vae = VAE.build_for(
        (1, 6, 1),
        Latents(Gaussian(2)),
        likelihood=likelihoods.Categorical(3),
        priors={"continuous": priors.get("mixture", 2, (1, 6, 1), 6)},
        hidden=hidden,
    )
    trainer = DeepVIBTrainer(vae, beta=beta, ema=0.99)
    trainer.compile(FusedAdam(5e-3))
    return trainer


@pytest.mark.long
def test_models_of_a_table_come_near_the_exact_bottleneck_and_never_beat_it():
    betas = (0.05, 0.2)
    points = trace_information_plane(_build, betas, _data(), steps=600, batch_size=128, repeats=40)
    curve = information.information_bottleneck_curve(TABLE, np.geomspace(0.01, 1, 40))
    for point in points:
        # What is told at this price, and all of it beyond the curve's end; 192 * 40 draws of z
        # leave an error of about 0.01 bits.
        ceiling = np.interp(point.complexity, curve.rates[::-1], curve.relevances[::-1])
        assert point.relevance < ceiling + 0.03
        exact = information.information_bottleneck(TABLE, point.beta)
        achieved = point.relevance - point.beta * point.complexity
        # Of what the bottleneck wins over a code that tells nothing, most.
        assert 0.8 * exact.objective < achieved < exact.objective + 0.03
    cheap, dear = points[1], points[0]
    assert cheap.complexity < dear.complexity and cheap.relevance < dear.relevance
    assert dear.relevance < information.mutual_information(TABLE) < dear.complexity


@pytest.mark.long
def test_points_come_in_the_order_of_beta_with_the_errors_of_the_held_out_set():
    dataset = _data()
    flipped = data.from_arrays(
        dataset.images(np.arange(len(dataset))), labels=2 - np.asarray(dataset.labels)
    )
    points = trace_information_plane(
        lambda beta: _build(beta, hidden=8), [0.5, 0.01, 0.01], dataset, 30, held_out=flipped
    )
    assert [point.beta for point in points] == [0.01, 0.5]
    assert set(points[0].errors) == {1, 12}
    assert points[0].errors[12] > 0.5  # labels that it was not taught


def test_what_has_no_place_in_the_plane_is_refused():
    dataset = _data()
    with pytest.raises(ValueError, match="at least one beta"):
        trace_information_plane(_build, [], dataset, 10)
    with pytest.raises(ValueError, match="repeats must be at least 1, received 0"):
        trace_information_plane(_build, [0.1], dataset, 10, repeats=0)

    def images(beta):
        return VAETrainer(VAE.build_for((1, 6, 1), Latents(Gaussian(2)), hidden=4))

    with pytest.raises(ValueError, match="takes labels, received a VAETrainer"):
        trace_information_plane(images, [0.1], dataset, 10)


RECIPE = Recipe(
    "deep_vib",
    data="digits",
    continuous=2,
    hidden=8,
    options={"ema": 0.9},
    batch_size=50,
    learning_rate=1e-3,
    steps=6,
    report_every=3,
)


@pytest.mark.long
def test_a_study_measures_every_beta_once_and_draws_them(tmp_path):
    study = InformationPlaneStudy(tmp_path / "study", RECIPE, rows=100)
    study.run([0.1])
    trained = []
    again = InformationPlaneStudy(tmp_path / "study", RECIPE, rows=100)
    found = again.run([0.1, 0.01], on_point=lambda point, result: trained.append(point.name))
    assert list(found) == ["beta-0.1", "beta-0.01"]  # in the order in which they were finished
    assert trained == ["beta-0.01"] * 2  # before and after; the other one was there

    vae, recipe = load_run(tmp_path / "study" / "points" / "beta-0.01")
    assert recipe.options["beta"] == 0.01
    dataset = RECIPE.load_dataset()
    expected = evaluation.classify(vae, dataset, evaluation.subset(dataset, 100))
    point = found["beta-0.01"]["result"]
    assert point.errors == expected.errors
    assert point.complexity * math.log(2) == pytest.approx(expected.complexity)
    assert [path.name for path in again.draw()] == ["information_plane.png"]


def test_a_study_of_another_kind_or_recipe_is_refused(tmp_path):
    InformationPlaneStudy(tmp_path / "study", RECIPE).create()
    with pytest.raises(ValueError, match="another one: learning_rate is 0.001 there"):
        InformationPlaneStudy(tmp_path / "study", RECIPE.replace(learning_rate=0.1))
    with pytest.raises(ValueError, match="another one: kind is 'InformationPlaneStudy' there"):
        RateDistortionStudy(tmp_path / "study", Recipe("vae", data="digits"))
    with pytest.raises(ValueError, match="takes labels, such as 'deep_vib', received 'vae'"):
        InformationPlaneStudy(tmp_path / "other", Recipe("vae", data="digits"))
    with pytest.raises(ValueError, match="every beta must be positive, received -1"):
        InformationPlaneStudy(tmp_path / "other", RECIPE).run([-1])
    with pytest.raises(ValueError, match="no finished point yet"):
        InformationPlaneStudy(tmp_path / "other", RECIPE).draw()
