"""The signatures of an exported VAE, as un-jitted functions of tensors.

| signature | inputs | outputs |
|---|---|---|
| `encode` | `image` [B, H, W, C] | `mean`, `std`, `kl` [B, Dc], `probabilities_<group>` [B, K] |
| `decode` | `code` [B, D] | `image` |
| `reconstruct` | `image` | `image` |
| `sample` | `seed` int32 [2], `count` int32 [] | `image` [count, H, W, C], `code` [count, D] |
| `traverse` | `image`, `dimension` int32 [], `values` [S] | `images` [B, S, H, W, C] |

A model of labels has no images to give. Instead of the last four it has

| signature | inputs | outputs |
|---|---|---|
| `decode` | `code` [B, D] | `probabilities` [B, K] |
| `classify` | `image` | `probabilities`, decoded from the most probable code |

`serving_default` is `encode` by another name. All numbers are float32 unless said otherwise. `code`
is the whole z of D columns, noise included. The Dc columns of `mean`, `std` and `kl` are those of
the inferred Gaussian groups, in the order of the model's latents; `kl` is KL(q(z_d | x) || N(0, 1))
in nats; if the prior is learned, against the normal with the mean and variance of its dimension d.
The deterministic code of a `Point` group is among them with `std` 0 and `kl` infinite; `kl` is
infinite for a `Uniform` group, too.
A model without such groups leaves the three keys out, and each inferred categorical group adds its
`probabilities_<group>`. Images are means in [0, 1], never logits.

Nothing is drawn but in `sample`, which depends on its seed alone. Groups that are not inferred
(noise) hold one fixed draw from their prior wherever an image is decoded from an image
(`VAE.resting_noise`).
"""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp


def build(vae):
    """The signatures of a model.

    They are traced afresh and without XLA: a function made with `jit_compile=True` asks the model
    server for a compiler that it may not have.

    Args:
      vae: `VAE`.

    Returns:
      {signature name: `tf.function` with an input signature}; each returns a dictionary of tensors.
    """

    def encode(image):
        return _describe(vae.latents, vae.infer(image), vae.factorised_prior())

    encode = _function(encode, _image_spec(vae))
    decoding = _decoding_images(vae) if vae.num_classes is None else _decoding_labels(vae)
    return {"serving_default": encode, "encode": encode, **decoding}


def _decoding_labels(vae):
    """The signatures of a decoder of labels."""

    def decode(code):
        return {"probabilities": vae.decode(code)}

    def classify(image):
        return {"probabilities": vae.decode(vae.point(vae.infer(image)))}

    return {
        "decode": _function(decode, _code_spec(vae)),
        "classify": _function(classify, _image_spec(vae)),
    }


def _decoding_images(vae):
    """The signatures of a decoder of images."""

    def decode(code):
        return {"image": vae.decode(code)}

    def reconstruct(image):
        return {"image": vae.decode(vae.point(vae.infer(image)))}

    def sample(seed, count):
        code = vae.sample_prior(_checked(count), seed)
        return {"image": vae.decode(code), "code": code}

    def traverse(image, dimension, values):
        codes = _vary(vae.latents, vae.point(vae.infer(image)), dimension, values)
        images = vae.decode(tf.reshape(codes, [-1, vae.latents.size]))  # [B * S, H, W, C]
        shape = [tf.shape(image)[0], tf.shape(values)[0], *vae.image_shape]
        return {"images": tf.reshape(images, shape)}

    return {
        "decode": _function(decode, _code_spec(vae)),
        "reconstruct": _function(reconstruct, _image_spec(vae)),
        "sample": _function(
            sample,
            tf.TensorSpec((2,), tf.int32, name="seed"),
            tf.TensorSpec((), tf.int32, name="count"),
        ),
        "traverse": _function(
            traverse,
            _image_spec(vae),
            tf.TensorSpec((), tf.int32, name="dimension"),
            tf.TensorSpec((None,), tf.float32, name="values"),
        ),
    }


def _image_spec(vae):
    return tf.TensorSpec((None, *vae.image_shape), tf.float32, name="image")


def _code_spec(vae):
    return tf.TensorSpec((None, vae.latents.size), tf.float32, name="code")


def _function(function, *specs):
    return tf.function(function, input_signature=specs, autograph=False)


def _describe(latents, posterior, prior):
    """{name: q(group | x)} and {name: p(group)} -> the outputs of `encode`."""
    outputs = {
        f"probabilities_{group.name}": group.codes(posterior[group.name])
        for group in latents.inferred
        if group.is_discrete
    }
    continuous = [group for group in latents.inferred if not group.is_discrete]
    if continuous:
        found = [(posterior[group.name], prior[group.name]) for group in continuous]
        # The distributions inside `Independent` have one value per column: KLs [B, size].
        kl = [tfp.distributions.kl_divergence(q.distribution, p.distribution) for q, p in found]
        outputs["mean"] = tf.concat([q.mean() for q, _ in found], axis=-1)
        outputs["std"] = tf.concat([q.stddev() for q, _ in found], axis=-1)
        outputs["kl"] = tf.concat(kl, axis=-1)
    return outputs


def _checked(count):
    is_positive = tf.debugging.assert_positive(count, message="count must be positive.")
    with tf.control_dependencies([is_positive]):
        return tf.identity(count)


def _vary(latents, z, dimension, values):
    """z [B, D] with one column replaced by each of the values: [B, S, D].

    A column of a categorical group is a class, not a quantity: the whole group becomes the one-hot
    vector of that class, and only the number of `values` counts.
    """
    message = f"dimension must be a column of the code, 0 to {latents.size - 1}."
    is_column = [
        tf.debugging.assert_non_negative(dimension, message=message),
        tf.debugging.assert_less(dimension, latents.size, message=message),
    ]
    with tf.control_dependencies(is_column):
        dimension = tf.identity(dimension)
    block, is_discrete = _blocks(latents)
    values = tf.where(tf.gather(is_discrete, dimension), tf.ones_like(values), values)  # [S]
    replacement = values[:, None] * tf.one_hot(dimension, latents.size)  # [S, D]
    return tf.where(tf.gather(block, dimension), replacement, z[:, None, :])


def _blocks(latents):
    """Which columns are replaced along with each, bool [D, D], and whether it is a class, [D]."""
    block = np.eye(latents.size, dtype=bool)
    is_discrete = np.zeros(latents.size, dtype=bool)
    start = 0
    for group in latents.groups:
        stop = start + group.size
        if group.is_discrete:
            block[start:stop, start:stop] = True
            is_discrete[start:stop] = True
        start = stop
    return block, is_discrete
