"""Players: what every trainer needs that has one or several sets of variables to train."""

import math

import keras
import numpy as np
import tensorflow as tf

from tfdisent.trainers.optimizers import AtTrainingStep


class Players:
    """Mixin for `keras.Model`: a clock, stateless seeds, one optimiser per player, metrics.

    A player is a set of variables with an optimiser of its own. Subclasses list their optimisers in
    `optimizer_names` (the first is called "optimizer"), return their variables from `players`, name
    their metrics in `metric_names`, and call `_set_up` once their networks exist.

    Attributes:
      step: int64 weight, the number of training steps taken: the only clock that schedules read.
      seed: all noise is a function of (seed, step).
      trackers: {metric name: running mean}.
    """

    metric_names = ("loss",)
    optimizer_names = ("optimizer",)
    # Steps after which the method does something outside the compiled step: executions of several
    # steps must not run across them.
    pauses = ()

    def _set_up(self, seed):
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
            raise ValueError(f"seed must be an integer in [0, 2**31), received {seed!r}.")
        self.seed = seed
        self.step = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="step"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.metric_names}
        self.built = True

    def _add_log_average(self):
        """A weight for the moving average of `objectives.mine_loss`, before any batch."""
        return self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(-math.inf),
            trainable=False,
            name="log_average",
        )

    def players(self):
        """{optimiser's attribute name: the variables that it trains}."""
        raise NotImplementedError(f"{type(self).__name__} implements players")

    def seeds(self, count):
        """`count` stateless seeds, int32 [2] each, which depend on (seed, step, replica) alone."""
        base = tf.stack([tf.constant(self.seed, tf.int32), tf.cast(self.step.value, tf.int32)])
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        base = tf.random.fold_in(base, replica, alg="philox")
        return tf.unstack(tf.random.split(base, count, alg="philox"))

    def minimize(self, loss, tape, optimizer, variables, fill_zeros=False):
        """One step of one player: gradients of `loss` to `variables`, and of nothing else.

        A variable that the loss does not depend on stays where it is, or with `fill_zeros` has a
        gradient of zero, with which momentum goes on moving it.
        """
        gradients = self.gradients(loss, tape, optimizer, variables)
        if fill_zeros:
            pairs = zip(gradients, variables, strict=True)
            gradients = [tf.zeros_like(v) if g is None else g for g, v in pairs]
        optimizer.apply(gradients, variables)

    def gradients(self, loss, tape, optimizer, variables):
        """Gradients as `optimizer.apply` takes them, scaled for replicas and mixed precision.

        The regularisers of the variables, such as a layer's `kernel_regularizer`, add theirs. They
        are part of no metric.
        """
        scale = tf.ones_like(loss) / tf.distribute.get_strategy().num_replicas_in_sync
        # Loss scaling (mixed_float16) enters through the gradient's seed, where it costs nothing.
        scale = optimizer.scale_loss(scale)
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        regularized = [i for i, v in enumerate(variables) if v.regularizer is not None]
        if not regularized:
            return gradients
        with tf.GradientTape() as tape:
            penalty = tf.add_n([variables[i].regularizer(variables[i]) for i in regularized])
        pulls = tape.gradient(
            penalty,
            [variables[i] for i in regularized],
            output_gradients=tf.cast(scale, penalty.dtype),
        )
        for i, pull in zip(regularized, pulls, strict=True):
            gradients[i] = pull if gradients[i] is None else gradients[i] + pull
        return gradients

    def require_one_replica(self):
        """For methods with a state that replicas would not share.

        Raises:
          ValueError: under a `tf.distribute.MirroredStrategy`.
        """
        if isinstance(self.distribute_strategy, tf.distribute.MirroredStrategy):
            raise ValueError(
                f"{type(self).__name__} trains on one replica, received a strategy with "
                f"{self.distribute_strategy.num_replicas_in_sync}."
            )

    def restart_optimizer(self, optimizer, when):
        """Sets an optimiser back to its first step if the boolean tensor `when` is true.

        Slots and the iteration counter take their initial values; a learning rate stays, a schedule
        of it begins anew unless it is an `AtTrainingStep`. Zeroing the slots alone would make the
        next steps of Adam two to three times too large.

        Raises:
          ValueError: under a `tf.distribute.MirroredStrategy`.
        """
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MirroredStrategy):
            raise ValueError(
                f"{type(self).__name__} restarts an optimiser, which MirroredStrategy does not let "
                "it do; CascadeVAE does without where fresh_optimizer=False."
            )

        def restart():
            for variable, value in self._initial_state[id(optimizer)]:
                variable.assign(tf.fill(variable.shape, tf.cast(value, variable.dtype)))
            return True

        tf.cond(when, restart, lambda: False)

    def update_metrics(self, batch_size=None, **terms):
        """Adds the terms of one batch to the trackers and returns what `fit` shows.

        Args:
          batch_size: what a scalar term counts as in the mean over batches, some of which may be
            smaller than others; by default the length of a term [B], or 1 if there is none.
          **terms: {name: scalar or [B]}.
        """
        terms = {name: tf.convert_to_tensor(terms[name]) for name in self.trackers}
        if batch_size is None:
            sizes = [tf.shape(term)[0] for term in terms.values() if term.shape.rank == 1]
            batch_size = sizes[0] if sizes else 1
        for name, tracker in self.trackers.items():
            is_scalar = terms[name].shape.rank == 0
            tracker.update_state(terms[name], sample_weight=batch_size if is_scalar else None)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self):
        # Keras owns a tracker called `loss`, which a custom step does not feed: ours only.
        return list(self.trackers.values())

    def _compile_with(self, optimizers, options):
        """Sets up every player's optimiser on that player's own variables.

        Built now, an optimiser has its slots before any checkpoint is loaded; otherwise Keras would
        skip them and training would go on with a cold Adam.
        """
        ignored = ("loss", "loss_weights", "metrics", "weighted_metrics")
        given = [name for name in ignored if options.get(name) is not None]
        if given:
            raise ValueError(
                f"expected no {', '.join(ignored)}: the objective of {type(self).__name__} is its "
                f"loss, and it reports its terms; received {', '.join(given)}."
            )
        super().compile(optimizer=optimizers["optimizer"], **options)
        for name, optimizer in optimizers.items():
            if name != "optimizer":
                setattr(self, name, self._scaled(keras.optimizers.get(optimizer)))
        self._initial_state = {}
        for name, variables in self.players().items():
            optimizer = getattr(self, name)
            schedule = getattr(_inner(optimizer), "_learning_rate", None)
            if isinstance(schedule, AtTrainingStep):
                schedule.step = self.step
            self._initial_state[id(optimizer)] = _build(optimizer, variables)
        self._compile_options = dict(options)

    def _scaled(self, optimizer):
        """The optimiser wrapped for loss scaling where Keras wraps its own."""
        needs_scaling = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if needs_scaling and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            return keras.optimizers.LossScaleOptimizer(optimizer)
        return optimizer

    def get_compile_config(self):
        serialize = keras.saving.serialize_keras_object
        optimizers = {name: serialize(getattr(self, name)) for name in self.optimizer_names}
        return {**optimizers, **self._compile_options}

    def compile_from_config(self, config):
        config = dict(config)
        for name in self.optimizer_names:
            config[name] = keras.saving.deserialize_keras_object(config[name])
        self.compile(**config)


def _inner(optimizer):
    """The optimiser itself, without the wrapper that scales losses."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _build(optimizer, trained):
    """Builds an optimiser; [(variable, its initial number)], but for the learning rate."""
    inner = fresh = _inner(optimizer)
    if inner.built:
        # It has trained before and no longer says how it began; a copy of it does.
        fresh = type(inner).from_config(inner.get_config())
        fresh.build(trained)
    optimizer.build(trained)
    # Zero in all Keras optimisers, but for accumulators that start at a constant (Adagrad).
    return [
        (variable, np.asarray(initial).reshape(-1)[0].item())
        for variable, initial in zip(inner.variables, fresh.variables, strict=True)
        if variable is not inner.learning_rate
    ]


def restored(value):
    """A value of a Keras configuration: the object that it describes, or itself."""
    is_object = isinstance(value, dict) and "class_name" in value
    return keras.saving.deserialize_keras_object(value) if is_object else value
