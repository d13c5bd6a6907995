"""Fixtures that the tests of several trainers share."""

import numpy as np
import pytest


class Glyphs:
    """Images of three glyphs in many brightnesses.

    Attributes:
      labels: [600], which glyph an image shows.
      images: [600, 8, 8, 1].
    """

    def __init__(self):
        rng = np.random.default_rng(0)
        self._glyphs = rng.integers(2, size=(3, 8, 8, 1)).astype(np.float32)
        self.labels = rng.integers(3, size=600)
        brightness = rng.uniform(0.3, 1, size=(600, 1, 1, 1)).astype(np.float32)
        self.images = self._glyphs[self.labels] * brightness

    def assert_drawn_by(self, vae, classes):
        """That at z = 0 the class of a glyph's images looks like the glyph.

        Args:
          vae: with two continuous dimensions and then three classes.
          classes: [600], those of the images.
        """
        for glyph in range(3):
            own = np.eye(3)[np.bincount(classes[self.labels == glyph]).argmax()]
            drawn = np.array(vae.decode(np.array([[0, 0, *own]], np.float32)))[0]
            correlations = [np.corrcoef(drawn.ravel(), g.ravel())[0, 1] for g in self._glyphs]
            assert np.argmax(correlations) == glyph and max(correlations) > 0.8


@pytest.fixture
def glyphs():
    return Glyphs()
