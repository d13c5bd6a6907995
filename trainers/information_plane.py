"""The information plane: what codes of several sizes cost and what they tell of the label."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from tfdisent import evaluation, visualize
from tfdisent.trainers.recipes import Recipe
from tfdisent.trainers.study import Study, number_name, numbers, short_name


class PlanePoint(NamedTuple):
    """One trained model in the information plane.

    Attributes:
      beta: weight of the rate in training.
      complexity: E KL(q(z | x) || p(z)), an upper bound of I(X; Z), bits.
      relevance: H(Y) less the cross-entropy, a lower bound of I(Z; Y), bits.
      errors: {number of samples of z: share of the images that are classified wrongly}.
    """

    beta: float
    complexity: float
    relevance: float
    errors: dict

    @classmethod
    def of(cls, beta, found):
        """The point of a model with an `evaluation.Classification`."""
        complexity, relevance = (v / math.log(2) for v in (found.complexity, found.relevance))
        return cls(beta, complexity, relevance, found.errors)

    def to_dict(self):
        """The point in types that `json.dumps` accepts."""
        return {**self._asdict(), "errors": {str(n): error for n, error in self.errors.items()}}

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`."""
        return cls(**{**values, "errors": {int(n): e for n, e in values["errors"].items()}})


@dataclasses.dataclass(frozen=True)
class Point:
    """One model of a study.

    Attributes:
      name: "beta-0.001", also the name of its folder.
      beta: weight of the rate.
      recipe: `Recipe`.
    """

    name: str
    beta: float
    recipe: Recipe

    @property
    def coordinates(self):
        return {"beta": self.beta}


class InformationPlaneStudy(Study):
    """Trains one classifier with several prices of the rate and finds each in the plane.

    Args:
      path: folder of the study, see `Study`.
      recipe: `Recipe` of a method that takes labels, such as "deep_vib"; what it trains on is the
        training split where it names one, and the points are those of the test split.
      rows: images that a point is measured on, at most; None for all.

    Raises:
      ValueError: if the recipe's method takes no labels, or the folder holds another study or other
        things.

    Reference:
      Alemi, Fischer, Dillon, Murphy, Deep Variational Information Bottleneck, 2017,
      arXiv:1612.00410, its experiment on MNIST.
    """

    result_class = PlanePoint

    def __init__(self, path, recipe, rows=None):
        if not recipe.takes_labels:
            raise ValueError(
                "the information plane needs a method that takes labels, such as 'deep_vib', "
                f"received {recipe.method!r}."
            )
        super().__init__(path, recipe, {"rows": rows})

    def points(self, betas=()):
        """A point for each beta, in increasing order.

        Raises:
          ValueError: if there is none, or one is not positive.
        """
        betas = numbers("beta", betas)
        if not betas:
            raise ValueError("expected at least one beta, received none.")
        # Scores on the way are not what is studied: the points are the ends.
        recipe = self.recipe.replace(score_every=self.recipe.steps)
        return [Point(f"beta-{number_name(beta)}", beta, recipe.set(beta=beta)) for beta in betas]

    def run(self, betas=(), on_point=None, verbose=0):
        """Trains with every beta and measures each; see `Study.run`."""
        return super().run(on_point, verbose, betas=betas)

    def measure(self, point, vae, held_out):
        rows = evaluation.subset(held_out, self.settings["rows"])
        return PlanePoint.of(point.beta, evaluation.classify(vae, held_out, rows))

    def draw(self):
        """Draws the plane.

        Returns:
          Paths of the figures that were written.

        Raises:
          ValueError: if no point is finished.
        """
        points = [entry["result"] for entry in self.finished().values()]
        _, held_out = self.datasets()
        shares = np.bincount(held_out.labels) / len(held_out)
        entropy = float(-np.sum(shares[shares > 0] * np.log2(shares[shares > 0])))
        path = self.path / "figures" / "information_plane.png"
        title = short_name(self.recipe.data)
        return [visualize.save_information_plane(path, points, label_entropy=entropy, title=title)]


def trace_information_plane(
    build, betas, dataset, steps, held_out=None, batch_size=100, repeats=1, seed=0, verbose=0
):
    """Trains a model for every beta and finds its place in the information plane.

    Both coordinates err to the same side: a point is never above the curve of the exact bottleneck,
    `information.information_bottleneck_curve`, of the distribution that it is measured on, but for
    the sampling error.

    `InformationPlaneStudy` does so for a recipe, in a folder.

    Args:
      build: function of beta that returns a new compiled trainer that takes labels, such as
        `DeepVIBTrainer`.
      betas: weights of the rate.
      dataset: `tfdisent.data.Dataset` with labels that the models are trained on.
      steps: of each training.
      held_out: data set that the points are measured on; None takes `dataset`.
      batch_size: of training.
      repeats: codes drawn for each image that is measured, for small data sets.
      seed: of the order of the data and of the measurement, in [0, 2**31).
      verbose: of `fit`.

    Returns:
      [`PlanePoint`], in increasing order of beta.

    Raises:
      ValueError: if there is no beta, a trainer takes no labels, `repeats` is not positive, or
        model and data do not fit.
    """
    betas = sorted(set(map(float, betas)))
    if not betas:
        raise ValueError("expected at least one beta, received none.")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, received {repeats}.")
    held_out = dataset if held_out is None else held_out
    rows = np.tile(np.arange(len(held_out)), repeats)
    points = []
    for beta in betas:
        trainer = build(beta)
        if not trainer.takes_labels:
            raise ValueError(
                f"the information plane needs a trainer that takes labels, received a "
                f"{type(trainer).__name__}."
            )
        batches = dataset.train(batch_size, seed=seed, labels=True)
        trainer.fit(batches, steps_per_epoch=steps, verbose=verbose)
        found = evaluation.classify(trainer.vae, held_out, rows, seed=seed)
        points.append(PlanePoint.of(beta, found))
    return points
