"""Two replicas under a strategy: in a process of its own, which alone can split the CPU in two."""

import json
import subprocess
import sys

_SCRIPT = """
import json, sys
import numpy as np
import tensorflow as tf

cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from tfdisent import VAE, Categorical, Gaussian, Latents, VAETrainer, data
from tfdisent import CascadeVAECTrainer, JointVAEGMMTrainer, NATTrainer
import keras

images = np.random.default_rng(0).random((32, 8, 8, 1), np.float32)
batches = data.from_arrays(images).train(8)
found = {}
with strategy.scope():
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4)
    trainer = VAETrainer(vae)
    trainer.compile()
trainer.fit(images, batch_size=8, verbose=0)
trainer.fit(batches, steps_per_epoch=2, verbose=0)
found["step"] = int(trainer.step.numpy())

noise = strategy.run(tf.function(lambda: tf.random.stateless_normal([3], trainer.seeds(1)[0])))
found["noise"] = [values.numpy().tolist() for values in strategy.experimental_local_results(noise)]

def refused(trainer_class, *groups, **options):
    with strategy.scope():
        vae = VAE.build_for((8, 8, 1), Latents(*groups), architecture="mlp", hidden=4)
        trainer = trainer_class(vae, **options)
        trainer.compile()
    try:
        trainer.fit(images, batch_size=8, verbose=0)
    except ValueError as error:
        return str(error)

found["mixture"] = refused(JointVAEGMMTrainer, Gaussian(2), Categorical(3))
found["restarts"] = refused(CascadeVAECTrainer, Gaussian(2))

with strategy.scope():
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    encoder = keras.Sequential(layers)
    trainer = NATTrainer(encoder, 32)
    trainer.compile()
try:
    trainer.fit(images, batch_size=8, verbose=0)
except ValueError as error:
    found["targets"] = str(error)
found["goes on"] = refused(CascadeVAECTrainer, Gaussian(2), fresh_optimizer=False)
print(json.dumps(found))
"""


def test_two_replicas_train_with_noise_of_their_own():
    ran = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["step"] == 4 + 2
    assert found["noise"][0] != found["noise"][1]
    assert "one replica, received a strategy with 2" in found["mixture"]
    assert "one replica, received a strategy with 2" in found["targets"]
    assert "restarts an optimiser, which MirroredStrategy does not let it" in found["restarts"]
    assert found["goes on"] is None
