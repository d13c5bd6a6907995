"""Times of `balanced_assignment` and `linear_assignment` beside OR-tools, SciPy and training steps.

    python benchmarks/assignment.py [--ortools-python .bench/bin/python] [--repeat 5]

First table: one call from array to array, by batch size B and number of classes K, for costs like
those of training (weight 0.001) and for the worst case, in which each row prefers the same class
(weight 1). OR-tools' minimum-cost flow gets costs in steps of 1e-4, as in the code of the authors
of CascadeVAE, and its time includes building the model; SciPy solves the linear assignment on
expanded columns. `growth` is the time at the largest size over that at the smallest. The objective
is checked against both.

Second table: calls inside a `tf.function`, as a trainer makes them, at B = 64 and K = 3, and their
share of a CascadeVAE step. The step (encoder and decoder of `conv64`, m = 6, three decodings in one
pass, the assignment, gradients, Adam) trains on dSprites, and its own costs are what is solved.

Third table: `linear_assignment` from array to array on inner products of random unit vectors, as in
the first step of NAT, beside SciPy, whose total is checked.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

BATCH_SIZES, CLASSES = (64, 256, 1024), (3, 10, 25)
LINEAR_SIZES = (32, 64, 128, 256, 512, 1024)
BATCH_SIZE, NUM_CLASSES, CONTINUOUS, WEIGHT = 64, 3, 6, 0.001


def instances(batch_size, num_classes, seed=0):
    """Costs in nats and weight by name."""
    rng = np.random.default_rng(seed)
    shape = (batch_size, num_classes)
    level = rng.uniform(20, 400, (batch_size, 1))
    preferred = rng.uniform(size=shape)
    preferred[:, 0] = 0.0
    return {
        "training": (level + 10 ** rng.uniform(-2, np.log10(50), shape), WEIGHT),
        "worst": (preferred, 1.0),
    }


def objective(costs, weight, classes):
    """Costs plus weight for each pair of rows in a class."""
    counts = np.bincount(classes, minlength=costs.shape[1])
    used = np.take_along_axis(costs, np.asarray(classes)[:, None], axis=1)
    return used.sum() + weight * (counts * (counts - 1) / 2).sum()


def least_seconds(function, repeat):
    """Least time of a run, and what it returned; quick functions run more often."""
    begin = time.perf_counter()
    result = function()
    times = [time.perf_counter() - begin]
    for _ in range(repeat * int(np.clip(0.05 / times[0], 1, 20)) - 1):
        begin = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - begin)
    return min(times), result


def solve_by_expanded_columns(costs, weight):
    """Classes [B] by SciPy: column (k, w) is the w-th place in class k."""
    from scipy.optimize import linear_sum_assignment

    places = costs[:, :, None] + weight * np.arange(len(costs))
    return linear_sum_assignment(places.reshape(len(costs), -1))[1] // len(costs)


def solve_by_flow(costs, weight, steps_per_nat=10**4):
    """Classes [B] by OR-tools: row -> class -> sink, by B parallel arcs of growing cost."""
    from ortools.graph.python import min_cost_flow

    batch_size, num_classes = costs.shape
    rows, classes = np.arange(batch_size), batch_size + np.arange(num_classes)
    source, sink = batch_size + num_classes, batch_size + num_classes + 1
    tails = np.concatenate(
        [np.full(batch_size, source), rows.repeat(num_classes), classes.repeat(batch_size)]
    )
    heads = np.concatenate(
        [rows, np.tile(classes, batch_size), np.full(batch_size * num_classes, sink)]
    )
    places = np.tile(np.arange(batch_size) * int(steps_per_nat * weight), num_classes)
    prices = (steps_per_nat * costs).astype(np.int64).ravel()
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        tails, heads, np.ones_like(tails), np.concatenate([np.zeros_like(rows), prices, places])
    )
    flow.set_nodes_supplies(np.array([source, sink]), np.array([batch_size, -batch_size]))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise RuntimeError(f"the flow was not solved: {status}")
    taken = flow.flows(arcs)[batch_size : batch_size + costs.size].reshape(costs.shape)
    return taken.argmax(axis=1)


def flow_worker(path, repeat):
    """What the interpreter that has OR-tools runs: solves a file of instances, prints JSON."""
    with np.load(path) as file:
        problems = [(file[f"costs_{i}"], float(w)) for i, w in enumerate(file["weights"])]
    results = []
    for costs, weight in problems:
        seconds, classes = least_seconds(lambda c=costs, w=weight: solve_by_flow(c, w), repeat)
        results.append({"seconds": seconds, "objective": objective(costs, weight, classes)})
    print(json.dumps(results))


def time_flows(python, problems, repeat):
    """Runs `flow_worker` on the problems in the interpreter `python`."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "instances.npz")
        costs = {f"costs_{i}": costs for i, (costs, _) in enumerate(problems)}
        np.savez(path, weights=[weight for _, weight in problems], **costs)
        command = [python, __file__, "--flow-worker", str(path), "--repeat", str(repeat)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def compare_solvers(python, repeat, scipy_limit):
    """Prints the table over sizes."""
    from tfdisent.assignment import balanced_assignment

    table = Table("costs", "B", "K", "ours, ms", "OR-tools, ms", "SciPy, ms")
    for kind in ["training", "worst"]:
        sizes = [(b, k) for b in BATCH_SIZES for k in CLASSES]
        problems = [instances(*size)[kind] for size in sizes]
        flows = time_flows(python, problems, repeat) if python else [None] * len(sizes)
        times, seconds_per_step = [], 0.0
        for size, (costs, weight), flow in zip(sizes, problems, flows, strict=True):
            balanced_assignment(costs, weight)  # compiles
            seconds, one_hot = least_seconds(
                lambda c=costs, w=weight: balanced_assignment(c, w).numpy(), repeat
            )
            ours = objective(costs, weight, one_hot.argmax(axis=1))
            times.append((seconds, flow["seconds"] if flow else np.nan))
            # Rounding to steps moves the objective of the flow by up to 1e-4 a row.
            if flow and not 0 <= flow["objective"] - ours + 1e-9 * ours <= 1e-4 * size[0]:
                raise RuntimeError(f"{ours} against the flow's {flow['objective']} at {size}")
            # The time of SciPy grows at most like B^3 K: leave out what would take too long.
            expected = seconds_per_step * size[0] ** 3 * size[1]
            scipy_cell = f"about {expected:.0f} s"
            if expected < scipy_limit:
                scipy_seconds, classes = least_seconds(
                    lambda c=costs, w=weight: solve_by_expanded_columns(c, w), 1
                )
                seconds_per_step = scipy_seconds / (size[0] ** 3 * size[1])
                scipy_cell = f"{1e3 * scipy_seconds:.2f}"
                if abs(objective(costs, weight, classes) - ours) > 1e-9 * ours:
                    raise RuntimeError(f"{ours} is not SciPy's optimum at {size}")
            flow_cell = f"{1e3 * flow['seconds']:.2f}" if flow else "-"
            table.add_row(kind, *map(str, size), f"{1e3 * seconds:.2f}", flow_cell, scipy_cell)
        growth = np.divide(times[-1], times[0])
        table.add_row("growth", "", "", f"{growth[0]:.0f}", f"{growth[1]:.0f}", "")
        table.add_section()
    Console().print(table)


class CascadeStep:
    """A plain CascadeVAE step: first without the discrete code, then with it."""

    def __init__(self):
        import keras

        from tfdisent import networks

        self.encoder, self.decoder = networks.build(
            "conv64", (64, 64, 1), 2 * CONTINUOUS, CONTINUOUS + NUM_CLASSES, 1
        )
        self.variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        self.optimizer = keras.optimizers.Adam(3e-4)
        self.optimizer.build(self.variables)
        self.warm_up = tf.function(lambda x: self.step(x, discrete=False), autograph=False)
        self.train = tf.function(lambda x: self.step(x, discrete=True), autograph=False)

    def cross_entropy(self, x, z, code):
        """Summed over pixels, [B] nats."""
        logits = self.decoder(tf.concat([z, code], axis=1), training=True)
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        return tf.reduce_sum(loss, axis=[1, 2, 3])

    def step(self, x, discrete):
        """Updates the networks; returns the costs [B, K] of the classes."""
        from tfdisent.assignment import balanced_assignment

        noise = tf.random.normal([BATCH_SIZE, CONTINUOUS])
        costs = tf.zeros([BATCH_SIZE, NUM_CLASSES])
        code = tf.zeros([BATCH_SIZE, NUM_CLASSES])
        with tf.GradientTape() as tape:
            mean, raw = tf.split(self.encoder(x, training=True), 2, axis=1)
            std = tf.nn.softplus(raw) + 1e-8
            z = mean + std * noise
            if discrete:
                with tape.stop_recording():
                    each = tf.repeat(tf.eye(NUM_CLASSES), BATCH_SIZE, axis=0)
                    decodings = [
                        tf.tile(t, [NUM_CLASSES] + [1] * (t.shape.rank - 1)) for t in (x, z)
                    ]
                    costs = self.cross_entropy(*decodings, each)
                    costs = tf.transpose(tf.reshape(costs, [NUM_CLASSES, BATCH_SIZE]))
                    code = balanced_assignment(costs, WEIGHT)
            rate = tf.reduce_sum(0.5 * (mean**2 + std**2 - 1) - tf.math.log(std), axis=1)
            loss = tf.reduce_mean(self.cross_entropy(x, z, code) + rate)
        self.optimizer.apply(tape.gradient(loss, self.variables), self.variables)
        return costs


def seconds_per_call(costs, weight, repeat):
    """Mean time of a call in one graph that solves costs [N, B, K] one after the other."""
    from tfdisent.assignment import balanced_assignment

    count = len(costs)

    @tf.function(autograph=False)
    def solve_all(costs):
        return tf.while_loop(
            lambda i, _: i < count,
            lambda i, total: (i + 1, total + balanced_assignment(costs[i], weight)),
            (0, tf.zeros_like(costs[0])),
            parallel_iterations=1,
        )[1]

    costs = tf.constant(costs, tf.float32)
    solve_all(costs).numpy()
    return least_seconds(lambda: solve_all(costs).numpy(), repeat)[0] / count


def share_of_step(num_steps, repeat):
    """Prints the table of calls inside a graph."""
    from tfdisent import data

    batches = iter(data.load("dsprites").train(BATCH_SIZE))
    model = CascadeStep()
    for _ in range(num_steps):
        model.warm_up(next(batches))
    recorded, times = [], []
    for _ in range(num_steps):
        x = next(batches)
        begin = time.perf_counter()
        recorded.append(model.train(x).numpy())
        times.append(time.perf_counter() - begin)
    step = float(np.median(times))

    half = num_steps // 2
    worst = [instances(BATCH_SIZE, NUM_CLASSES, seed)["worst"][0] for seed in range(20)]
    table = Table("costs", "range between classes, nats", "call, ms", "share of a step")
    for name, costs, weight in [
        (f"steps 1-{half} after the switch-on", recorded[:half], WEIGHT),
        (f"steps {half + 1}-{num_steps}", recorded[half:], WEIGHT),
        ("all classes cost the same", [np.ones((BATCH_SIZE, NUM_CLASSES))] * 20, WEIGHT),
        ("every row prefers one class, weight 1", worst, 1.0),
    ]:
        seconds = seconds_per_call(np.stack(costs), weight, repeat)
        low, high = np.quantile(np.ptp(costs, axis=2), [0.05, 0.95])
        table.add_row(
            name, f"{low:.3f} - {high:.3f}", f"{1e3 * seconds:.3f}", f"{seconds / step:.2%}"
        )
    Console().print(f"A step of {BATCH_SIZE} rows takes {1e3 * step:.1f} ms (median)", table)


def compare_linear_solvers(repeat):
    """Prints the table of one column for each row."""
    from scipy.optimize import linear_sum_assignment

    from tfdisent.assignment import linear_assignment

    table = Table("B", "ours, ms", "SciPy, ms", title="one column for each row")
    for size in LINEAR_SIZES:
        vectors = np.random.default_rng(0).normal(size=(2, size, 64))
        features, targets = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        costs = -features @ targets.T
        linear_assignment(costs)  # compiles
        ours, columns = least_seconds(lambda c=costs: linear_assignment(c).numpy(), repeat)
        scipy, (rows, expected) = least_seconds(lambda c=costs: linear_sum_assignment(c), repeat)
        if abs(costs[rows, columns].sum() - costs[rows, expected].sum()) > 1e-9 * size:
            raise RuntimeError(f"not SciPy's optimum at {size}")
        table.add_row(str(size), f"{1e3 * ours:.2f}", f"{1e3 * scipy:.2f}")
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ortools-python", metavar="PATH", help="interpreter that has OR-tools")
    parser.add_argument("--repeat", type=int, default=5, help="runs of which the least counts")
    parser.add_argument("--steps", type=int, default=200, help="training steps before and after")
    parser.add_argument("--scipy-limit", type=float, default=30.0, help="seconds, else left out")
    parser.add_argument("--flow-worker", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.flow_worker:
        flow_worker(arguments.flow_worker, arguments.repeat)
        sys.exit()

    from rich.console import Console
    from rich.table import Table

    from tfdisent.quiet import import_tensorflow

    tf = import_tensorflow()
    here = sys.executable if importlib.util.find_spec("ortools") else None
    compare_solvers(arguments.ortools_python or here, arguments.repeat, arguments.scipy_limit)
    share_of_step(arguments.steps, arguments.repeat)
    compare_linear_solvers(arguments.repeat)
