"""The three parts of the rate during training."""

import os

import tensorflow as tf

from tfdisent import evaluation
from tfdisent.trainers import records
from tfdisent.trainers.every_steps import EverySteps

_PARTS = ("index_code_mi", "total_correlation", "dimensionwise_kl", "prior_correlation")


class ELBODecomposition(EverySteps):
    """Decomposes the rate every so many steps on a fixed subset, at the end on the whole set.

    `R = I(x; z) + TC(z) + sum_j KL(q(z_j) || p(z_j))`, less what a learned prior accounts for of
    the dependence between dimensions; see `evaluation.Decomposition`. The parts become scalars
    under `decomposition/` in TensorBoard (`decomposition_final/` for the whole set), along with the
    gap between their sum and the rate and its standard error.

    Args:
      dataset: `tfdisent.data.Dataset`.
      steps: decompose whenever the trainer's step has passed a multiple of this.
      rows: size of the subset, drawn once with seed 0; None takes all rows.
      num_samples: samples of z, see `evaluation.elbo_decomposition`.
      path: JSON Lines file that each decomposition is appended to; or None.
      log_dir: folder of event files; or None.
      whole_at_end: whether the end of `fit` decomposes the rate on the whole set. A run that trains
        in several legs calls `decompose_finally` instead.
      seed: of the samples of z.

    Reference:
      Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942, Eq. 2.
    """

    def __init__(
        self,
        dataset,
        steps,
        rows=20_000,
        num_samples=10_000,
        path=None,
        log_dir=None,
        whole_at_end=True,
        seed=0,
    ):
        super().__init__(steps)
        self.dataset = dataset
        self.rows = evaluation.subset(dataset, rows)
        self.num_samples = num_samples
        self.path = path
        self.log_dir = log_dir
        self.whole_at_end = whole_at_end
        self.seed = seed

    def act(self, step):
        self.decompose(self.model.vae, step, self.rows)

    def on_train_end(self, logs=None):
        if self.whole_at_end:
            self.decompose_finally(self.model)

    def decompose_finally(self, trainer):
        """Decomposes the rate of a trained model on the whole set and marks the entry as final."""
        return self.decompose(trainer.vae, int(trainer.step.numpy()), None, final=True)

    def decompose(self, vae, step, rows, final=False):
        """Decomposes the rate of `vae` now, writes the parts, and returns the `Decomposition`."""
        parts = evaluation.elbo_decomposition(vae, self.dataset, rows, self.num_samples, self.seed)
        if self.path is not None:
            entry = {"step": step, "final": final, "decomposition": parts.to_dict()}
            records.append(self.path, entry)
        if self.log_dir is not None:
            # Of fewer rows, I(x; z) is smaller and the total correlation larger: two curves.
            self._write_scalars(parts, step, "decomposition_final" if final else "decomposition")
        return parts

    def _write_scalars(self, parts, step, prefix):
        writer = tf.summary.create_file_writer(os.fspath(self.log_dir))
        with writer.as_default(step=step):
            for name in (*_PARTS, "rate", "gap"):
                tf.summary.scalar(f"{prefix}/{name}", getattr(parts, name))
            tf.summary.scalar(f"{prefix}/gap_standard_error", parts.standard_errors["gap"])
        writer.close()
