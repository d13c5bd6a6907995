"""The battery itself: no trainer of images is left out."""

from tfdisent import trainers
from tfdisent.trainers import methods

from .conftest import ALL_CASES

# Bases, and trainers of critics, whose data are no images: tests/trainers has tests of their own.
_NOT_HERE = {"Trainer", "EncoderTrainer", "MutualInformationTrainer", "TotalCorrelationTrainer"}


def test_every_trainer_is_in_the_battery():
    public = {name for name in trainers.__all__ if name.endswith("Trainer")}
    of_methods = {method.trainer for method in methods.METHODS.values()}
    covered = {case.trainer_class.__name__ for case in ALL_CASES.values()}
    assert covered == (public | of_methods) - _NOT_HERE
