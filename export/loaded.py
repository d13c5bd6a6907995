"""An export, loaded again: NumPy arrays in, NumPy arrays out.

It needs TensorFlow, but neither Keras nor TensorFlow Probability.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tfdisent.export import manifest, versions
from tfdisent.export.inputs import check_numbers


def load(path):
    """Loads an export.

    Args:
      path: the folder of a version, or the folder of versions, which means the newest.

    Returns:
      `ExportedVAE`.

    Raises:
      ValueError: if there is no export, or it is not as it was written.
    """
    path = Path(path)
    if not (path / versions.SAVED_MODEL).is_file():
        found = versions.versions_in(path)
        if not found:
            state = "no versions" if path.is_dir() else "no such folder"
            raise ValueError(f"expected an export in {path}, received {state}.")
        path = found[max(found)]
    return ExportedVAE(path)


class ExportedVAE:
    """The signatures of an exported VAE as methods; each returns {output key: array}.

    A model of images has all of them but `classify`; one of labels has `encode`, `decode` and
    `classify`.

    See `tfdisent.export.signatures` for inputs and outputs.

    Args:
      path: folder of a version.

    Attributes:
      path: the same.
      manifest: `tfdisent.export.manifest.Manifest`.

    Raises:
      ValueError: if the manifest is missing or does not fit the files.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.manifest = manifest.read(self.path)
        # The functions do not keep the variables alive: hold the whole object.
        self._saved_model = tf.saved_model.load(str(self.path))
        received = set(self._saved_model.signatures)
        if received != set(self.manifest.signatures):
            raise ValueError(
                f"expected the signatures {sorted(self.manifest.signatures)} in {self.path}, "
                f"received {sorted(received)}."
            )

    @property
    def image_shape(self):
        """(H, W, C)."""
        return tuple(self.manifest.image_shape)

    def encode(self, image):
        """Images [B, H, W, C] -> mean, std, kl [B, Dc] and probabilities_<group> [B, K]."""
        return self.run("encode", image=image)

    def decode(self, code):
        """Codes [B, D] -> image [B, H, W, C], or probabilities [B, K] from a model of labels."""
        return self.run("decode", code=code)

    def reconstruct(self, image):
        """Images -> image, decoded from the most probable codes."""
        return self.run("reconstruct", image=image)

    def classify(self, image):
        """Images -> probabilities [B, K], decoded from the most probable codes."""
        return self.run("classify", image=image)

    def sample(self, seed, count):
        """Draws from the prior: image [count, H, W, C] and code [count, D].

        Args:
          seed: two integers, or one, which stands for (0, seed).
          count: number of draws.
        """
        seed = (0, seed) if np.ndim(seed) == 0 else seed
        return self.run("sample", seed=seed, count=count)

    def traverse(self, image, dimension, values):
        """Images decoded with one column of the code replaced: images [B, S, H, W, C].

        Args:
          image: [B, H, W, C].
          dimension: column of the code. A column of a categorical group chooses that class.
          values: [S], what the column becomes.
        """
        return self.run("traverse", image=image, dimension=dimension, values=values)

    def run(self, signature, **inputs):
        """Calls a signature by name.

        Raises:
          ValueError: if there is no such signature, or an input is missing, unknown, of another
            shape or type, not finite or out of its range.
        """
        known = self.manifest.signatures
        if signature not in known:
            raise ValueError(f"signature must be one of {sorted(known)}, received {signature!r}.")
        specs = known[signature]["inputs"]
        if set(inputs) != set(specs):
            raise ValueError(
                f"{signature} takes the inputs {list(specs)}, received {sorted(inputs)}."
            )
        tensors = {
            name: tf.constant(self._check(name, inputs[name], specs[name])) for name in specs
        }
        outputs = self._saved_model.signatures[signature](**tensors)
        return {name: outputs[name].numpy() for name in known[signature]["outputs"]}

    def _check(self, name, value, spec):
        """The input as an array of the dtype that the signature takes."""
        array = np.asarray(value)
        shape, dtype = spec["shape"], spec["dtype"]
        fits = array.ndim == len(shape) and all(
            received > 0 if expected is None else received == expected
            for expected, received in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = f"[{', '.join('at least 1' if n is None else str(n) for n in shape)}]"
            raise ValueError(f"{name} must have the shape {wanted}, received {list(array.shape)}.")
        bounds = {
            "image": self.manifest.image_range,
            "dimension": (0, self.manifest.latent_size - 1),
            "count": (1, np.iinfo(np.int32).max),
            "seed": (np.iinfo(np.int32).min, np.iinfo(np.int32).max),
        }
        check_numbers(name, array, dtype, bounds.get(name))
        return array.astype(dtype)
