"""A run folder: one recipe, trained, scored, resumable.

```
RUN/run.json        the recipe, what the images are, versions
RUN/scores.jsonl    scores during training and at its end
RUN/decomposition.jsonl  the parts of the rate, where the recipe asks for them
RUN/checkpoints/    everything that training needs to go on
RUN/events/         TensorBoard
RUN/figures/        pictures
RUN/exports/        SavedModels
```
"""

import contextlib
import datetime
import fcntl
import importlib.metadata
import json
import pathlib
import platform
import warnings

from tfdisent.trainers import accelerator, records
from tfdisent.trainers.recipes import Recipe

_FORMAT = 1
_PACKAGES = (
    "tfdisent",
    "tensorflow",
    "keras",
    "tensorflow-probability",
    "numpy",
    "scikit-learn",
    "scipy",
)


class Run:
    """A run folder on disk.

    Attributes:
      path: the folder.
      recipe: `Recipe`.
      image_shape: (H, W, C).
    """

    def __init__(self, path, recipe, image_shape):
        self.path = pathlib.Path(path)
        self.recipe = recipe
        self.image_shape = tuple(image_shape)

    @classmethod
    def open(cls, path):
        """Opens an existing run.

        Raises:
          ValueError: if `path` is no run folder.
        """
        path = pathlib.Path(path)
        try:
            content = json.loads((path / "run.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"expected a run folder, found no run.json in {path}.") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"{path / 'run.json'} is not JSON: {error}.") from error
        if content.get("format") != _FORMAT:
            raise ValueError(
                f"expected run format {_FORMAT}, received {content.get('format')!r} in {path}."
            )
        return cls(path, Recipe.from_dict(content["recipe"]), content["image_shape"])

    @classmethod
    def create(cls, path, recipe, image_shape):
        """Makes a run folder, or opens the one that is there if it has the same recipe.

        Raises:
          ValueError: if the folder holds another recipe or other things, or cannot be written.
        """
        path = pathlib.Path(path)
        if (path / "run.json").exists():
            run = cls.open(path)
            _check_same(run, recipe)
            return run
        if path.exists() and not path.is_dir():
            raise ValueError(f"expected a folder for the run, {path} is a file.")
        if path.exists() and not records.is_empty(path):
            raise ValueError(
                f"expected a new or empty folder or a run, {path} holds other things "
                f"({min(entry.name for entry in path.iterdir())}, ...)."
            )
        run = cls(path, recipe, image_shape)
        try:
            path.mkdir(parents=True, exist_ok=True)
            run._write_description()
        except OSError as error:
            raise ValueError(f"cannot write the run folder {path}: {error.strerror}.") from error
        return run

    def _write_description(self):
        description = {
            "format": _FORMAT,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "recipe": self.recipe.to_dict(),
            "image_shape": list(self.image_shape),
            "versions": versions(),
        }
        records.write(self.path / "run.json", description)

    def warn_of_versions(self):
        """Warns if a package whose arithmetic a run depends on is not the one it began with."""
        description = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        now = versions()
        changed = [
            f"{name} {begun} -> {now.get(name, 'none')}"
            for name, begun in description["versions"].items()
            if now.get(name) != begun
        ]
        if changed:
            warnings.warn(
                f"the run {self.path} goes on with other versions ({', '.join(changed)}): its end "
                "may differ in the last digits from that of a run without interruption.",
                UserWarning,
                stacklevel=3,
            )

    @property
    def checkpoint_dir(self):
        return self.path / "checkpoints"

    @property
    def event_dir(self):
        return self.path / "events"

    @property
    def figure_dir(self):
        return self.path / "figures"

    @property
    def export_dir(self):
        return self.path / "exports"

    @property
    def score_path(self):
        return self.path / "scores.jsonl"

    @property
    def decomposition_path(self):
        return self.path / "decomposition.jsonl"

    def scores(self):
        """The entries of `scores.jsonl`, oldest first; a line cut off by a crash is left out."""
        return records.read(self.score_path)

    def decompositions(self):
        """The entries of `decomposition.jsonl`, likewise."""
        return records.read(self.decomposition_path)

    def forget_scores_after(self, step):
        """Removes scores of steps that a resumed training will take again."""
        records.forget_after(self.score_path, step)

    def forget_decompositions_after(self, step):
        """Removes decompositions of such steps."""
        records.forget_after(self.decomposition_path, step)

    @contextlib.contextmanager
    def lock(self):
        """Holds the run for one training process.

        Raises:
          ValueError: if another process trains in it.
        """
        with open(self.path / ".lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"another process is training in {self.path}.") from None
            # The system releases the lock when the process ends, however it ends.
            yield

    def restore(self):
        """The trainer at its newest checkpoint, compiled, and its step.

        Raises:
          ValueError: if there is no checkpoint yet.
        """
        from tfdisent.trainers.checkpoints import Checkpoints

        trainer = self.recipe.build(self.image_shape)
        step = Checkpoints(trainer, self.checkpoint_dir).restore()
        if step == 0:
            raise ValueError(f"the run {self.path} has no checkpoint yet.")
        return trainer, step


def check_images(file, dataset, name):
    """Remembers in the JSON file of a run or a study what its images are, or compares them.

    Args:
      file: path of the file.
      dataset: `tfdisent.data.Dataset`.
      name: of the data set.

    Raises:
      ValueError: if other images were there before.
    """
    description = json.loads(file.read_text(encoding="utf-8"))
    found = dataset.fingerprint()
    if "images" not in description:
        records.write(file, {**description, "images": found})
        return
    for what, value in description["images"].items():
        if value != found[what]:
            raise ValueError(
                f"{file.parent} began on other images: their {what} was {value}, received "
                f"{found[what]}. Choose another folder, or bring back what {name!r} was."
            )


def build(recipe, dataset):
    """The trainer of a recipe on its data set, which lies on the GPU if there is one.

    Args:
      recipe: `Recipe`.
      dataset: `tfdisent.data.Dataset`.

    Raises:
      ValueError: if the data are points and not images; see also `Recipe.build`.
    """
    source = accelerator.device_source(dataset)
    trainer = recipe.build(dataset.image_shape, source=source, dataset_size=len(dataset))
    if dataset.value_range is None and trainer.value_range is not None:
        raise ValueError(
            f"{recipe.data} holds points, not images in [0, 1], as {recipe.method} trains on here: "
            "in Python, GANMINETrainer trains on points, and VAETrainer with the likelihood "
            "Gaussian(squash=False)."
        )
    return trainer


def train(
    run,
    dataset=None,
    checkpoint_every=None,
    callbacks=(),
    on_start=None,
    verbose="auto",
    trainer=None,
):
    """Trains a run to the end of its recipe, from its newest checkpoint if there is one.

    The result does not depend on where training was interrupted: data order and noise are functions
    of the seed and the step, and a checkpoint holds all the rest.

    Args:
      run: `Run`.
      dataset: the data set of the recipe, if it is loaded already.
      checkpoint_every: steps between checkpoints; None saves every minute.
      callbacks: further Keras callbacks.
      on_start: optional function of the step that training goes on from.
      verbose: of `fit`.
      trainer: what `build` returned, untouched since, if it is built already.

    Returns:
      The trainer at the end.

    Raises:
      ValueError: if another process trains in the folder, the run began on other images, or the
        method takes labels and the data set has none or others than the model.
      FloatingPointError: if the loss is not finite.
    """
    from tfdisent.trainers.checkpoints import CheckpointEvery, Checkpoints

    recipe = run.recipe
    with run.lock():
        dataset = recipe.load_dataset() if dataset is None else dataset
        if trainer is None:
            trainer = build(recipe, dataset)
        check_images(run.path / "run.json", dataset, recipe.data)
        checkpoints = Checkpoints(trainer, run.checkpoint_dir)
        step = checkpoints.restore()
        if 0 < step < recipe.steps:
            run.warn_of_versions()
        if on_start is not None:
            on_start(step)
        if step >= recipe.steps and any(entry["final"] for entry in run.scores()):
            return trainer
        run.forget_scores_after(step)

        interval = {"seconds": 60} if checkpoint_every is None else {"steps": checkpoint_every}
        saver = CheckpointEvery(checkpoints, **interval)
        observers, scorer = _observers(run, trainer, dataset)
        decomposer = _decomposer(run, dataset, step)
        observers += [] if decomposer is None else [decomposer]
        _write_hparams(run)
        trainer.steps_per_execution = accelerator.steps_per_execution(
            step,
            recipe.steps,
            recipe.report_every,
            recipe.score_every,
            recipe.decompose_every,
            checkpoint_every,
            *trainer.pauses,
        )
        batch_size = recipe.batch_size * trainer.batches_per_step
        for first, steps, epochs in _legs(step, recipe.steps, recipe.report_every):
            initial_epoch = first // recipe.report_every
            trainer.fit(
                dataset.train(
                    batch_size,
                    seed=recipe.seed,
                    start_step=first,
                    labels=trainer.takes_labels,
                    rows=trainer.source is not None,
                ),
                steps_per_epoch=steps,
                initial_epoch=initial_epoch,
                epochs=initial_epoch + epochs,
                callbacks=[*observers, saver, *callbacks],
                verbose=verbose,
            )
        if decomposer is not None:
            decomposer.decompose_finally(trainer)
        # The final scores come last: they mark the run as complete.
        if scorer is not None:
            scorer.score_finally(trainer, recipe.final_rows)
        return trainer


def _observers(run, trainer, dataset):
    """The callbacks that watch a run, and the one among them that scores, or None."""
    from tfdisent import evaluation
    from tfdisent.trainers.callbacks import ClassifyEvery, FiniteLoss, ScoreEvery, Summaries
    from tfdisent.trainers.feeding import check_labels

    recipe = run.recipe
    decodes_images = trainer.vae.num_classes is None
    rows = evaluation.subset(dataset, 10, seed=recipe.seed)
    pictures = dataset.images(rows) if decodes_images else None
    observers = [
        FiniteLoss(every=20),
        Summaries(run.event_dir, pictures),
    ]
    options = {
        "rows": recipe.score_rows,
        "path": run.score_path,
        "log_dir": run.event_dir,
        "seed": recipe.seed,
    }
    if trainer.takes_labels:
        # All of them, not the first batch alone: a class too many is no number in the loss.
        check_labels(dataset.labels, len(dataset), trainer.num_classes)
        held_out, where = recipe.load_held_out()
        scorer = ClassifyEvery(held_out, recipe.score_every, where, **options)
        return [*observers, scorer], scorer
    columns = trainer.vae.latents.discrete_columns
    if dataset.factors is None and not evaluation.can_classify(dataset, columns):
        return observers, None
    scorer = ScoreEvery(dataset, recipe.score_every, **options)
    return [*observers, scorer], scorer


def _decomposer(run, dataset, step):
    """The callback that decomposes the rate, or None if the recipe wants none or it is done."""
    from tfdisent.trainers.decomposition import ELBODecomposition

    recipe = run.recipe
    if recipe.decompose_every is None:
        return None
    if step >= recipe.steps and any(entry["final"] for entry in run.decompositions()):
        return None
    run.forget_decompositions_after(step)
    return ELBODecomposition(
        dataset,
        recipe.decompose_every,
        recipe.score_rows,
        path=run.decomposition_path,
        log_dir=run.event_dir,
        whole_at_end=False,
        seed=recipe.seed,
    )


def _legs(step, total, interval):
    """Splits the way from `step` to `total` so that report intervals end at multiples of
    `interval`.

    Returns:
      [(first step, steps per epoch, epochs)]: what is left of an interval, whole intervals, the
      rest.
    """
    legs = []
    head = min(-step % interval, total - step)
    if head:
        legs.append((step, head, 1))
        step += head
    whole, tail = divmod(total - step, interval)
    if whole:
        legs.append((step, interval, whole))
        step += whole * interval
    if tail:
        legs.append((step, tail, 1))
    return legs


def _write_hparams(run):
    """Writes the recipe for TensorBoard's HParams page."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api as hp

    flat = {**run.recipe.to_dict(), **run.recipe.all_options()}
    values = {name: value for name, value in flat.items() if isinstance(value, (int, float, str))}
    writer = tf.summary.create_file_writer(str(run.event_dir))
    with writer.as_default():
        hp.hparams(values, trial_id=run.path.name)
    writer.close()


def _check_same(run, recipe):
    there, asked = run.recipe.to_dict(), recipe.to_dict()
    differing = [name for name in asked if there[name] != asked[name]]
    if differing:
        name = differing[0]
        raise ValueError(
            f"the run {run.path} has another recipe: {name} is {there[name]!r} there, received "
            f"{asked[name]!r}. Choose another folder, or repeat the command that began the run."
        )


def versions():
    """Versions of Python and of the packages whose arithmetic a run depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def load_run(path):
    """The model of a run at its newest checkpoint, and its recipe.

    Args:
      path: a run folder.

    Returns:
      (`VAE`, `Recipe`).

    Raises:
      ValueError: if `path` is no run folder or has no checkpoint yet.
    """
    run = Run.open(path)
    trainer, _ = run.restore()
    return trainer.vae, run.recipe


def summary(entries, name):
    """What to report of one score: its last value, and its best, which was selected by labels.

    Args:
      entries: as `Run.scores` returns.
      name: of the score.

    Returns:
      {"last": value, "last_step": step, "best_by_label": value, "best_by_label_step": step}, or {}
      if the score is in no entry. The last value is the final one where there is one.
    """
    scored = [entry for entry in entries if name in entry["scores"]]
    if not scored:
        return {}
    last = scored[-1]
    best = max(scored, key=lambda entry: entry["scores"][name]["value"])
    return {
        "last": last["scores"][name]["value"],
        "last_step": last["step"],
        "best_by_label": best["scores"][name]["value"],
        "best_by_label_step": best["step"],
    }
