"""Recipes: everything that a training depends on, as data."""

import dataclasses
import inspect
import json

from tfdisent.trainers import methods

# Fields that are a positive number of steps or rows, or None.
_COUNTS_OR_NONE = ("decay_every", "decompose_every", "final_rows")
# Arguments of trainers that a recipe sets by itself.
_NOT_OPTIONS = {"self", "vae", "seed", "source", "dataset_size", "kwargs"}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is trained, how, on what, for how long. Two runs of one recipe give equal weights.

    Attributes:
      method: name in `methods.METHODS`.
      data: name for `tfdisent.data.load`.
      data_options: keyword arguments for `tfdisent.data.load`.
      continuous: number of continuous latent dimensions, Gaussian but for autoencoders
        and InfoGAN (uniform).
      discrete: classes of each categorical latent variable; None for what the method wants.
      noise: dimensions of noise, latents that belong to no code; None for what the method wants.
      architecture: a name in `networks.ARCHITECTURES` or None for the one that fits the images.
      hidden: units of the fully connected layers; None for the architecture's own.
      likelihood: "bernoulli", "gaussian" or "one_hot".
      prior: of the Gaussian latents: "normal", or learned, "mixture" or "vamp".
      prior_components: of a learned prior.
      num_classes: of the labels, for methods that read labels, in place of a likelihood of images.
      options: arguments of the trainer, such as {"gamma": 35.0}.
      learning_rate: of Adam.
      decay_rate: what the learning rate is multiplied by every `decay_every` steps.
      decay_every: steps between these; None leaves the learning rate as it is.
      optimizer: further arguments of Adam, such as {"beta_1": 0.5}.
      steps: training steps.
      batch_size: the paper's m; a method that takes two batches a step gets 2 m images.
      seed: of initial weights, data order and noise.
      report_every: steps between lines of the progress report.
      score_every: steps between scores on `score_rows` rows.
      score_rows: rows of the fixed subset that is scored during training.
      final_rows: rows scored at the end; None for the whole set.
      decompose_every: steps between decompositions of the rate on `score_rows` rows, and at the end
        on the whole set (`ELBODecomposition`); None for none.
      note: what the source leaves open and what was chosen.
    """

    method: str
    data: str = "dsprites"
    data_options: dict = dataclasses.field(default_factory=dict)
    continuous: int = 10
    discrete: tuple | None = None
    noise: int | None = None
    architecture: str | None = None
    hidden: int | None = None
    likelihood: str = "bernoulli"
    prior: str = "normal"
    prior_components: int = 50
    num_classes: int = 10
    options: dict = dataclasses.field(default_factory=dict)
    learning_rate: float = 1e-4
    decay_rate: float = 1.0
    decay_every: int | None = None
    optimizer: dict = dataclasses.field(default_factory=dict)
    steps: int = 300_000
    batch_size: int = 64
    seed: int = 0
    report_every: int = 1000
    score_every: int = 10_000
    score_rows: int = 20_000
    final_rows: int | None = None
    decompose_every: int | None = None
    note: str = ""

    def __post_init__(self):
        method = methods.get(self.method)
        discrete = method.discrete if self.discrete is None else self.discrete
        object.__setattr__(self, "discrete", tuple(discrete))
        object.__setattr__(self, "noise", method.noise if self.noise is None else self.noise)
        if isinstance(self.noise, bool) or not isinstance(self.noise, int) or self.noise < 0:
            raise ValueError(f"noise must be an integer, at least 0, received {self.noise!r}.")
        for name in ("data_options", "options", "optimizer"):
            object.__setattr__(self, name, _as_json(name, getattr(self, name)))
        for name in ("steps", "report_every", "score_every", "score_rows"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, received {value!r}.")
        if not isinstance(self.batch_size, int) or self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, received {self.batch_size!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be in [0, 2**31), received {self.seed!r}.")
        for name in ("learning_rate", "decay_rate"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not value > 0:
                raise ValueError(f"{name} must be positive, received {value!r}.")
        for name in _COUNTS_OR_NONE:
            value = getattr(self, name)
            if value is not None and not (type(value) is int and value >= 1):
                raise ValueError(f"{name} must be a positive integer or None, received {value!r}.")

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def scaled_to(self, steps):
        """The recipe for another length: schedules and intervals keep their share of it."""
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps must be a positive integer, received {steps!r}.")
        ratio = steps / self.steps
        counted = methods.get(self.method).schedules
        options = {
            name: max(1, round(value * ratio)) if name in counted else value
            for name, value in self.all_options().items()
        }
        return self.replace(
            steps=steps,
            options=options,
            decay_every=self.decay_every and max(1, round(self.decay_every * ratio)),
            decompose_every=self.decompose_every and max(1, round(self.decompose_every * ratio)),
            score_every=max(1, round(self.score_every * ratio)),
            report_every=min(self.report_every, max(1, steps // 20)),
        )

    def all_options(self):
        """The trainer's arguments: its signature's defaults, the method's, the recipe's own."""
        return {**trainer_options(self.method), **self.options}

    def set(self, **changes):
        """The recipe with fields, trainer arguments, `data.` or `optimizer.<option>`s changed.

        Raises:
          ValueError: if a name is unknown or a value has the wrong type.
        """
        recipe = self
        known = trainer_options(self.method)
        settable = {field.name: field for field in dataclasses.fields(self)}
        for name in ("method", "data", "data_options", "optimizer", "options"):
            del settable[name]
        for name, value in changes.items():
            if name.startswith("data."):
                options = {**recipe.data_options, name.removeprefix("data."): value}
                recipe = recipe.replace(data_options=options)
            elif name.startswith("optimizer."):
                options = {**recipe.optimizer, name.removeprefix("optimizer."): value}
                recipe = recipe.replace(optimizer=options)
            elif name in known:
                value = _coerce(name, value, known[name])
                recipe = recipe.replace(options={**recipe.options, name: value})
            elif name in settable:
                counts = name in _COUNTS_OR_NONE and value is not None
                example = 0 if counts else getattr(self, name)
                recipe = recipe.replace(**{name: _coerce(name, value, example)})
            else:
                raise ValueError(
                    f"{self.method} has no option {name!r}, expected one of: "
                    f"{', '.join([*known, *settable])}, data.<option>, optimizer.<option>."
                )
        return recipe

    @property
    def takes_labels(self):
        """Whether the method learns labels, so that its model decodes labels."""
        from tfdisent import trainers

        return getattr(trainers, methods.get(self.method).trainer).takes_labels

    def load_dataset(self):
        """The data set that the recipe names."""
        from tfdisent import data

        return data.load(self.data, **self.data_options)

    def load_held_out(self):
        """(data set, which images these are): what a trained classifier is tested on.

        The test images where the recipe trains on the training images of a set, else those that it
        trains on.
        """
        from tfdisent import data

        if self.data_options.get("split") != "train":
            return self.load_dataset(), "training images"
        return data.load(self.data, **{**self.data_options, "split": "test"}), "test images"

    def build(self, image_shape, source=None, dataset_size=None):
        """A compiled trainer, with the recipe's seed.

        Args:
          image_shape: (H, W, C).
          source: see `Trainer`.
          dataset_size: number of training images; methods that estimate q(z) from a batch do not
            train without it.
        """
        from tfdisent.trainers.initial_weights import initial_weights_from

        unknown = set(self.options) - set(trainer_options(self.method))
        if unknown:
            raise ValueError(f"{self.method} has no option {sorted(unknown)[0]!r}.")
        with initial_weights_from(self.seed):
            trainer = self._trainer(image_shape, source, dataset_size)
        for pause in trainer.pauses:
            if pause >= self.steps:
                raise ValueError(
                    f"{self.method} goes on with its next part after step {pause}, received a "
                    f"training of {self.steps} steps."
                )
        trainer.compile(self._optimizer())
        return trainer

    def _trainer(self, image_shape, source, dataset_size):
        from tfdisent import likelihoods, priors, trainers
        from tfdisent.latents import Categorical, Latents
        from tfdisent.vae import VAE

        method = methods.get(self.method)
        trainer_class = getattr(trainers, method.trainer)
        names = ["discrete"] if len(self.discrete) == 1 else None
        inference = "search" if trainer_class.searches else "amortised"
        categorical = [
            Categorical(size, names[0] if names else f"discrete_{i}", inference=inference)
            for i, size in enumerate(self.discrete)
        ]
        continuous_group = trainer_class.latent_groups[0]
        continuous = [continuous_group(self.continuous)] if self.continuous else []
        noise = [continuous_group(self.noise, "noise", inference=None)] if self.noise else []
        prior = priors.get(self.prior, self.continuous, image_shape, self.prior_components)
        vae = VAE.build_for(
            image_shape,
            Latents(*continuous, *categorical, *noise),
            architecture=self.architecture,
            likelihood=(
                likelihoods.Categorical(self.num_classes) if self.takes_labels else self.likelihood
            ),
            priors={group.name: prior for group in continuous if prior is not None},
            **({} if self.hidden is None else {"hidden": self.hidden}),
        )
        options = {**method.defaults, **self.options}
        if "dataset_size" in inspect.signature(trainer_class.__init__).parameters:
            options["dataset_size"] = dataset_size
        return trainer_class(vae, seed=self.seed, source=source, **options)

    def _optimizer(self):
        import keras

        from tfdisent.trainers.optimizers import AtTrainingStep, FusedAdam

        known = inspect.signature(keras.optimizers.Adam).parameters
        unknown = sorted(set(self.optimizer) - set(known) | {"learning_rate"} & set(self.optimizer))
        if unknown:
            raise ValueError(f"Adam has no argument {unknown[0]!r} that a recipe may set.")
        rate = self.learning_rate
        if self.decay_every is not None:
            rate = AtTrainingStep(
                keras.optimizers.schedules.ExponentialDecay(
                    rate, self.decay_every, self.decay_rate, staircase=True
                )
            )
        return FusedAdam(rate, **self.optimizer)

    def to_dict(self):
        """As plain types for JSON."""
        return {**dataclasses.asdict(self), "discrete": list(self.discrete)}

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`.

        Raises:
          ValueError: if a field is unknown or missing.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = set(values) - known
        if unknown or "method" not in values:
            raise ValueError(
                f"not a recipe: expected the fields {sorted(known)}, received {values}."
            )
        return cls(**values)


def _as_json(name, values):
    """A dictionary as it comes back from the file of a run: tuples are lists there."""
    try:
        return json.loads(json.dumps(values))
    except TypeError as error:
        raise ValueError(
            f"{name} of a recipe must be numbers, strings, booleans or lists of these, which a run "
            f"can keep, received {values}."
        ) from error


def trainer_options(method):
    """{argument: default} of a method's trainer that a recipe may set."""
    from tfdisent import trainers

    method = methods.get(method)
    trainer_class = getattr(trainers, method.trainer)
    parameters = inspect.signature(trainer_class.__init__).parameters
    base = {"temperature": None}
    own = {name: p.default for name, p in parameters.items() if name not in _NOT_OPTIONS}
    for network in ("discriminator", "critic", "scout"):
        own.pop(network, None)
    return {**base, **own, **method.defaults}


def _coerce(name, value, example):
    """`value` in the type of `example`, a default value of the same option."""
    if isinstance(example, bool):
        if isinstance(value, bool):
            return value
        raise ValueError(f"{name} takes true or false, received {value!r}.")
    if isinstance(example, (int, float)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{name} takes a number, received {value!r}.")
        if isinstance(example, int) and value != int(value):
            raise ValueError(f"{name} takes a whole number, received {value!r}.")
        return type(example)(value)
    if isinstance(example, tuple):
        return tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return value


_DEMO = Recipe(
    "cascade_vae_c",
    continuous=5,
    options={"beta_low": 1.0, "beta_high": 10.0, "stage_steps": 900},
    learning_rate=1e-3,
    steps=9000,
    report_every=450,
    score_every=1800,
    score_rows=20_000,
    final_rows=20_000,
    note="A short schedule that separates position and scale in minutes on two CPU cores.",
)

RECIPES = {
    "cascade_vae_c/dsprites-demo": _DEMO,
    "cascade_vae_c/dsprites-m5": Recipe(
        "cascade_vae_c",
        continuous=5,
        options={"beta_low": 0.7, "beta_high": 10.0, "stage_steps": 20_000},
        note="Lecture 18; beta_high from the authors' code.",
    ),
    "cascade_vae_c/dsprites-m10": Recipe(
        "cascade_vae_c",
        continuous=10,
        options={"beta_low": 1.0, "beta_high": 10.0, "stage_steps": 20_000},
        note="Lecture 18; beta_high from the authors' code.",
    ),
    "beta_vae/dsprites-m5": Recipe(
        "beta_vae", continuous=5, options={"beta": 10.0}, note="Lecture 18; Adam 1e-4 chosen here."
    ),
    "beta_vae/dsprites-m10": Recipe(
        "beta_vae", continuous=10, options={"beta": 4.0}, note="Lecture 18; Adam 1e-4 chosen here."
    ),
    "factor_vae/dsprites-m5": Recipe(
        "factor_vae",
        continuous=5,
        options={"gamma": 35.0},
        note="Lecture 18 gives no gamma; 35 is the paper's best on dSprites.",
    ),
    "factor_vae/dsprites-m10": Recipe(
        "factor_vae",
        continuous=10,
        options={"gamma": 35.0},
        note="Lecture 18 gives no gamma; 35 is the paper's best on dSprites.",
    ),
    "annealed_vae/dsprites-m10": Recipe(
        "annealed_vae",
        options={"gamma": 1000.0, "capacity": 25.0, "capacity_steps": 100_000},
        note="Capacity and weight of the paper; Adam 1e-4 and the batch of disentanglement_lib.",
    ),
    "target_rate_vae/dsprites-m10": Recipe(
        "target_rate_vae",
        options={"target_rate": 20.0, "weight": 100.0},
        note="The paper has no dSprites: target and weight chosen here.",
    ),
    "autoencoder/dsprites-m10": Recipe(
        "autoencoder", note="A baseline: all settings chosen here, those of the VAEs."
    ),
    "denoising_autoencoder/dsprites-m10": Recipe(
        "denoising_autoencoder",
        options={"level": 0.25},
        note="A baseline: masking noise, and the settings of the VAEs, chosen here.",
    ),
    "beta_tc_vae/dsprites-m10": Recipe(
        "beta_tc_vae",
        options={"beta": 6.0},
        note="beta of the authors' example; networks, Adam 1e-4 and batch of 64 as in "
        "disentanglement_lib (the authors: fully connected, Adam 1e-3, batch 2048, 50 epochs).",
    ),
    "dip_vae_i/dsprites-m10": Recipe(
        "dip_vae_i",
        options={"lambda_off_diagonal": 10.0, "lambda_diagonal": 100.0},
        note="The middle of disentanglement_lib's sweep, its Adam 1e-4 and batch.",
    ),
    "dip_vae_ii/dsprites-m10": Recipe(
        "dip_vae_ii",
        options={"lambda_off_diagonal": 10.0, "lambda_diagonal": 10.0},
        note="The middle of disentanglement_lib's sweep, its Adam 1e-4 and batch.",
    ),
    "info_vae/mnist": Recipe(
        "info_vae",
        data="tfds:mnist",
        data_options={"split": "train", "pad": 32},
        continuous=20,
        likelihood="gaussian",
        options={"alpha": 1.0, "lambda_mmd": 392.0},
        learning_rate=1e-3,
        steps=10_000,
        batch_size=200,
        report_every=500,
        note="The authors' demonstration of MMD-VAE: weight 1 beside the mean squared error of 784 "
        "pixels, which is half the summed one times 392. Its encoder is deterministic, its "
        "networks are smaller. Your own copy: --data arrays:mnist.npz --set data.pad=32.",
    ),
    "non_synergistic_vae/dsprites-m10": Recipe(
        "non_synergistic_vae",
        options={"alpha": 5.0, "omega": 0.9},
        note="alpha and omega of the authors' commands, which take 1.2 million steps and reuse the "
        "batch; 128 units before the latents there, 256 here.",
    ),
    "cascade_vae/dsprites-m6": Recipe(
        "cascade_vae",
        continuous=6,
        options={"beta_low": 1.0, "beta_high": 10.0},
        note="Lecture 18; beta_high, switch-on and balance from the authors' code.",
    ),
    "cascade_vae/dsprites-short": Recipe(
        "cascade_vae_spectral",
        continuous=6,
        options={
            "scout_classes": 12,
            "scout_steps": 7000,
            "lesson_steps": 16_000,
            "reference_rows": 5000,
            "neighbors": 10,
            "scout_beta_high": 30.0,
            "beta_low": 1.0,
            "beta_high": 4.0,
            "stage_steps": 1500,
            "switch_on": 3,
            "balance": 0.3,
        },
        learning_rate=1e-3,
        steps=28_000,
        batch_size=32,
        report_every=500,
        score_every=5000,
        final_rows=20_000,
        note="A short schedule chosen here, whose classes find the shape: docs/discrete.md.",
    ),
    "cascade_vae/dsprites-m4": Recipe(
        "cascade_vae",
        continuous=4,
        options={"beta_low": 2.0, "beta_high": 10.0},
        note="Lecture 18; beta_high, switch-on and balance from the authors' code.",
    ),
    "joint_vae/dsprites-m6": Recipe(
        "joint_vae",
        continuous=6,
        learning_rate=5e-4,
        note="The author's dSprites settings.",
    ),
    "joint_vae/dsprites-m4": Recipe(
        "joint_vae",
        continuous=4,
        learning_rate=5e-4,
        note="No settings are published for m = 4: those of m = 6.",
    ),
    "joint_vae/mnist": Recipe(
        "joint_vae",
        data="tfds:mnist",
        data_options={"split": "train", "resize": 32},
        continuous=10,
        discrete=(10,),
        options={
            "gamma": 30.0,
            "continuous_capacity": 5.0,
            "discrete_capacity": 5.0,
            "capacity_steps": 25_000,
        },
        learning_rate=5e-4,
        steps=93_700,
        note="The author's MNIST settings: 100 epochs of 937 steps, the digits resized to 32 x 32. "
        "Your own copy: --data arrays:mnist.npz.",
    ),
    "joint_vae_gmm/mnist": Recipe(
        "joint_vae_gmm",
        data="tfds:mnist",
        data_options={"split": "train", "resize": 32},
        continuous=10,
        discrete=(10,),
        options={
            "warmup_steps": 8000,
            "warmup_capacity": 12.0,
            "gamma": 30.0,
            "continuous_capacity": 5.0,
            "discrete_capacity": 5.0,
            "capacity_steps": 3000,
        },
        learning_rate=5e-4,
        steps=24_000,
        report_every=500,
        score_every=2000,
        note="Networks, loss and final capacities of joint_vae/mnist; the warm-up was chosen here. "
        "Your own copy: --data arrays:mnist.npz.",
    ),
    "info_gan/mnist": Recipe(
        "info_gan",
        data="tfds:mnist",
        data_options={"split": "train"},
        continuous=2,
        architecture="info_gan",
        learning_rate=1e-3,
        optimizer={"beta_1": 0.5},
        steps=5000,
        batch_size=128,
        report_every=100,
        score_every=500,
        note="The authors' MNIST settings, 50 epochs of 100 updates, but for the deviation of the "
        "continuous codes' posterior, which is learned and was 1. Not trained to its end here. "
        "Your own copy: --data arrays:mnist.npz.",
    ),
    "deep_vib/mnist": Recipe(
        "deep_vib",
        data="tfds:mnist",
        data_options={"split": "train"},
        continuous=256,
        options={"beta": 1e-3, "ema": 0.999},
        learning_rate=1e-4,
        decay_rate=0.97,
        decay_every=1200,
        optimizer={"beta_1": 0.5},
        steps=120_000,
        batch_size=100,
        report_every=600,
        note="The authors' demonstration: 200 epochs of 600 steps, the learning rate x 0.97 every "
        "2 epochs. Your own copy: --data arrays:mnist.npz.",
    ),
    "mine_ib/mnist": Recipe(
        "mine_ib",
        data="tfds:mnist",
        data_options={"split": "train"},
        continuous=256,
        options={"beta": 1e-3},
        learning_rate=1e-3,
        steps=11_700,
        batch_size=512,
        report_every=117,
        note="The paper names no settings: those of a public reimplementation, 100 epochs. Your "
        "own copy: --data arrays:mnist.npz.",
    ),
}


def get(name):
    """The recipe called `name`.

    Raises:
      ValueError: if there is none; lists the known ones.
    """
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}, expected one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
