"""Training itself, of every trainer: modes, metrics, noise, players, precision."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

MODES = {
    "eager": {"run_eagerly": True},
    "graph": {},
    "several_steps": {"steps_per_execution": 2},
    "xla": {"jit_compile": True},
}


@dataclasses.dataclass(frozen=True)
class Trained:
    """What four steps in two epochs did to a trainer.

    Attributes:
      trainer: as it is afterwards.
      before: {player: values of its variables before}.
      history: {metric: its values}.
      traces: how often `train_step` was called by Python.
    """

    trainer: keras.Model
    before: dict
    history: dict
    traces: int


def _train(case, batches, mode):
    trainer = case.compiled(**MODES[mode])
    before = {name: _values(get(trainer)) for name, get in case.players.items()}
    traces = []
    train_step = trainer.train_step
    trainer.train_step = lambda data: traces.append(1) or train_step(data)
    history = trainer.fit(batches, steps_per_epoch=2, epochs=2, verbose=0).history
    return Trained(trainer, before, history, len(traces))


@pytest.fixture(scope="module")
def trained_before():
    return {}


@pytest.fixture
def trained(case, batches, trained_before):
    """`trained(mode)`: the case after four steps in a mode, trained once for all tests."""

    def get(mode):
        key = (id(case), mode)
        if key not in trained_before:
            trained_before[key] = _train(case, batches, mode)
        return trained_before[key]

    return get


def _values(variables):
    return [np.asarray(variable.value) for variable in variables]


def _equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("mode", [*list(MODES)[:3], pytest.param("xla", marks=pytest.mark.xla)])
def test_trains_in_every_mode(case, trained, mode):
    done = trained(mode)
    assert int(done.trainer.step) == 4
    assert all(np.isfinite(values).all() for values in done.history.values())
    for name, get in case.players.items():
        after = _values(get(done.trainer))
        moved = [not np.array_equal(a, b) for a, b in zip(done.before[name], after, strict=True)]
        assert all(moved), f"{name} left variables of its player where they were in mode {mode}"


def test_modes_agree(trained):
    # Graph and eager execution add in another order, XLA draws other noise: only the first two.
    weights = {
        mode: _values(trained(mode).trainer.trainable_variables)
        for mode in ("eager", "graph", "several_steps")
    }
    assert _equal(weights["graph"], weights["several_steps"])
    for eager, graph in zip(weights["eager"], weights["graph"], strict=True):
        np.testing.assert_allclose(eager, graph, atol=1e-5)


def test_metric_names_are_the_documented_ones(case, batches, trained):
    done = trained("graph")
    assert case.trainer_class.metric_names == case.metric_names
    assert set(done.history) == set(case.metric_names)
    evaluated = done.trainer.evaluate(batches, steps=2, verbose=0, return_dict=True)
    assert set(evaluated) == set(done.history)


def test_is_traced_once_over_the_whole_training(trained):
    assert trained("graph").traces == 1


def test_noise_depends_on_seed_and_step_alone(case, batches, trained):
    # Eagerly: there the global generator's state would show. Graphs agree with it, see above.
    first = trained("eager").trainer
    tf.random.normal([7])  # a stateful draw in between changes nothing
    np.random.default_rng(5).normal(size=3)
    second = case.compiled(run_eagerly=True)
    second.fit(batches, steps_per_epoch=4, verbose=0)
    assert _equal(_values(first.trainable_variables), _values(second.trainable_variables))


@pytest.mark.long
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(case, batches, policy):
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        trainer = case.compiled()
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    for name in case.players:
        is_scaled = isinstance(getattr(trainer, name), keras.optimizers.LossScaleOptimizer)
        assert is_scaled == (policy == "mixed_float16")
    before = _values(trainer.trainable_variables)
    # The first steps of a player find its loss scale; one may wait for a pause.
    steps = 4 + max(trainer.pauses, default=0)
    history = trainer.fit(batches, steps_per_epoch=steps, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert not _equal(before, _values(trainer.trainable_variables))


def test_each_player_minimises_only_its_own_variables(case, batches):
    # A learning rate of zero for all players but one: only that one's variables may move.
    for player in case.players:
        rates = {name: 1e-3 if name == player else 0.0 for name in case.players}
        optimizers = {name: keras.optimizers.Adam(rate) for name, rate in rates.items()}
        trainer = case.compiled(**optimizers, run_eagerly=True)
        # A variable may belong to two players, as an adversarial autoencoder's encoder does.
        variables = {id(v): v for get in case.players.values() for v in get(trainer)}
        own = {id(variable) for variable in case.players[player](trainer)}
        before = dict(zip(variables, _values(variables.values()), strict=True))
        # A player may wait for the part of the method that begins after a pause.
        trainer.fit(batches, steps_per_epoch=2 + max(trainer.pauses, default=0), verbose=0)
        moved = {
            key
            for key, variable in variables.items()
            if not np.array_equal(before[key], np.asarray(variable.value))
        }
        assert moved and moved <= own


def test_optimisers_hold_slots_of_their_own_player_alone(case, untrained):
    for name, get in case.players.items():
        shapes = sorted(tuple(variable.shape) for variable in get(untrained))
        slots = [v for v in getattr(untrained, name).variables if tuple(v.shape) != ()]
        vectors = sorted(tuple(slot.shape) for slot in slots)
        assert vectors == sorted(shapes * 2)  # two moments each
