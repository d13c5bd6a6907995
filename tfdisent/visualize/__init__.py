"""Pictures: traversals, reconstructions, mean activations, associations, curves.

Functions take arrays (`traverse` a `VAE`) and return pixels or a `matplotlib.figure.Figure`; those
that start with `save_` write a file. Nothing touches pyplot or the global state of matplotlib.
"""

from tfdisent.visualize.association import matrix_figure, save_matrix, spearman_matrix
from tfdisent.visualize.class_shares import (
    class_shares,
    class_shares_figure,
    save_class_shares,
)
from tfdisent.visualize.figures import figure_to_image, save_figure
from tfdisent.visualize.grids import (
    reconstruction_grid,
    save_gif,
    save_image,
    save_reconstruction_grid,
    tile_images,
    to_uint8,
)
from tfdisent.visualize.information_curves import (
    bottleneck_figure,
    capacity_figure,
    rate_distortion_figure,
)
from tfdisent.visualize.information_estimates import (
    invariance_figure,
    save_invariance,
    save_staircase,
    staircase_figure,
)
from tfdisent.visualize.information_plane import (
    information_plane_figure,
    save_information_plane,
)
from tfdisent.visualize.mean_activations import (
    MeanActivations,
    mean_activations,
    mean_activations_figure,
    save_mean_activations,
)
from tfdisent.visualize.mode_samples import mode_samples_figure, save_mode_samples
from tfdisent.visualize.rate_distortion import (
    frontier,
    labelled_rows,
    rate_distortion_plane,
    save_labelled_rows,
    save_rate_distortion_plane,
)
from tfdisent.visualize.synergy_curves import save_synergy_curves, synergy_curves_figure
from tfdisent.visualize.training_curves import save_training_curves, training_curves_figure
from tfdisent.visualize.traversal_grids import (
    order_by_kl,
    save_traversal_gif,
    save_traversal_grid,
    traversal_frames,
    traversal_grid,
)
from tfdisent.visualize.traversals import traversal_values, traverse, traverse_classes

__all__ = [
    "MeanActivations",
    "bottleneck_figure",
    "capacity_figure",
    "class_shares",
    "class_shares_figure",
    "figure_to_image",
    "frontier",
    "information_plane_figure",
    "invariance_figure",
    "labelled_rows",
    "matrix_figure",
    "mean_activations",
    "mean_activations_figure",
    "mode_samples_figure",
    "order_by_kl",
    "rate_distortion_figure",
    "rate_distortion_plane",
    "reconstruction_grid",
    "save_class_shares",
    "save_figure",
    "save_gif",
    "save_image",
    "save_information_plane",
    "save_invariance",
    "save_labelled_rows",
    "save_matrix",
    "save_mean_activations",
    "save_mode_samples",
    "save_rate_distortion_plane",
    "save_reconstruction_grid",
    "save_staircase",
    "save_synergy_curves",
    "save_training_curves",
    "save_traversal_gif",
    "save_traversal_grid",
    "spearman_matrix",
    "staircase_figure",
    "synergy_curves_figure",
    "tile_images",
    "to_uint8",
    "training_curves_figure",
    "traversal_frames",
    "traversal_grid",
    "traversal_values",
    "traverse",
    "traverse_classes",
]
