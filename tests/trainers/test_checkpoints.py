import os

import numpy as np
import pytest

from tfdisent import VAE, Gaussian, Latents
from tfdisent.trainers import VAETrainer
from tfdisent.trainers.checkpoints import Checkpoints


def _trainer(size=2):
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(size)), architecture="mlp", hidden=4)
    trainer = VAETrainer(vae)
    trainer.compile()
    return trainer


@pytest.fixture
def folder(tmp_path):
    """Checkpoints of steps 1 and 2, which have 1 and 2 as their weights."""
    trainer = _trainer()
    checkpoints = Checkpoints(trainer, tmp_path)
    for step in (1, 2):
        trainer.step.assign(step)
        trainer.vae.set_weights([np.full(w.shape, step) for w in trainer.vae.get_weights()])
        checkpoints.save()
    return tmp_path


def _cut(path):
    os.truncate(path, os.path.getsize(path) // 2)


@pytest.mark.parametrize("damage", [_cut, lambda path: os.truncate(path, 0), os.remove])
@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(folder, part, damage):
    damage(folder / f"step-2.{part}")
    trainer = _trainer()
    with pytest.warns(UserWarning, match=r"going on from .*step-1: cannot read .*step-2"):
        assert Checkpoints(trainer, folder).restore() == 1
    assert all((weight == 1).all() for weight in trainer.vae.get_weights())


def test_a_checkpoint_that_replaces_a_damaged_one_is_the_newest(folder):
    _cut(folder / "step-2.data-00000-of-00001")
    trainer = _trainer()
    checkpoints = Checkpoints(trainer, folder)
    with pytest.warns(UserWarning, match="cannot read"):
        checkpoints.restore()
    trainer.step.assign(2)
    checkpoints.save()
    assert Checkpoints(_trainer(), folder).restore() == 2


def test_nothing_readable_is_an_error(folder):
    for step in (1, 2):
        _cut(folder / f"step-{step}.data-00000-of-00001")
    with pytest.raises(ValueError, match=r"cannot read the checkpoints .*step-2 .*step-1"):
        Checkpoints(_trainer(), folder).restore()


@pytest.mark.parametrize("content", [None, "", "model_checkpoint_pat"])
def test_checkpoints_are_found_without_the_list_of_them(folder, content):
    (folder / "checkpoint").unlink()
    if content is not None:
        (folder / "checkpoint").write_text(content)
    trainer = _trainer()
    checkpoints = Checkpoints(trainer, folder)
    assert checkpoints.restore() == 2
    trainer.step.assign(3)
    checkpoints.save()
    assert Checkpoints(_trainer(), folder).restore() == 3


def test_another_trainer_is_refused_not_passed_over(folder):
    with pytest.raises(ValueError, match=r"step-2 is not of this trainer"):
        Checkpoints(_trainer(size=3), folder).restore()
