"""Which of 25 modes a generator reaches, with and without a reward for information: a table.

    python benchmarks/gan_mine.py [--steps 10000] [--seeds 0 1 2] [--figure docs/figures/modes.png]

The plain adversarial game and GAN+MINE, from the same initial weights, on `synthetic:25gaussians`:
z has two uniform codes and two of noise, G and D three layers of 400 units, T two, batches of 256,
Adam(1e-4, 0.5). 2,500 samples are scored by `metrics.mode_coverage`; the information is MINE's
estimate of I(G(z); c) from fresh samples, by a critic trained anew.
"""

import argparse
import pathlib

import numpy as np

from tfdisent.quiet import import_tensorflow

tf = import_tensorflow()

import keras  # noqa: E402

from tfdisent import (  # noqa: E402
    FusedAdam,
    GANMINETrainer,
    Latents,
    Uniform,
    data,
    estimate_mutual_information,
    metrics,
    networks,
    visualize,
)

NAMES = {0.0: "GAN", 1.0: "GAN+MINE"}
LATENTS = Latents(Uniform(2), Uniform(2, "noise", inference=None))
SAMPLES = 2500


def train(points, weight, steps, seed):
    """The trainer, its 2,500 samples [N, 2] and their score."""
    keras.utils.set_random_seed(seed)
    trainer = GANMINETrainer(
        networks.dense_generator(LATENTS.size, points.image_shape),
        LATENTS,
        information_weight=weight,
        value_range=None,
        seed=seed,
    )
    trainer.compile(FusedAdam(1e-4, beta_1=0.5))
    trainer.fit(points.train(256, seed=seed), steps_per_epoch=steps, verbose=0)
    generated, _, _ = trainer.generate(SAMPLES, tf.constant([seed, 1]), training=False)
    samples = tf.reshape(generated, [-1, 2]).numpy()
    return (
        trainer,
        samples,
        metrics.mode_coverage(samples, points.centres, points.standard_deviation),
    )


def information(trainer):
    """I(G(z); c), nats."""

    def draw(count, seed):
        generated, code, _ = trainer.generate(count, seed, training=False)
        return tf.reshape(generated, [-1, 2]), code

    return estimate_mutual_information(draw, method="mine", steps=2000).value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--figure", type=pathlib.Path, help="of the first seed's samples")
    options = parser.parse_args()

    points = data.load("synthetic:25gaussians")
    real = points.images(np.arange(SAMPLES)).reshape(-1, 2)
    panels = {
        "data": (real, metrics.mode_coverage(real, points.centres, points.standard_deviation))
    }
    print("| seed | | modes of 25 | high quality | KL to uniform, nats | I(G(z); c), nats |")
    print("|---|---|---|---|---|---|")
    for seed in options.seeds:
        for weight, name in NAMES.items():
            trainer, samples, score = train(points, weight, options.steps, seed)
            panels.setdefault(name, (samples, score))
            print(
                f"| {seed} | {name} | {score:.0f} | {score.details['high_quality']:.2f} | "
                f"{score.details['kl_to_uniform']:.2f} | {information(trainer):.2f} |",
                flush=True,
            )
    if options.figure:
        visualize.save_mode_samples(
            options.figure,
            {name: samples for name, (samples, _) in panels.items()},
            points.centres,
            {name: score.details["counts"] > 0 for name, (_, score) in panels.items()},
        )


if __name__ == "__main__":
    main()
