"""Rate and distortion of a finite latent-variable model: H - D <= I(X; Z) <= R."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from tfdisent.information.entropy import table_entropy
from tfdisent.information.mutual_information import table_mutual_information
from tfdisent.information.tables import check_base, check_channel, check_table, clip_negative


class VariationalBounds(NamedTuple):
    """Exact sums over a finite model, in units of the base asked for."""

    entropy: float  # H(X)
    distortion: float  # D = E[-log d(x | z)]
    rate: float  # R = E KL(e(z | x) || m(z))
    information: float  # I(X; Z) under the encoder; H - D <= I <= R

    @property
    def negative_elbo(self) -> float:
        """D + R >= H."""
        return self.distortion + self.rate


def variational_bounds(p, encoder, prior, decoder, base: float = 2) -> VariationalBounds:
    """Exact rate, distortion and information of encoder, prior and decoder tables.

    Args:
        p: [X] data distribution.
        encoder: [X, Z] e(z | x).
        prior: [Z] m(z).
        decoder: [Z, X] d(x | z).
        base: base of the logarithm.

    Returns:
        A `VariationalBounds`; rate or distortion are infinite where the model excludes what
        happens.

    Raises:
        ValueError: if a table is not valid or the shapes disagree.

    Reference:
        Alemi et al., Fixing a Broken ELBO, 2018, arXiv:1711.00464, section 2.
    """
    unit = check_base(base)
    p, prior = check_table(p), check_table(prior, "prior")
    encoder = check_channel(encoder, "encoder", num_inputs=p.size)
    decoder = check_channel(decoder, "decoder", num_inputs=prior.size)
    if p.ndim != 1 or prior.ndim != 1:
        raise ValueError(
            f"p and prior must have one axis each, received shapes {p.shape} and {prior.shape}."
        )
    if encoder.shape[1] != prior.size or decoder.shape[1] != p.size:
        raise ValueError(
            f"encoder must have shape {(p.size, prior.size)} and decoder "
            f"{(prior.size, p.size)}, received {encoder.shape} and {decoder.shape}."
        )
    joint = p[:, None] * encoder  # [X, Z]
    distortion = -float(xlogy(joint, decoder.T).sum())
    # Weights enter before logarithms: what never occurs costs nothing, whatever the prior excludes.
    rate = clip_negative(float((xlogy(joint, encoder) - xlogy(joint, prior)).sum()))
    numbers = (table_entropy(p), distortion, rate, table_mutual_information(joint))
    return VariationalBounds(*(float(np.divide(number, unit)) for number in numbers))
