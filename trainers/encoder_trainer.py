"""The base of trainers of an encoder alone: features of images, and nothing that decodes them."""

import keras

from tfdisent.trainers.feeding import Feeding
from tfdisent.trainers.players import Players, restored


class EncoderTrainer(Feeding, Players, keras.Model):
    """Owns an encoder, images [B, H, W, C] -> features [B, D], and teaches it.

    `predict` gives the features. The encoder is a Keras model, the thing to keep:
    `trainer.encoder.save("encoder.keras")`, or `trainer.encoder.export(directory)` for TF Serving.

    Args:
      encoder: Keras model with one input and one output.
      seed: integer in [0, 2**31). All noise is a function of (seed, step).
      source: see `Trainer`.

    Raises:
      ValueError: if the encoder is not of that kind, or the seed is out of range.
    """

    def __init__(self, encoder, seed=0, source=None, **kwargs):
        super().__init__(**kwargs)
        shapes = (encoder.input_shape, encoder.output_shape)
        if not all(isinstance(shape, tuple) for shape in shapes) or [*map(len, shapes)] != [4, 2]:
            raise ValueError(
                "expected an encoder from images [B, H, W, C] to features [B, D], "
                f"received one from {shapes[0]} to {shapes[1]}."
            )
        self.encoder = encoder
        self.source = source
        self._set_up(seed)

    @property
    def image_shape(self):
        """(H, W, C) of the images."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def feature_size(self):
        """D, the width of the features."""
        return self.encoder.output_shape[-1]

    def call(self, x, training=False):
        """Features [B, D] of images [B, H, W, C]."""
        return self.encoder(x, training=training)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {**super().get_config(), "encoder": serialize(self.encoder), "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: restored(value) for name, value in config.items()})
