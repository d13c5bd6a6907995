"""Keras callbacks: what TensorBoard shows of a training, scores during it, and its guards.

The horizontal axis is the trainer's step everywhere, so a resumed run continues its curves.
"""

import math
import os

import keras
import numpy as np
import tensorflow as tf

from tfdisent import evaluation, metrics, visualize
from tfdisent.trainers import records
from tfdisent.trainers.every_steps import EverySteps

# Score -> the table in its details that is worth a picture, and what the picture is called.
_MATRICES = {
    "mig": ("mutual_information", "mutual information, nats"),
    "dci": ("importance", "DCI importance"),
}


class FiniteLoss(keras.callbacks.Callback):
    """Stops training with an error when the loss is not a finite number.

    Put it before callbacks that act on the model. `fit` shows means since the epoch began, so that
    a broken step is still seen when the loss is read later.

    Args:
      every: number of calls (batches, or executions of several) between readings of the loss; each
        makes the host wait for a GPU. The end of an epoch is always read.
    """

    def __init__(self, every=1):
        super().__init__()
        self.every = every

    def on_epoch_begin(self, epoch, logs=None):
        self._calls = 0

    def on_train_batch_end(self, batch, logs=None):
        self._calls += 1
        if self._calls % self.every == 0:
            self._check(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs)

    def _check(self, logs):
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            step = int(self.model.step.numpy())
            raise FloatingPointError(
                f"the loss became {loss} within the report interval that ends at step {step}: "
                "lower the learning rate or a weight of the objective."
            )


class Summaries(keras.callbacks.Callback):
    """Writes scalars of every term, rates per dimension, reconstructions and traversals.

    Args:
      log_dir: folder of the event files.
      images: [n, H, W, C] in [0, 1], shown with their reconstructions; the first is the base of
        the traversals.
      images_every: number of epochs (report intervals) between pictures.
    """

    def __init__(self, log_dir, images=None, images_every=1):
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.images = images
        self.images_every = images_every

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(self.log_dir)

    def on_epoch_end(self, epoch, logs=None):
        step = int(self.model.step.numpy())
        rates = self.model.rate_per_dimension.result().numpy()
        with self._writer.as_default(step=step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(name, value)
            for name, rate in zip(
                rate_names(self.model.vae.latents, self.model.vae.priors), rates, strict=True
            ):
                tf.summary.scalar(f"rate_per_dimension/{name}", rate)
            if self.images is not None and (epoch + 1) % self.images_every == 0:
                self._write_images(rates)
        self._writer.flush()

    def _write_images(self, rates):
        vae = self.model.vae
        reconstructions = vae.predict_on_batch(self.images)
        if not np.isfinite(reconstructions).all():
            return  # a diverged training ends at its next loss or checkpoint, with a message
        grid = visualize.reconstruction_grid(self.images, reconstructions)
        tf.summary.image("reconstructions", grid[None])
        continuous = [group for group in vae.latents.amortised if not group.is_discrete]
        if continuous:
            # A learned prior has no rates of single dimensions.
            kl = None if vae.priors else rates[_is_continuous(vae)]
            traversals = visualize.traverse(vae, self.images[0])
            tf.summary.image(
                "traversals", visualize.traversal_grid(traversals, kl_per_dim=kl)[None]
            )

    def on_train_end(self, logs=None):
        self._writer.close()


def _is_continuous(vae):
    """Which entries of `rate_per_dimension` are of continuous variables, bool [U]."""
    kinds = [not group.is_discrete for group in vae.latents.amortised]
    return np.repeat(kinds, list(vae.rate_sizes.values()))


def rate_names(latents, priors=()):
    """Names of the latent variables in the order of `rate_per_dimension`.

    Args:
      latents: `Latents`.
      priors: names of the groups with a learned prior, which have one rate in all.
    """
    names = []
    for group in latents.amortised:
        names += [group.name] if group.name in priors else evaluation.unit_names([group])
    return tuple(names)


class ScoreEvery(EverySteps):
    """Scores the representation every so many steps on a fixed subset of the data.

    Args:
      dataset: `tfdisent.data.Dataset` with factors or labels.
      steps: score whenever the trainer's step has passed a multiple of this.
      rows: size of the subset, drawn once with seed 0; None takes all rows.
      names: metrics to compute; what the data set cannot answer is left out, see
        `evaluation.score_encoding`.
      protocol: preset of the scores.
      path: JSON Lines file that each scoring is appended to; or None.
      log_dir: folder of event files for the values and, as heat maps, what "mig" and "dci" are
        computed from; or None.
      seed: of the scores' own draws.
    """

    def __init__(
        self,
        dataset,
        steps,
        rows=20_000,
        names=("factor_vae_score", "mig", "class_accuracy"),
        protocol="jeong2019",
        path=None,
        log_dir=None,
        seed=0,
    ):
        super().__init__(steps)
        self.dataset = dataset
        self.rows = evaluation.subset(dataset, rows)
        self.names = tuple(names)
        self.protocol = protocol
        self.path = path
        self.log_dir = log_dir
        self.seed = seed

    def act(self, step):
        self.score(self.model.vae, step)

    def score_finally(self, trainer, rows=None):
        """Scores a trained model on `rows` rows (None for all) and marks the entry as final."""
        return self.score(
            trainer.vae,
            int(trainer.step.numpy()),
            evaluation.subset(self.dataset, rows),
            final=True,
        )

    def score(self, vae, step, rows=None, final=False):
        """Scores `vae` now, writes the values, and returns {name: Score}."""
        rows = self.rows if rows is None else rows
        encoding = evaluation.encode_dataset(vae, self.dataset, rows)
        if not np.isfinite(encoding.codes).all():
            raise FloatingPointError(f"the loss became meaningless by step {step}: codes are NaN.")
        scores = evaluation.score_encoding(
            self.dataset, encoding, self.names, self.protocol, self.seed
        )
        if self.path is not None:
            correlation = metrics.gaussian_total_correlation(
                encoding.codes, discrete_columns=encoding.discrete_columns
            )
            self._append(
                step,
                len(encoding.rows),
                scores,
                final,
                kl_per_dim=[_for_json(kl) for kl in encoding.kl_per_dim],
                gaussian_total_correlation=_for_json(correlation.value),
            )
        self._write_summaries(step, scores, evaluation.unit_names(vae.latents.coded))
        return scores

    def _write_summaries(self, step, scores, units=()):
        """Writes the values and, of scores that come from a table of units, the table."""
        if self.log_dir is None:
            return
        writer = tf.summary.create_file_writer(os.fspath(self.log_dir))
        with writer.as_default(step=step):
            for name, score in scores.items():
                tf.summary.scalar(f"scores/{name} ({score.protocol})", float(score))
                if score.name in _MATRICES:
                    self._write_matrix(score, units)
        writer.close()

    def _write_matrix(self, score, units):
        """Writes the table [units, factors] behind a score as a picture."""
        matrix, title = _MATRICES[score.name]
        figure = visualize.matrix_figure(
            score.details[matrix],
            units,
            [self.dataset.factor_names[k] for k in score.details["kept_factors"]],
            title=f"{title} ({score.protocol})",
        )
        tag = f"scores/{matrix} ({score.protocol})"
        tf.summary.image(tag, visualize.figure_to_image(figure)[None])

    def _append(self, step, num_rows, scores, final, **more):
        entry = {
            "step": step,
            "rows": num_rows,
            "final": final,
            **more,
            "scores": {name: score.to_dict() for name, score in scores.items()},
        }
        records.append(self.path, entry)


def _for_json(value):
    """A number, or in words: JSON has no infinity, such as the KL of a deterministic code."""
    return float(value) if math.isfinite(value) else str(float(value))


class ClassifyEvery(ScoreEvery):
    """Tests a model of labels every so many steps, on a data set that it is not trained on.

    Args:
      dataset: `tfdisent.data.Dataset` with labels.
      steps: see `ScoreEvery`, as for what follows.
      where: which images these are, for the protocol of the scores.
      **kwargs: rows, path, log_dir, seed.
    """

    def __init__(self, dataset, steps, where="held-out images", **kwargs):
        super().__init__(dataset, steps, **kwargs)
        self.where = where

    def score(self, vae, step, rows=None, final=False):
        """See base class; the accuracies of `evaluation.classify`."""
        rows = self.rows if rows is None else rows
        found = evaluation.classify(vae, self.dataset, rows, seed=self.seed)
        scores = found.scores(self.where)
        if self.path is not None:
            self._append(step, len(rows), scores, final, classification=found.to_dict())
        self._write_summaries(step, scores)
        return scores
