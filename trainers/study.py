"""A study: many runs that answer one question together, in one folder.

```
STUDY/study.json       what the study is of, the recipe that all points share, versions
STUDY/points/NAME/     one run folder per point, such as beta-0.5
STUDY/study.jsonl      what was found at each finished point
STUDY/figures/         pictures
```
"""

import json
import pathlib

from tfdisent.trainers import records
from tfdisent.trainers.run import Run, build, check_images, train, versions

_FORMAT = 1


class Study:
    """The folder of a study. Subclasses say which points there are and what is measured of each.

    Every point is a resumable run; a point that is finished is not trained again, and more points
    can be added later. A subclass has

    - `result_class`, with `to_dict` and `from_dict`: what is found at a point;
    - `points(**grid)`, which returns objects with a `name`, a `recipe` and `coordinates`, a
      dictionary that JSON can hold;
    - `measure(point, vae, held_out)`, which returns a `result_class`.

    Attributes:
      path: the folder.
      recipe: `Recipe` of everything that the points share.
      settings: {name: number}, how points are trained and measured.

    Args:
      path: the folder; made when the first point is trained.
      recipe: see above.
      settings: see above.

    Raises:
      ValueError: if the folder holds another study or other things.
    """

    result_class = None

    def __init__(self, path, recipe, settings):
        self.path = pathlib.Path(path)
        self.recipe = recipe
        self.settings = dict(settings)
        self._check_folder()

    def points(self, **grid):
        """The points of a grid."""
        raise NotImplementedError(f"{type(self).__name__} implements points")

    def measure(self, point, vae, held_out):
        """What a trained model of a point is worth on held-out data."""
        raise NotImplementedError(f"{type(self).__name__} implements measure")

    def run(self, on_point=None, verbose=0, **grid):
        """Trains and measures every point of a grid that is not finished.

        Args:
          on_point: optional function of a point and what was found there, or None before it is
            trained.
          verbose: of `fit`.
          **grid: see `points`.

        Returns:
          {name: entry} of the whole study, see `results`.

        Raises:
          ValueError: see `points` and `run.train`.
          FloatingPointError: if a loss is not finite.
        """
        points = self.points(**grid)
        done = self.results()
        dataset, held_out = self.datasets()
        build(points[0].recipe, dataset)  # finds bad options before anything is written
        self.create()
        check_images(self.path / "study.json", dataset, self.recipe.data)
        for point in points:
            if point.name in done:
                continue
            if on_point is not None:
                on_point(point, None)
            run = Run.create(self.path / "points" / point.name, point.recipe, dataset.image_shape)
            trainer = train(run, dataset, verbose=verbose)
            found = self.measure(point, trainer.vae, held_out)
            self._append(point, found)
            if on_point is not None:
                on_point(point, found)
        return self.results()

    def results(self):
        """{name: {its coordinates, "result": what was found}} of the finished points.

        They are in the order in which they were finished; a line cut off by a crash is left out.
        """
        found = {}
        for entry in records.read(self.path / "study.jsonl"):
            entry["result"] = self.result_class.from_dict(entry["result"])
            found[entry.pop("name")] = entry
        return found

    def finished(self):
        """`results`, of which there must be one.

        Raises:
          ValueError: if no point is finished.
        """
        found = self.results()
        if not found:
            raise ValueError(f"the study {self.path} has no finished point yet.")
        return found

    def datasets(self):
        """What is trained on and what is measured on; the same set where it has no test split."""
        dataset = self.recipe.load_dataset()
        if self.recipe.data_options.get("split") != "train":
            return dataset, dataset
        return dataset, self.recipe.load_held_out()[0]

    def _append(self, point, found):
        entry = {"name": point.name, **point.coordinates, "result": found.to_dict()}
        records.append(self.path / "study.jsonl", entry)

    def create(self):
        """Makes the folder, if it is not there yet."""
        file = self.path / "study.json"
        if file.exists():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        content = {"format": _FORMAT, **self._description(), "versions": versions()}
        records.write(file, content)

    def _description(self):
        return {
            "study": {"kind": type(self).__name__},
            "recipe": self.recipe.to_dict(),
            "settings": self.settings,
        }

    def _check_folder(self):
        file = self.path / "study.json"
        if file.exists():
            there = json.loads(file.read_text(encoding="utf-8"))
            for name, asked in self._description().items():
                differing = [key for key in asked if there.get(name, {}).get(key) != asked[key]]
                if differing:
                    key = differing[0]
                    raise ValueError(
                        f"the study {self.path} is another one: {key} is "
                        f"{there.get(name, {}).get(key)!r} there, received {asked[key]!r}. Choose "
                        "another folder, or repeat the command that began the study."
                    )
            return
        if self.path.exists() and not (self.path.is_dir() and records.is_empty(self.path)):
            raise ValueError(f"expected a new or empty folder or a study, received {self.path}.")


def numbers(what, values):
    """Positive numbers of a grid, each once, in increasing order.

    Raises:
      ValueError: if one is not positive.
    """
    values = sorted(set(map(float, values)))
    if values and not values[0] > 0:
        raise ValueError(f"every {what} must be positive, received {values[0]}.")
    return values


def number_name(value):
    """A number in the name of a point: short where six digits say it, whole where they do not."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def short_name(name):
    """The name of a data set without the folders of a file."""
    return pathlib.PurePath(name).name
