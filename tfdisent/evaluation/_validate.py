"""Checks that a model can be evaluated on a data set."""


def check_decodes_images(vae):
    """Raises ValueError if the model decodes labels."""
    if vae.num_classes is not None:
        raise ValueError(
            "expected a model of images, received one of labels: see evaluation.classify."
        )


def check_image_shape(vae, dataset):
    """Raises ValueError if the images have another shape than the model's."""
    if tuple(dataset.image_shape) != vae.image_shape:
        raise ValueError(
            f"the model takes images {vae.image_shape}, received a data set of "
            f"{tuple(dataset.image_shape)}."
        )
