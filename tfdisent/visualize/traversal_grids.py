"""Tables and animations of latent traversals, labelled and ordered by KL."""

import numpy as np

from tfdisent.visualize import figures, grids

_CENTRED = {"ha": "center", "va": "center"}
_RIGHT = {"ha": "right", "va": "center_baseline"}


def order_by_kl(kl_per_dim):
    """Indices of the dimensions by falling mean KL; equal ones keep their order."""
    return np.argsort(-np.asarray(kl_per_dim, float), kind="stable")


def traversal_grid(
    images, kl_per_dim=None, names=None, block_names=None, values=None, cell=64, max_rows=None
):
    """A table of traversals: a row for each dimension, a column for each step.

    Args:
      images: [D, S, H, W, C], or [G, D, S, H, W, C] for blocks of rows, see `traverse_classes`.
      kl_per_dim: [D], the mean KL of each dimension in nats. It is printed at each row, and
        rows fall from the largest; without it they keep the order of the code.
      names: [D] row labels, by default z0, z1, ...
      block_names: [G] labels of the blocks, by default class 0, class 1, ...
      values: [S], printed above the columns, see `traversal_values`.
      cell: side of an enlarged image in pixels, about.
      max_rows: show only so many dimensions, the first in the order above.

    Returns:
      uint8 [height, width, 3].

    Raises:
      ValueError: if shapes do not fit.
    """
    blocks, labels = _ordered(images, kl_per_dim, names, max_rows, "{}  KL {:.2f}")
    block_names = _block_names(blocks, block_names)
    has_names = any(block_names)
    steps = blocks.shape[2]
    values = _check_length("values", values, steps) if values is not None else []
    scale = grids.enlargement(blocks.shape[3:], cell)
    size = grids.font_size(cell)
    tables = [grids.tile_images(block, scale=scale) for block in blocks]
    table_height, table_width, _ = tables[0].shape
    row_height = (table_height - 1) / blocks.shape[1]
    column_width = (table_width - 1) / steps

    gap = size if len(blocks) > 1 else 0
    head = 2 * size if len(values) else size // 2
    margin = (2 * size if has_names else 0) + figures.text_width(labels, size) + size
    right, bottom = margin + table_width, head + len(tables) * (table_height + gap) - gap
    tops = [head + index * (table_height + gap) for index in range(len(tables))]

    pale = _CENTRED | {"color": "0.4"}
    texts = [
        (margin + (i + 0.5) * column_width, head / 2, _number(value), size, pale)
        for i, value in enumerate(_thinned(values, column_width, size))
        if value is not None
    ]
    upright = _CENTRED | {"rotation": 90, "weight": "bold"}
    for top, block_name in zip(tops, block_names, strict=True):
        texts.append((size, top + table_height / 2, block_name, size, upright))
        texts += [
            (margin - size // 2, top + (row + 0.5) * row_height, label, size, _RIGHT)
            for row, label in enumerate(labels)
        ]
    page = figures.draw_text(right + size // 2, bottom + size // 2, texts)
    for top, table in zip(tops, tables, strict=True):
        page[top : top + table_height, margin:right] = table
    return page


def traversal_frames(
    images, kl_per_dim=None, names=None, block_names=None, cell=64, max_columns=None
):
    """The frames of an animated traversal: all dimensions side by side, one step in each frame.

    Args:
      images: [D, S, H, W, C], or [G, D, S, H, W, C] for one row of images per block.
      kl_per_dim: see `traversal_grid`; here columns fall from the largest.
      names: [D] column labels, see `traversal_grid`.
      block_names: [G] row labels, see `traversal_grid`.
      cell: side of an enlarged image in pixels, about.
      max_columns: show only so many dimensions.

    Returns:
      uint8 [S, height, width, 3], for `save_gif`.

    Raises:
      ValueError: if shapes do not fit.
    """
    blocks, labels = _ordered(images, kl_per_dim, names, max_columns, "{}\nKL {:.2f}")
    block_names = _block_names(blocks, block_names)
    scale = grids.enlargement(blocks.shape[3:], cell)
    size = grids.font_size(cell)
    tables = [grids.tile_images(step, scale=scale) for step in blocks.swapaxes(0, 2).swapaxes(1, 2)]
    height, width, _ = tables[0].shape
    head = int(3.2 * size) if kl_per_dim is not None else 2 * size
    margin = figures.text_width(block_names, size) + (size if any(block_names) else size // 2)
    column_width = (width - 1) / len(labels)
    row_height = (height - 1) / len(blocks)
    texts = [
        (margin + (i + 0.5) * column_width, head / 2, label, size, _CENTRED | {"linespacing": 1.2})
        for i, label in enumerate(labels)
    ]
    texts += [
        (margin - size // 2, head + (i + 0.5) * row_height, block_name, size, _RIGHT)
        for i, block_name in enumerate(block_names)
    ]
    page = figures.draw_text(margin + width + size // 2, head + height + size // 2, texts)
    frames = np.repeat(page[None], len(tables), axis=0)
    frames[:, head : head + height, margin : margin + width] = tables
    return frames


def save_traversal_grid(path, images, kl_per_dim=None, **options):
    """Writes `traversal_grid` to a .png file and returns its path."""
    return grids.save_image(path, traversal_grid(images, kl_per_dim, **options))


def save_traversal_gif(path, images, kl_per_dim=None, milliseconds=100, **options):
    """Writes `traversal_frames` to a .gif file, there and back, and returns its path."""
    return grids.save_gif(path, traversal_frames(images, kl_per_dim, **options), milliseconds)


def _ordered(images, kl_per_dim, names, limit, pattern):
    """Blocks [G, D, S, H, W, C] and labels [D] in the order in which they are shown."""
    images = np.asarray(images)
    if images.ndim not in (5, 6) or images.size == 0:
        raise ValueError(
            f"expected images [D, S, H, W, C] or [G, D, S, H, W, C], received shape {images.shape}."
        )
    images = grids.visible_channels(images)
    blocks = images if images.ndim == 6 else images[None]
    depth = blocks.shape[1]
    names = [f"z{j}" for j in range(depth)] if names is None else names
    labels = _check_length("names", names, depth)
    order = np.arange(depth)
    if kl_per_dim is not None:
        kl_per_dim = _check_length("kl_per_dim", kl_per_dim, depth)
        order = order_by_kl(kl_per_dim)
        labels = [pattern.format(name, kl) for name, kl in zip(labels, kl_per_dim, strict=True)]
    order = order[:limit]
    return blocks[:, order], [labels[j] for j in order]


def _block_names(blocks, names):
    """The names of the blocks; a single block needs none."""
    if names is None:
        names = [f"class {k}" for k in range(len(blocks))] if len(blocks) > 1 else [""]
    return _check_length("block_names", names, len(blocks))


def _check_length(what, values, length):
    values = list(values)
    if len(values) != length:
        raise ValueError(f"expected {length} {what}, received {len(values)}.")
    return values


def _thinned(values, column_width, size):
    """`values` with None in place of those for which there is no room."""
    stride = max(1, int(np.ceil(4 * size / column_width)))
    return [value if i % stride == 0 else None for i, value in enumerate(values)]


def _number(value):
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")
