"""Initial weights that depend on a seed, whatever the caller has drawn before."""

import contextlib
import random

import numpy as np


@contextlib.contextmanager
def initial_weights_from(seed):
    """Keras layers that are built within it start from weights of `seed`.

    Keras draws the seeds of its initialisers from Python's `random`. The states of that and of
    NumPy are the caller's own again afterwards: whoever trains in a loop draws new data each time.

    Args:
      seed: integer in [0, 2**32).
    """
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
