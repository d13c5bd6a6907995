"""The scores of an encoded data set: those against its factors, and against its labels."""

import numpy as np

from tfdisent import metrics
from tfdisent.evaluation.encode import discrete_groups

_CLASS_ACCURACY = "class_accuracy"


def score_encoding(dataset, encoding, names="all", protocol="jeong2019", seed=0):
    """Scores codes against whatever the data set knows of its images.

    Scores of `metrics.evaluate` need factors. `class_accuracy` needs labels and a discrete group
    among the codes; of several groups each is scored, in order, under `class_accuracy_<i>`. A
    discrete column that is an integer label is taken as it is. Rows labelled -1 have no label and
    are left out.

    Args:
        dataset: `tfdisent.data.Dataset`.
        encoding: `Encoding` of its rows.
        names: "all", or several of `metrics.METRICS` and "class_accuracy"; those that the data set
            cannot answer are left out.
        protocol: preset of the scores against factors.
        seed: of the scores' own draws.

    Returns:
        Dict from name to `Score`; empty if nothing can be scored.

    Raises:
        ValueError: if a name or the protocol is unknown.
    """
    everything = names == "all"
    against_factors = "all" if everything else [n for n in names if n != _CLASS_ACCURACY]
    scores = {}
    if dataset.factors is not None and against_factors:
        scores = metrics.evaluate(
            np.asarray(dataset.factors)[encoding.rows],
            encoding.codes,
            metrics=against_factors,
            protocol=protocol,
            seed=seed,
            kl_per_dim=encoding.kl_per_dim,
            discrete_columns=encoding.discrete_columns,
        )
    if (everything or _CLASS_ACCURACY in names) and can_classify(
        dataset, encoding.discrete_columns
    ):
        scores.update(_class_accuracies(dataset.labels[encoding.rows], encoding))
    return scores


def can_classify(dataset, discrete_columns):
    """Whether a discrete code can be compared with the labels of a data set."""
    labels = dataset.labels
    return labels is not None and np.any(labels >= 0) and len(discrete_columns) > 0


def _class_accuracies(labels, encoding):
    labelled = labels >= 0
    if not labelled.any():
        return {}
    scores = {}
    for suffix, group in discrete_groups(encoding):
        group = np.rint(group[:, 0]).astype(int) if group.shape[1] == 1 else group
        score = metrics.class_accuracy(labels[labelled], group[labelled])
        scores[_CLASS_ACCURACY + suffix] = score
    return scores
