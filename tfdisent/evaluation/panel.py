"""What can be said of a model without factors."""

from tfdisent import metrics
from tfdisent.evaluation.aggregate_posterior import Posteriors
from tfdisent.evaluation.decomposition import decompose, has_rates
from tfdisent.evaluation.elbo_terms import elbo_terms
from tfdisent.evaluation.encode import encode_dataset
from tfdisent.evaluation.prior_density import PriorDensity
from tfdisent.evaluation.reconstruction import reconstruction

LABEL_FREE = (
    "active_units",
    "gaussian_total_correlation",
    "gaussian_wasserstein",
    "mutual_information_score",
)


def panel(vae, dataset, rows=None, held_out=None, held_out_rows=None, num_samples=10_000, seed=0):
    """The label-free numbers of a model, ready for JSON.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N] of rows, at least 2, or None for all.
      held_out: data set of the ELBO's terms, or of the reconstruction, one that was not trained on;
        None uses `dataset`.
      held_out_rows: rows of it, or None for all; without `held_out`, `rows` are used.
      num_samples: samples of the decomposition.
      seed: of every draw.

    Returns:
      {"num_rows": N,
       "seed": seed,
       "scores": {name: `Score.to_dict()`: active_units, gaussian_total_correlation,
         gaussian_wasserstein, mutual_information_score},
       "elbo": distortion, rate and elbo with standard errors (nats), "num_images", "is_held_out",
       "decomposition": `Decomposition.to_dict()`,
       "mutual_information_bounds": {"lower", "upper": I(x; z) over the distribution that the rows
         were drawn from lies between them, in expectation; "largest_lower": log N, which the lower
         bound cannot exceed, however much the code tells}}.
      A model with other than Gaussian and categorical groups, such as an autoencoder, has no rate,
      and so none of the last three. Instead it has "reconstruction": "residual", "sharpness" and
      "num_images" of `reconstruction`, and "is_held_out".

    Raises:
      ValueError: if data and model do not fit, or the codes are not finite (see `diagnose`).

    References:
      Hoffman and Johnson, ELBO surgery: yet another way to carve up the variational evidence lower
      bound, 2016 (NIPS workshop; the upper bound and log N).
      Poole et al., On Variational Bounds of Mutual Information, 2019, arXiv:1905.06922, Eq. 10 (the
      lower bound, with the known q(z | x) as critic).
    """
    encoding = encode_dataset(vae, dataset, rows)
    where = (dataset, rows) if held_out is None else (held_out, held_out_rows)
    is_held_out = held_out is not None
    if not has_rates(vae.latents):
        found = {**reconstruction(vae, *where), "is_held_out": is_held_out}
        return {**_scores_of(encoding, seed), "reconstruction": found}
    posteriors = Posteriors.of(encoding)
    decomposition = decompose(posteriors, num_samples, seed, PriorDensity.of(vae))
    return {
        **_scores_of(encoding, seed),
        "elbo": {**elbo_terms(vae, *where, seed).summary(), "is_held_out": is_held_out},
        "decomposition": decomposition.to_dict(),
        "mutual_information_bounds": {
            "lower": decomposition.index_code_mi,
            "upper": decomposition.rate,
            "largest_lower": decomposition.largest_mi,
        },
    }


def label_free_scores(encoding, names=LABEL_FREE):
    """Scores of a representation by itself.

    Args:
      encoding: `Encoding`.
      names: some of active_units, gaussian_total_correlation, gaussian_wasserstein and
        mutual_information_score.

    Returns:
      Dict from name to `Score`, in the order asked for.

    Raises:
      ValueError: if a name is another, or the codes are not finite.
    """
    unknown = [name for name in names if name not in LABEL_FREE]
    if unknown:
        raise ValueError(
            f"scores without labels are {', '.join(LABEL_FREE)}; received {unknown[0]!r}."
        )
    columns = encoding.discrete_columns
    return {
        name: getattr(metrics, name)(encoding.codes, discrete_columns=columns) for name in names
    }


def _scores_of(encoding, seed):
    """The part of the panel that every model has."""
    scores = label_free_scores(encoding)
    return {
        "num_rows": len(encoding.rows),
        "seed": seed,
        "scores": {name: score.to_dict() for name, score in scores.items()},
    }


def udr_of_models(vaes, dataset, rows=None, method="lasso"):
    """Unsupervised disentanglement ranking of models that were trained alike but for the seed.

    Args:
      vaes: two or more `tfdisent.VAE` with the same latent groups.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N] of the rows that all models encode, or None for all; the paper takes
        1,000.
      method: "lasso" or "spearman".

    Returns:
      `Score`; see `metrics.udr`.

    Raises:
      ValueError: if the models' discrete groups differ, or see `metrics.udr`.
    """
    encodings = [encode_dataset(vae, dataset, rows) for vae in vaes]
    columns = {encoding.discrete_columns for encoding in encodings}
    if len(columns) > 1:
        raise ValueError(f"the models must have the same discrete groups, received {columns}.")
    return metrics.udr(
        [encoding.codes for encoding in encodings],
        [encoding.kl_per_dim for encoding in encodings],
        method=method,
        discrete_columns=columns.pop() if columns else (),
    )
