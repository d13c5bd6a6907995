"""The protocol presets: one table of the parameters that published scores were computed with.

The FactorVAE score alone exists in four variants that share a name, so the preset is part of every
`Score`. A score bears a preset's name only if all its parameters are the preset's; otherwise its
protocol says in words what was done.

| | jeong2019 | locatello2019 | kim2018 | lecture |
|---|---|---|---|---|
| rows per vote | 100 | 64 | 200 | 1000 |
| votes | 800 | 10,000 + 5,000 | 800 | 800 |
| factor of a vote | equal number each | uniform | uniform | equal number each |
| fixed value, uniform over | its values | the rows | its values | its values |
| variance divided by | global + 1e-10 | global | global | nothing |
| kept units | mean KL > 0.1 nat | std >= 0.05 | mean KL >= 0.01 nat | all |
| none kept | 1 / K | 0 | 1 / K | - |

A discrete group has no KL and is kept wherever units are kept by KL. `locatello2019` also sets the
sampling of the other scores: 20 bins, 10,000 rows drawn with replacement, or 10,000 to train and
5,000 to test where a predictor is fitted. Made for samplers of new rows, it draws the two
independently, so that with fewer than 95,000 rows more than a tenth of the test rows are training
rows too; the scores then warn. The other presets say nothing about other scores;
`evaluate` then uses all rows, and the scores say so.

References:
    jeong2019: Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
        Disentanglement, 2019, arXiv:1905.09432 (values from the authors' released code).
    locatello2019: Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, arXiv:1811.12359 (values from the released study).
    kim2018: Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, section 4 (rows per
        vote, votes and pruning are our reading of it).
    lecture: the raw-variance description of the score in Seoul National University's course
        Introduction to Deep Learning, lecture 18, 2020; votes and factor choice are our reading.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class FactorVAEProtocol:
    """Parameters of the FactorVAE score.

    Attributes:
        batch_size: rows per vote.
        num_train: votes that fit the majority classifier.
        num_eval: fresh votes that score it; 0 scores it on the votes that fitted it.
        equal_per_factor: the same number of votes for each factor, else factors drawn uniformly.
        uniform_value: the fixed value is uniform over values, else that of a uniformly drawn row.
        normalize: variances are divided by those over all rows.
        epsilon: added to the global variance before dividing.
        min_std: keep columns whose standard deviation is at least this.
        min_kl: keep continuous columns whose mean KL is above this (nats).
        kl_required: False: without `kl_per_dim`, columns that do not vary are dropped instead.
        none_active: score if no column is kept; None stands for 1 / K.
    """

    batch_size: int
    num_train: int
    num_eval: int = 0
    equal_per_factor: bool = False
    uniform_value: bool = True
    normalize: bool = True
    epsilon: float = 0.0
    min_std: float | None = None
    min_kl: float | None = None
    kl_required: bool = False
    none_active: float | None = None


@dataclasses.dataclass(frozen=True)
class Sampling:
    """Rows of every other score.

    Attributes:
        num_train: rows drawn with replacement to compute a score, or to fit its predictor.
        num_test: rows drawn with replacement to test the predictor.
        bins: equal-width bins of a continuous column.
    """

    num_train: int
    num_test: int
    bins: int


FACTOR_VAE = {
    "jeong2019": FactorVAEProtocol(
        batch_size=100,
        num_train=800,
        equal_per_factor=True,
        epsilon=1e-10,
        min_kl=0.1,
        kl_required=True,
    ),
    "locatello2019": FactorVAEProtocol(
        batch_size=64,
        num_train=10_000,
        num_eval=5_000,
        uniform_value=False,
        min_std=0.05,
        none_active=0.0,
    ),
    "kim2018": FactorVAEProtocol(batch_size=200, num_train=800, min_kl=0.01),
    "lecture": FactorVAEProtocol(
        batch_size=1000, num_train=800, equal_per_factor=True, normalize=False
    ),
}

SAMPLING = {"locatello2019": Sampling(num_train=10_000, num_test=5_000, bins=20)}

PRESETS = tuple(FACTOR_VAE)


def check_preset(protocol, allowed=PRESETS):
    """Raises ValueError unless `protocol` is one of the preset names `allowed`."""
    if protocol not in allowed:
        names = ", ".join(repr(name) for name in allowed)
        raise ValueError(f"protocol must be one of {names}, received {protocol!r}.")
