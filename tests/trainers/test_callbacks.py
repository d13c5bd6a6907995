import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfdisent import VAE, Categorical, Gaussian, Latents, VAETrainer, data, metrics, visualize
from tfdisent.evaluation import encode_dataset
from tfdisent.priors import GaussianMixture
from tfdisent.trainers.callbacks import FiniteLoss, ScoreEvery, Summaries, rate_names


@pytest.fixture(scope="module")
def dataset():
    """Two factors of four and three values, one pixel each; 12 images."""
    return data.load("synthetic:identity", sizes=(4, 3))


def compiled(*groups, learning_rate=1e-3, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or (Gaussian(3),)))
    vae = VAE.build_for((1, 2, 1), latents, architecture="mlp", hidden=8)
    trainer = VAETrainer(vae, seed=1)
    trainer.compile(keras.optimizers.Adam(learning_rate), **options)
    return trainer


def fit(trainer, dataset, callbacks, steps_per_epoch=3, epochs=2, first_step=0):
    batches = dataset.train(4, start_step=first_step)
    options = {"steps_per_epoch": steps_per_epoch, "epochs": epochs}
    return trainer.fit(batches, callbacks=callbacks, verbose=0, **options).history


class Events:
    """What an event folder holds."""

    def __init__(self, folder):
        self.events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
        self.events.Reload()
        self.tags = set(self.events.Tags()["tensors"])

    def plugin(self, tag):
        """Name of the plugin that shows a tag."""
        return self.events.SummaryMetadata(tag).plugin_data.plugin_name

    def scalars(self, tag):
        """{step: value}."""
        return {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in self.events.Tensors(tag)}

    def images(self, tag):
        """{step: uint8 [H, W, 3]}."""
        found = {}
        for event in self.events.Tensors(tag):
            _, _, png = tf.make_ndarray(event.tensor_proto)  # width, height, picture
            found[event.step] = tf.io.decode_png(png, channels=3).numpy()
        return found


# FiniteLoss.


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), float("-inf")])
def test_loss_that_is_no_number_stops_training(loss):
    callback = FiniteLoss()
    callback.set_model(compiled())
    callback.model.step.assign(7)
    callback.on_epoch_begin(0)
    with pytest.raises(FloatingPointError, match=rf"loss became {loss} .* ends at step 7: lower"):
        callback.on_train_batch_end(0, {"loss": loss})


@pytest.mark.parametrize("logs", [None, {}, {"loss": 3.5}, {"loss": -1e30}])
def test_finite_loss_goes_on(logs):
    callback = FiniteLoss()
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0, logs)
    callback.on_epoch_end(0, logs)


def test_loss_is_read_every_so_often_and_at_the_end_of_an_epoch():
    broken = {"loss": float("nan")}
    callback = FiniteLoss(every=3)
    callback.set_model(compiled())
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0, broken)
    callback.on_train_batch_end(1, broken)
    with pytest.raises(FloatingPointError):
        callback.on_train_batch_end(2, broken)
    callback.on_epoch_begin(1)
    callback.on_train_batch_end(0, broken)
    with pytest.raises(FloatingPointError):
        callback.on_epoch_end(1, broken)


def test_callbacks_after_the_guard_do_not_see_a_broken_step(dataset):
    trainer, seen = compiled(), []
    kernel = trainer.vae.trainable_variables[-1]

    class Break(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                kernel.assign(np.full(kernel.shape, np.nan))

    class Saver(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    with pytest.raises(FloatingPointError, match="at step 3"):
        fit(trainer, dataset, [Break(), FiniteLoss(), Saver()], steps_per_epoch=5)
    assert seen == [0, 1]


# Summaries.


def test_every_term_and_rate_is_a_curve(dataset, tmp_path):
    trainer = compiled()
    history = fit(trainer, dataset, [Summaries(tmp_path)])
    events = Events(tmp_path)
    rates = {f"rate_per_dimension/continuous_{j}" for j in range(3)}
    assert events.tags == {"loss", "distortion", "rate", "elbo", *rates}
    for name, values in history.items():
        assert events.scalars(name) == pytest.approx(dict(zip((3, 6), values, strict=True)))
    total = sum(events.scalars(name)[6] for name in rates)
    assert total == pytest.approx(history["rate"][-1], rel=1e-5)


def test_curves_go_on_where_training_resumes(dataset, tmp_path):
    trainer = compiled()
    trainer.step.assign(30)
    fit(trainer, dataset, [Summaries(tmp_path)], first_step=30)
    assert set(Events(tmp_path).scalars("loss")) == {33, 36}


def test_pictures_are_written_every_so_many_epochs(dataset, tmp_path):
    trainer = compiled()
    pictures = dataset.images(np.arange(5))
    fit(trainer, dataset, [Summaries(tmp_path, pictures, images_every=2)], epochs=5)
    events = Events(tmp_path)
    assert set(events.images("reconstructions")) == set(events.images("traversals")) == {6, 12}


def test_pictures_are_those_of_the_model(dataset, tmp_path):
    trainer = compiled(learning_rate=0.0)
    pictures = dataset.images(np.arange(5))
    fit(trainer, dataset, [Summaries(tmp_path, pictures)], epochs=1)
    expected = visualize.reconstruction_grid(pictures, trainer.vae.predict_on_batch(pictures))
    (picture,) = Events(tmp_path).images("reconstructions").values()
    expected = np.broadcast_to(expected, (*expected.shape[:2], 3))
    np.testing.assert_allclose(picture.astype(float), visualize.to_uint8(expected), atol=1)


def test_discrete_groups_have_one_rate_and_no_traversal(dataset, tmp_path):
    trainer = compiled(Categorical(3, "kind"))
    fit(trainer, dataset, [Summaries(tmp_path, dataset.images([0, 1]))], epochs=1)
    events = Events(tmp_path)
    assert "rate_per_dimension/kind" in events.tags
    assert "reconstructions" in events.tags and "traversals" not in events.tags


def test_traversals_show_the_rates_of_their_own_rows(dataset, tmp_path, monkeypatch):
    shown = []

    def draw(images, kl_per_dim=None):
        shown.append(kl_per_dim)
        return np.zeros((2, 2, 3), np.uint8)

    monkeypatch.setattr(visualize, "traversal_grid", draw)
    trainer = compiled(Gaussian(1, "a"), Categorical(3, "kind"), Gaussian(2, "b"))
    fit(trainer, dataset, [Summaries(tmp_path, dataset.images([0, 1]))], epochs=1)
    rates = trainer.rate_per_dimension.result().numpy()
    np.testing.assert_array_equal(shown[0], rates[[0, 2, 3]])


def test_rates_are_named_in_the_order_of_the_latents():
    latents = Latents(
        Categorical(3, "kind"), Gaussian(1, "size"), Gaussian(2), Gaussian(4, "noise", None)
    )
    assert list(rate_names(latents)) == ["kind", "size", "continuous_0", "continuous_1"]


# ScoreEvery.


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scores_are_taken_at_multiples_of_the_steps(dataset, tmp_path):
    path = tmp_path / "scores.jsonl"
    callback = ScoreEvery(dataset, steps=4, rows=None, path=path)
    fit(compiled(), dataset, [callback], epochs=5)  # 15 steps in epochs of 3
    assert [entry["step"] for entry in read_lines(path)] == [4, 8, 12]


def test_scores_follow_the_trainers_step_where_training_resumes(dataset, tmp_path):
    path = tmp_path / "scores.jsonl"
    trainer = compiled()
    trainer.step.assign(5)
    fit(trainer, dataset, [ScoreEvery(dataset, steps=4, path=path)], first_step=5)
    assert [entry["step"] for entry in read_lines(path)] == [8]


def test_steps_that_run_together_are_scored_once_they_have_passed_a_multiple(dataset, tmp_path):
    path = tmp_path / "scores.jsonl"
    trainer = compiled(steps_per_execution=3)
    fit(trainer, dataset, [ScoreEvery(dataset, steps=4, path=path)], steps_per_epoch=6)
    assert [entry["step"] for entry in read_lines(path)] == [6, 9, 12]


def test_entry_holds_what_was_scored(dataset, tmp_path):
    path = tmp_path / "scores.jsonl"
    trainer = compiled()
    names = ("mig", "modularity")
    callback = ScoreEvery(dataset, 5, rows=9, names=names, protocol="lecture", path=path, seed=3)
    scores = callback.score(trainer.vae, step=17)
    (entry,) = read_lines(path)
    assert (entry["step"], entry["rows"], entry["final"]) == (17, 9, False)
    encoding = encode_dataset(trainer.vae, dataset, callback.rows)
    np.testing.assert_allclose(entry["kl_per_dim"], encoding.kl_per_dim, rtol=1e-5)
    expected = metrics.evaluate(
        dataset.factors[callback.rows], encoding.codes, names, protocol="lecture", seed=3
    )
    assert entry["scores"] == {name: score.to_dict() for name, score in expected.items()}
    assert {name: score.to_dict() for name, score in scores.items()} == entry["scores"]


def test_final_scores_may_take_more_rows(dataset, tmp_path):
    path = tmp_path / "scores.jsonl"
    callback = ScoreEvery(dataset, 5, rows=8, path=path)
    trainer = compiled()
    trainer.step.assign(20)
    callback.score_finally(trainer)
    callback.score_finally(trainer, rows=10)
    entries = read_lines(path)
    assert [entry["rows"] for entry in entries] == [12, 10]
    assert all(entry["final"] and entry["step"] == 20 for entry in entries)


def test_scores_are_curves_that_name_their_protocol(dataset, tmp_path):
    callback = ScoreEvery(dataset, steps=3, names=("mig", "irs"), log_dir=tmp_path)
    fit(compiled(learning_rate=0.0), dataset, [callback])
    scores = callback.score(callback.model.vae, step=50)
    events = Events(tmp_path)
    for name, score in scores.items():
        curve = events.scalars(f"scores/{name} ({score.protocol})")
        assert curve == pytest.approx({3: score, 6: score, 50: score})


def test_matrices_behind_mig_and_dci_are_heat_maps(dataset, tmp_path):
    trainer = compiled(Categorical(3, "kind"), Gaussian(2))
    callback = ScoreEvery(dataset, 5, names=("mig", "dci_fast", "irs"), log_dir=tmp_path)
    scores = callback.score(trainer.vae, step=10)
    events = Events(tmp_path)
    expected = {
        "mutual_information": (scores["mig"], "mutual information, nats"),
        "importance": (scores["dci_fast"], "DCI importance"),
    }
    pictures = {tag for tag in events.tags if events.plugin(tag) == "images"}
    assert pictures == {f"scores/{key} ({s.protocol})" for key, (s, _) in expected.items()}
    for key, (score, title) in expected.items():
        figure = visualize.matrix_figure(
            score.details[key],
            ["continuous_0", "continuous_1", "kind"],  # the order of the codes
            ["factor_0", "factor_1"],
            title=f"{title} ({score.protocol})",
        )
        (picture,) = events.images(f"scores/{key} ({score.protocol})").values()
        np.testing.assert_array_equal(picture, visualize.figure_to_image(figure))


def test_heat_map_leaves_out_a_factor_with_one_value(dataset, tmp_path):
    trainer = compiled()
    callback = ScoreEvery(dataset, 5, names=("mig",), log_dir=tmp_path)
    # The first three rows share their value of factor_0.
    score = callback.score(trainer.vae, step=10, rows=np.arange(3))["mig"]
    figure = visualize.matrix_figure(
        score.details["mutual_information"],
        [f"continuous_{j}" for j in range(3)],
        ["factor_1"],
        title=f"mutual information, nats ({score.protocol})",
    )
    (picture,) = Events(tmp_path).images(f"scores/mutual_information ({score.protocol})").values()
    np.testing.assert_array_equal(picture, visualize.figure_to_image(figure))


def test_other_scores_have_no_heat_map(dataset, tmp_path):
    callback = ScoreEvery(dataset, 5, names=("irs", "modularity"), log_dir=tmp_path)
    scores = callback.score(compiled().vae, step=10)
    assert Events(tmp_path).tags == {f"scores/{n} ({s.protocol})" for n, s in scores.items()}


def test_nothing_is_written_unless_asked_for(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ScoreEvery(dataset, 5).score(compiled().vae, step=10)
    assert list(tmp_path.iterdir()) == []


def test_a_learned_prior_has_one_rate_and_traversals_without_rates(dataset, tmp_path):
    keras.utils.set_random_seed(0)
    latents = Latents(Categorical(2, name="kind"), Gaussian(3))
    prior = {"continuous": GaussianMixture(3, 2)}
    trainer = VAETrainer(VAE.build_for((1, 2, 1), latents, "mlp", hidden=8, priors=prior), seed=1)
    trainer.compile()
    assert rate_names(latents, prior) == ("kind", "continuous")
    fit(trainer, dataset, [Summaries(tmp_path, dataset.images(np.arange(3)))], epochs=1)
    tags = Events(tmp_path).tags
    assert {"rate_per_dimension/kind", "rate_per_dimension/continuous", "traversals"} <= tags
