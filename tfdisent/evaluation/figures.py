"""The pictures of a trained model on a data set."""

import pathlib

import numpy as np

from tfdisent import visualize
from tfdisent.evaluation.encode import discrete_groups


def save_figures(directory, vae, dataset, encoding, base=None, steps=9, span=(-2.0, 2.0)):
    """Draws what people look at: reconstructions, traversals, and what each latent means.

    Args:
      directory: folder, made if missing.
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset` that `encoding` is of.
      encoding: `Encoding` of some rows.
      base: row of the data set that the traversals start from; None starts from the prior's mean.
      steps: columns of the traversal grid.
      span: range of the traversed dimension.

    Returns:
      {name: path} of what was written: reconstructions.png (where the model decodes images),
      traversals.png and .gif (where there is a continuous latent, too), classes.png (where there is
      a discrete one, too: a row for each class of the first, along the continuous latent with the
      largest rate), mean_activations.png and association.png (where factors are known),
      class_shares.png (of a discrete latent, where factors or labels are known; of several,
      class_shares_0.png and so on).
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths = {}
    decodes_images = vae.num_classes is None
    if decodes_images:
        paths["reconstructions.png"] = directory / "reconstructions.png"
        some = np.linspace(0, len(encoding.rows) - 1, 10, dtype=int)
        examples = dataset.images(encoding.rows[some])
        reconstructions = vae.predict_on_batch(examples)
        visualize.save_reconstruction_grid(paths["reconstructions.png"], examples, reconstructions)

    num_continuous = len(encoding.kl_per_dim)
    if num_continuous and decodes_images:
        image = None if base is None else dataset.images([base])[0]
        kl = encoding.kl_per_dim
        discrete = any(group.is_discrete for group in vae.latents.groups)
        traverse = visualize.traverse_classes if discrete else visualize.traverse
        values = visualize.traversal_values(steps, span=span)
        images = traverse(vae, base=image, steps=steps, span=span)
        paths["traversals.png"] = directory / "traversals.png"
        visualize.save_traversal_grid(paths["traversals.png"], images, kl, values=values)
        if discrete:
            paths["classes.png"] = directory / "classes.png"
            _save_classes(paths["classes.png"], images, kl, values)
        paths["traversals.gif"] = directory / "traversals.gif"
        frames = traverse(vae, base=image, steps=25, span=span)
        visualize.save_traversal_gif(paths["traversals.gif"], frames, kl)

    if dataset.factors is not None and num_continuous:
        factors = np.asarray(dataset.factors)[encoding.rows]
        means = encoding.codes[:, :num_continuous]
        paths["mean_activations.png"] = directory / "mean_activations.png"
        activations = visualize.mean_activations(
            means, factors, dataset.factor_names, dataset.factor_sizes
        )
        visualize.save_mean_activations(
            paths["mean_activations.png"], activations, encoding.kl_per_dim
        )
        paths["association.png"] = directory / "association.png"
        visualize.save_matrix(
            paths["association.png"],
            np.abs(visualize.spearman_matrix(means, factors)),
            [f"z{j}" for j in range(num_continuous)],
            list(dataset.factor_names),
            title="|Spearman| of latents and factors",
        )
    labelled = dataset.labels is not None and np.any(dataset.labels[encoding.rows] >= 0)
    if dataset.factors is not None or labelled:
        for suffix, probabilities in discrete_groups(encoding):
            name = f"class_shares{suffix}.png"
            paths[name] = directory / name
            _save_class_shares(paths[name], probabilities, dataset, encoding.rows)
    return paths


def _save_classes(path, images, kl_per_dim, values):
    """One row per class of traversals [K, D, S, H, W, C], of the dimension that says most."""
    first = visualize.order_by_kl(kl_per_dim)[0]
    visualize.save_traversal_grid(
        path,
        images[:, first],
        names=[f"class {k}" for k in range(len(images))],
        block_names=[f"z{first}  KL {kl_per_dim[first]:.2f}"],
        values=values,
    )


def _save_class_shares(path, probabilities, dataset, rows):
    """What the classes of probabilities [N, K] say of the factors, or else of the labels."""
    if dataset.factors is not None:
        factors, names = np.asarray(dataset.factors)[rows], dataset.factor_names
        sizes = dataset.factor_sizes
    else:
        labels = np.asarray(dataset.labels)[rows]
        labelled = labels >= 0
        factors, names = labels[labelled, None], ("label",)
        probabilities, sizes = probabilities[labelled], (int(np.max(dataset.labels)) + 1,)
    visualize.save_class_shares(
        path, probabilities.argmax(axis=1), factors, names, sizes, probabilities.shape[1]
    )
