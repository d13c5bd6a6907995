"""How near reconstructions come to the images, in numbers that every autoencoder has."""

import numpy as np

from tfdisent.evaluation._validate import check_decodes_images, check_image_shape

_PICTURES = 256


def reconstruction(vae, dataset, rows=None):
    """Residual and sharpness of the reconstructions of some rows.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N] of rows, or None for all; of more than 256, as many are taken at equal
        distances.

    Returns:
      {"residual": root of the mean squared difference of images and reconstructions,
       "sharpness": squared differences of neighbouring pixels, summed over the reconstructions, as
         a share of those of the images; None for images without edges,
       "num_images": of how many}.

    Raises:
      ValueError: if the model decodes labels, or the images have another shape than the model's.
    """
    check_decodes_images(vae)
    check_image_shape(vae, dataset)
    rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _PICTURES), dtype=int)]
    images = dataset.images(some).astype(np.float64)
    reconstructions = np.asarray(vae.predict_on_batch(images.astype(np.float32)), np.float64)
    energy = _gradient_energy(images)
    return {
        "residual": float(np.sqrt(np.mean((images - reconstructions) ** 2))),
        "sharpness": float(_gradient_energy(reconstructions) / energy) if energy > 0 else None,
        "num_images": len(some),
    }


def _gradient_energy(images):
    return sum(np.sum(np.diff(images, axis=axis) ** 2) for axis in (1, 2))
