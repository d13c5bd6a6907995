"""Fixing a broken ELBO: one architecture, trained to many points of rate and distortion."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfdisent import evaluation, visualize
from tfdisent.trainers.recipes import Recipe
from tfdisent.trainers.run import load_run
from tfdisent.trainers.study import Study, number_name, numbers, short_name


@dataclasses.dataclass(frozen=True)
class Point:
    """One model of a study.

    Attributes:
      name: "beta-0.5" or "target-1.4", also the name of its folder.
      beta: weight of the rate in training, or None.
      target_rate: nats that it is trained to, or None.
      recipe: `Recipe`.
    """

    name: str
    beta: float | None
    target_rate: float | None
    recipe: Recipe

    @property
    def coordinates(self):
        return {"beta": self.beta, "target_rate": self.target_rate}


class RateDistortionStudy(Study):
    """Trains one architecture over a grid of beta and of target rates, and measures (R, D) of each.

    `D + beta R` finds the points where the curve has slope -beta. Where a decoder can do without
    the code, the curve is the straight line D = H - R and beta finds its ends alone: the points
    between have the same ELBO, and only a target rate reaches them.

    Args:
      path: folder of the study, see `Study`.
      recipe: `Recipe` of the method "vae" with everything that the points share; what it trains on
        is the training split where it names one, and then R and D are those of the test split.
      target_weight: of |R - R*|; more than the curve's slope, which is 1 at equal ELBO.
      rows: images that R and D are means over; None for all.
      samples_per_row: samples of z for each of them.
      num_samples: samples of z for I(x; z).

    Raises:
      ValueError: if the recipe is no VAE's, or the folder holds another study or other things.

    Reference:
      Alemi et al., Fixing a Broken ELBO, 2018, arXiv:1711.00464.
    """

    result_class = evaluation.RateDistortion

    def __init__(
        self,
        path,
        recipe,
        target_weight=5.0,
        rows=10_000,
        samples_per_row=1,
        num_samples=10_000,
    ):
        if recipe.method != "vae" or recipe.options:
            raise ValueError(
                "a study sets the method and its options point by point: expected a recipe of "
                f"'vae' without options, received {recipe.method!r} with {recipe.options}."
            )
        settings = {
            "target_weight": float(target_weight),
            "rows": rows,
            "samples_per_row": samples_per_row,
            "num_samples": num_samples,
        }
        super().__init__(path, recipe, settings)

    def points(self, betas=(), target_rates=()):
        """The points of a grid, in increasing order of beta, then of the target rate.

        Raises:
          ValueError: if there is none, or a number is not positive.
        """
        betas, target_rates = numbers("beta", betas), numbers("target rate", target_rates)
        if not betas and not target_rates:
            raise ValueError("expected at least one beta or target rate, received none.")
        weight = self.settings["target_weight"]
        return [
            *(
                Point(f"beta-{number_name(beta)}", beta, None, self._recipe("vae", beta=beta))
                for beta in betas
            ),
            *(
                Point(
                    f"target-{number_name(rate)}",
                    None,
                    rate,
                    self._recipe("target_rate_vae", target_rate=rate, weight=weight),
                )
                for rate in target_rates
            ),
        ]

    def run(self, betas=(), target_rates=(), on_point=None, verbose=0):
        """Trains to betas and target rates and measures each; see `Study.run`."""
        return super().run(on_point, verbose, betas=betas, target_rates=target_rates)

    def measure(self, point, vae, held_out):
        rows = evaluation.subset(held_out, self.settings["rows"])
        counts = {name: self.settings[name] for name in ("samples_per_row", "num_samples")}
        return evaluation.rate_distortion(vae, held_out, rows, **counts)

    def draw(self, images=8, samples=1, tolerance=None):
        """Draws the plane of rate and distortion, and models of equal ELBO side by side.

        Args:
          images: held-out images that are reconstructed.
          samples: reconstructions of each, from as many samples of z.
          tolerance: see `equal_elbo`.

        Returns:
          Paths of the figures that were written.

        Raises:
          ValueError: if no point is finished.
        """
        found = self.finished()
        results = [entry["result"] for entry in found.values()]
        betas = [np.nan if entry["beta"] is None else entry["beta"] for entry in found.values()]
        paths = [
            visualize.save_rate_distortion_plane(
                self.path / "figures" / "rd.png",
                [result.rate for result in results],
                [result.distortion for result in results],
                betas,
                results[0].entropy,
                errors=[result.standard_errors["elbo"] for result in results],
                title=short_name(self.recipe.data),
            )
        ]
        names = equal_elbo({name: e["result"] for name, e in found.items()}, tolerance)
        if len(names) > 1:
            path = self.path / "figures" / "equal_elbo.png"
            rows, labels = self._reconstructions(names, found, images, samples)
            paths.append(visualize.save_labelled_rows(path, rows, labels, cell=96))
        return paths

    def _reconstructions(self, names, found, images, samples):
        """Originals and what each model makes of them: [1 + models, images, H, W, C], labels."""
        _, held_out = self.datasets()
        chosen = np.linspace(0, len(held_out) - 1, images, dtype=int)
        originals = held_out.images(chosen)
        rows, labels = [originals], ["original"]
        for name in names:
            vae, _ = load_run(self.path / "points" / name)
            posterior = vae.posterior(originals)
            result = found[name]["result"]
            for number in range(samples):
                z = vae.sample(posterior, seed=tf.constant([0, number], tf.int32), hard=True)
                rows.append(vae.decode(z).numpy())
                label = f"R {result.rate:.2f}   D {result.distortion:.2f}"
                labels.append(f"{label}\nELBO {result.elbo:.2f}" if number == 0 else "")
        return np.stack(rows), labels

    def _recipe(self, method, **options):
        recipe = self.recipe
        # A point is measured at its end; scores of the representation are not what is studied.
        return recipe.replace(
            method=method,
            options=options,
            score_every=recipe.steps,
            final_rows=recipe.score_rows,
        )


def equal_elbo(results, tolerance=None, most=4):
    """Models whose ELBOs are nearly the same and whose rates differ as much as possible.

    Args:
      results: {name: `RateDistortion`}.
      tolerance: how far the ELBOs may be apart, nats; by default 2 % of the best.
      most: number of models, at least 2.

    Returns:
      List of names in order of increasing rate; of one name if no two ELBOs are that close.
    """
    if tolerance is None:
        tolerance = 0.02 * min(abs(result.elbo) for result in results.values())
    by_rate = sorted(results, key=lambda name: results[name].rate)
    families = [
        [name for name in by_rate if 0 <= results[name].elbo - results[lowest].elbo <= tolerance]
        for lowest in by_rate
    ]
    widest = max(families, key=lambda f: (results[f[-1]].rate - results[f[0]].rate, len(f)))
    if len(widest) <= most:
        return widest
    first, last = results[widest[0]].rate, results[widest[-1]].rate
    wanted = [first + (last - first) * i / (most - 1) for i in range(most)]
    nearest = [min(widest, key=lambda name: abs(results[name].rate - rate)) for rate in wanted]
    return sorted(set(nearest), key=lambda name: results[name].rate)
