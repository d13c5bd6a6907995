"""The export of every trainer's model, loaded where nothing of this library is."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tfdisent import export

_SERVER = """
import json, sys
import numpy as np, tensorflow as tf
for line in sys.stdin:
    path, images, signature, output = json.loads(line)
    model = tf.saved_model.load(path)
    values = model.signatures[signature](image=tf.constant(np.load(images)))[output]
    assert "tfdisent" not in sys.modules
    print(json.dumps(values.numpy().tolist()), flush=True)
"""


@pytest.fixture(scope="module")
def fresh_process():
    """`fresh_process(path, images, signature, output)`: what a process without us computes.

    One process loads the exports of all trainers, one after another.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(*request):
            print(json.dumps([str(part) for part in request]), file=process.stdin, flush=True)
            return np.array(json.loads(process.stdout.readline()))

        yield ask
        process.stdin.close()


def test_export_reloads_in_a_fresh_process(vae_case, batches, images, tmp_path, fresh_process):
    trainer = vae_case.compiled(run_eagerly=True)
    trainer.fit(batches, steps_per_epoch=2, verbose=0)
    path = export.save(trainer.vae, tmp_path / "exports")
    np.save(tmp_path / "images.npy", images[:2])
    takes_labels = vae_case.trainer_class.takes_labels
    names = ("classify", "probabilities") if takes_labels else ("reconstruct", "image")
    served = fresh_process(path, tmp_path / "images.npy", *names)
    np.testing.assert_allclose(served, trainer.vae.reconstruct(images[:2]), atol=1e-6)
