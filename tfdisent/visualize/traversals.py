"""Latent traversals: what the decoder shows when one latent dimension runs and the others rest."""

import numpy as np

_SPANS = {"linear": (-2.0, 2.0), "quantile": (0.05, 0.95)}
# Images decoded at once; bounds the memory of long animations of wide codes.
_DECODER_BATCH = 2048


def traversal_values(steps=9, mode="linear", span=None):
    """The values that a traversed dimension takes.

    Args:
      steps: S, how many values.
      mode: "linear" for equal distances between the ends of `span`, or "quantile" for the quantiles
        of N(0, 1) at equally distant probabilities, which follow the density of the prior
        (Dupont, Learning Disentangled Joint Continuous and Discrete Representations, 2018,
        arXiv:1804.00104).
      span: (first, last): values, by default (-2, 2), or probabilities, by default (0.05, 0.95).

    Returns:
      float32 [S].

    Raises:
      ValueError: if `steps` is under 2, the mode is unknown, or `span` does not increase or leaves
        the open interval (0, 1) of probabilities.
    """
    if mode not in _SPANS:
        raise ValueError(f"mode must be 'linear' or 'quantile', received {mode!r}.")
    if steps < 2:
        raise ValueError(f"steps must be at least 2, received {steps}.")
    first, last = _SPANS[mode] if span is None else span
    if not first < last:
        raise ValueError(f"span must increase, received ({first}, {last}).")
    values = np.linspace(first, last, steps)
    if mode == "quantile":
        from scipy.special import ndtri

        if not (first > 0 and last < 1):
            raise ValueError(
                f"span of mode 'quantile' must lie inside (0, 1), received ({first}, {last})."
            )
        values = ndtri(values)
    return values.astype(np.float32)


def traverse(vae, base=None, steps=9, mode="linear", span=None, classes=None):
    """Decodes codes that differ from a base in one continuous dimension.

    Rows are the continuous columns of `vae.encode`, in its order; noise that the encoder does not
    infer is drawn once, from a fixed seed, and then rests. Where the prior is learned, values count
    its standard deviations from its mean, dimension by dimension.

    Args:
      vae: `VAE`.
      base: where the other dimensions rest. None: at the mean of the prior. An image
        [H, W, C]: at its most probable code. Images [N, H, W, C]: one traversal for each.
      steps: S, see `traversal_values`.
      mode: "linear" or "quantile", see `traversal_values`.
      span: see `traversal_values`.
      classes: {group name: class} for categorical groups, where None stands for no class, the zero
        vector (CascadeVAE before it opens the discrete group). Groups that are not named have the
        class of the base image, or class 0 without an image.

    Returns:
      float32 [D, S, H, W, C], the mean images; [N, D, S, H, W, C] for N images.

    Raises:
      ValueError: if the model has no continuous dimension, `base` has another shape than the
        model's images or leaves [0, 1], or `classes` names no categorical group or none of its
        classes.
    """
    values = traversal_values(steps, mode, span)
    parts = _base_parts(vae, base)
    for name, index in (classes or {}).items():
        group = _categorical(vae, name)
        parts[name] = np.tile(_one_hot(group, index), (len(next(iter(parts.values()))), 1))
    images = _sweep(vae, _join(vae, parts), values)
    return images if np.ndim(base) == 4 else images[0]


def traverse_classes(vae, group=None, base=None, steps=9, mode="linear", span=None):
    """One traversal for every class of a categorical group, all from the same base.

    Args:
      vae: `VAE`.
      group: name of the categorical group, by default the first.
      base: None or an image [H, W, C], see `traverse`.
      steps: S, see `traversal_values`.
      mode: "linear" or "quantile", see `traversal_values`.
      span: see `traversal_values`.

    Returns:
      float32 [K, D, S, H, W, C], the mean images, one block for each of K classes.

    Raises:
      ValueError: if there is no such group; see also `traverse`.
    """
    values = traversal_values(steps, mode, span)
    if np.ndim(base) == 4:
        raise ValueError(f"expected one base image [H, W, C], received shape {np.shape(base)}.")
    group = _categorical(vae, group)
    parts = _base_parts(vae, base)
    # Joined before it is repeated: all blocks share one draw of the noise.
    z = np.repeat(_join(vae, parts), group.size, axis=0)  # [K, Z]
    z[:, _columns(vae.latents)[group.name]] = np.eye(group.size, dtype=np.float32)
    return _sweep(vae, z, values)


def _columns(latents):
    """{group name: slice of its columns in z}."""
    ends = np.cumsum(latents.sizes)
    return {
        group.name: slice(int(end) - group.size, int(end))
        for group, end in zip(latents.groups, ends, strict=True)
    }


def _categorical(vae, name):
    groups = {group.name: group for group in vae.latents.groups if group.is_discrete}
    if not groups or (name is not None and name not in groups):
        raise ValueError(f"expected a categorical group of {vae.latents}, received {name!r}.")
    return next(iter(groups.values())) if name is None else groups[name]


def _one_hot(group, index):
    if index is None:
        return np.zeros(group.size, np.float32)
    if not 0 <= index < group.size:
        raise ValueError(
            f"class of group {group.name!r} must be 0 to {group.size - 1}, received {index}."
        )
    return np.eye(group.size, dtype=np.float32)[index]


def _base_parts(vae, base):
    """{group name: [N, size]} of every inferred group, N = 1 without images."""
    latents = vae.latents
    if base is None:
        return {
            group.name: _one_hot(group, 0)[None]
            if group.is_discrete
            else _moments(vae, group)[0][None]
            for group in latents.inferred
        }
    base = np.asarray(base, np.float32)
    if base.ndim not in (3, 4) or base.shape[-3:] != vae.image_shape or base.size == 0:
        raise ValueError(
            f"expected base images of shape {vae.image_shape}, alone or with a leading axis, "
            f"received {base.shape}."
        )
    low, high = float(base.min()), float(base.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"expected base images in [0, 1], received values from {low:g} to {high:g}."
        )
    posterior = vae.infer(base.reshape(-1, *vae.image_shape))
    return {name: np.array(latents.group(name).point(q)) for name, q in posterior.items()}


def _join(vae, parts):
    """[N, Z] codes, with the model's resting noise."""
    return np.array(vae.join({**vae.resting_noise(len(next(iter(parts.values())))), **parts}))


def _moments(vae, group):
    """Mean and standard deviation of each dimension of a continuous group's prior, [2, size]."""
    prior = vae.prior()[group.name]
    return np.stack([prior.mean(), prior.stddev()])


def _sweep(vae, z, values):
    """Base codes [N, Z] and values [S] -> mean images [N, D, S, H, W, C]."""
    if vae.num_classes is not None:
        raise ValueError("expected a model of images to traverse, received one of labels.")
    traversed = [group for group in vae.latents.inferred if not group.is_discrete]
    if not traversed:
        raise ValueError(f"expected a continuous group to traverse, received {vae.latents}.")
    slices = _columns(vae.latents)
    columns = np.concatenate([np.r_[slices[group.name]] for group in traversed])  # [D]
    means, stds = np.concatenate([_moments(vae, group) for group in traversed], axis=1)
    count, depth, steps = len(z), len(columns), len(values)
    codes = np.tile(z[:, None, None, :], (1, depth, steps, 1))  # [N, D, S, Z]
    for row, (column, mean, std) in enumerate(zip(columns, means, stds, strict=True)):
        codes[:, row, :, column] = mean + std * values
    codes = codes.reshape(-1, z.shape[-1])
    images = [
        np.asarray(vae.decode(codes[start : start + _DECODER_BATCH]))
        for start in range(0, len(codes), _DECODER_BATCH)
    ]
    return np.concatenate(images).reshape(count, depth, steps, *images[0].shape[1:])
