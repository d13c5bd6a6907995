"""Callbacks that follow the trainer's own step."""

import keras


class AfterBatches(keras.callbacks.Callback):
    """Calls `after(step)` whenever a batch, or an execution of several steps, returns to Python."""

    def after(self, step):
        """What is done when `self.model` has taken `step` steps."""
        raise NotImplementedError(f"{type(self).__name__} implements after")

    def on_epoch_begin(self, epoch, logs=None):
        # Read once an epoch: reading the weight at every step would wait for a GPU.
        self._first_step = int(self.model.step.numpy())

    def on_train_batch_end(self, batch, logs=None):
        self.after(self._first_step + batch + 1)


class EverySteps(AfterBatches):
    """Calls `act(step)` whenever the trainer's step has passed a multiple of `steps`.

    The trainer's own step counts, so that a resumed training acts where an uninterrupted one would.
    Steps that run together (`steps_per_execution`) act once.

    Args:
      steps: positive integer.

    Raises:
      ValueError: if `steps` is no positive integer.
    """

    def __init__(self, steps):
        super().__init__()
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps must be a positive integer, received {steps!r}.")
        self.steps = steps

    def act(self, step):
        """What is done after `step` steps of `self.model`."""
        raise NotImplementedError(f"{type(self).__name__} implements act")

    def on_train_begin(self, logs=None):
        self._last_step = int(self.model.step.numpy())

    def after(self, step):
        if step // self.steps > self._last_step // self.steps:
            self._last_step = step
            self.act(int(self.model.step.numpy()))
