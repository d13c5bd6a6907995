import numpy as np
import pytest

from tfdisent import data, metrics
from tfdisent.evaluation import Encoding, can_classify, score_encoding

ROWS = np.array([3, 0, 5, 8, 9, 11, 1])


def dataset(factor_names=("shape", "size"), labels=None):
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(12, 4, 4, 1)).astype(np.float32)
    factors = None
    if factor_names:
        factors = np.stack([np.arange(12) % 3, np.arange(12) % 2], axis=1)
    return data.from_arrays(images, factors, labels, factor_names)


def encoding(*groups, rows=ROWS):
    """Two continuous columns, then the given class probabilities."""
    codes = np.random.default_rng(1).normal(size=(len(rows), 2)).astype(np.float32)
    columns, start = [], 2
    for group in groups:
        columns.append(tuple(range(start, start + group.shape[1])))
        start += group.shape[1]
        codes = np.concatenate([codes, group], axis=1)
    return Encoding(codes, np.array([0.5, 0.2]), tuple(columns), np.ones((len(rows), 2)), rows)


def one_hot(classes, size):
    return np.eye(size, dtype=np.float32)[classes]


def test_scores_against_factors_are_those_of_evaluate():
    found = score_encoding(dataset(), encoding(), ("mig", "factor_vae_score"), "jeong2019", seed=4)
    expected = metrics.evaluate(
        dataset().factors[ROWS],
        encoding().codes,
        ("mig", "factor_vae_score"),
        protocol="jeong2019",
        seed=4,
        kl_per_dim=[0.5, 0.2],
    )
    assert found == expected
    assert list(found) == ["mig", "factor_vae_score"]


def test_class_accuracy_compares_a_discrete_group_with_the_shape_of_the_encoded_rows():
    shape = ROWS % 3
    wrong_twice = np.array([2, 1, 0])[shape]  # renamed classes cost nothing
    wrong_twice[:2] = (wrong_twice[:2] + 1) % 3
    scores = score_encoding(dataset(), encoding(one_hot(wrong_twice, 3)), ("class_accuracy",))
    assert scores["class_accuracy"].value == 5 / 7
    assert scores["class_accuracy"].protocol == "matching"


def test_given_labels_come_before_the_factor_called_shape():
    labels = np.arange(12) // 6
    found = score_encoding(
        dataset(labels=labels), encoding(one_hot(labels[ROWS], 2)), ("class_accuracy",)
    )
    assert found["class_accuracy"].value == 1


def test_several_discrete_groups_are_scored_apart():
    shape = ROWS % 3
    codes = encoding(one_hot(np.zeros(7, int), 2), one_hot(shape, 3))
    scores = score_encoding(dataset(), codes, ("class_accuracy",))
    assert list(scores) == ["class_accuracy_0", "class_accuracy_1"]
    assert scores["class_accuracy_0"].value == np.bincount(shape).max() / 7
    assert scores["class_accuracy_1"].value == 1


def test_a_column_of_integer_labels_is_taken_as_it_is():
    codes = encoding((2.0 - ROWS % 3)[:, None].astype(np.float32))
    assert score_encoding(dataset(), codes, ("class_accuracy",))["class_accuracy"].value == 1


def test_rows_without_a_label_are_left_out():
    labels = np.where(np.arange(12) < 5, -1, np.arange(12) % 2)
    codes = encoding(one_hot(ROWS % 2, 2))
    score = score_encoding(dataset(None, labels), codes, "all")["class_accuracy"]
    assert score.value == 1 and score.details["num_rows"] == np.sum(ROWS >= 5)
    nowhere = dataset(None, np.full(12, -1))
    assert score_encoding(nowhere, codes, "all") == {}
    assert not can_classify(nowhere, codes.discrete_columns)


def test_labels_without_factors_leave_class_accuracy_alone():
    labelled = dataset(None, labels=np.arange(12) % 4)
    scores = score_encoding(labelled, encoding(one_hot(ROWS % 4, 4)), "all")
    assert list(scores) == ["class_accuracy"]


@pytest.mark.parametrize(
    ("names", "labels", "groups"),
    [((), np.arange(12), ()), (None, None, (one_hot(ROWS % 3, 3),))],
)
def test_nothing_is_scored_where_nothing_can_be_compared(names, labels, groups):
    codes = encoding(*groups)
    assert score_encoding(dataset(None, labels), codes, "all") == {}
    assert not can_classify(dataset(None, labels), codes.discrete_columns)


def test_all_scores_hold_everything_that_can_be_answered():
    # Enough rows for the predictors among the scores.
    rows = np.arange(12)
    scores = score_encoding(dataset(), encoding(one_hot(rows % 3, 3), rows=rows), "all")
    assert set(scores) == {*metrics.METRICS, "class_accuracy"} - {"dci_fast"}


def test_an_unknown_score_is_named():
    with pytest.raises(ValueError, match="received 'mug'"):
        score_encoding(dataset(), encoding(), ("mug",))
