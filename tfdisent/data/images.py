"""Where the images of a data set come from: each kind answers in NumPy and in the graph.

An image source has `len()`, `image_shape`, `stored_bytes` (None where it draws what it is asked
for), `numpy(rows)` and `on_device(device)`. The last returns a `DeviceImages`: a callable that maps
row numbers to images in TensorFlow graph operations.
"""

import numpy as np

_ALIGNMENT = 64  # bytes, what TensorFlow asks of memory it did not allocate


class StoredImages:
    """Images held as one array; `_decode` turns stored rows into float32 images.

    Args:
        array: [N, ...], stored rows.
        image_shape: (H, W, C) of the decoded images.
    """

    def __init__(self, array, image_shape):
        self._array = array
        self._tensor = None
        self.image_shape = tuple(image_shape)

    def __len__(self):
        return len(self._array)

    @property
    def stored_bytes(self):
        """Bytes of memory that all images take, here or on a device."""
        return self._array.nbytes

    def numpy(self, rows):
        """Images of the given rows, float32 [n, H, W, C]."""
        return self._decode_numpy(self._array[rows])

    def on_device(self, device="CPU:0"):
        """The same images as a `DeviceImages`, their tensor held on `device`."""
        import tensorflow as tf

        if self._tensor is None:
            with tf.init_scope():
                self._array, self._tensor = _shared_memory(self._array)
        with tf.init_scope(), tf.device(device):
            return DeviceImages(tf.identity(self._tensor), self._decode, self.image_shape)

    def _decode_numpy(self, stored):
        raise NotImplementedError

    def _decode(self, stored):
        raise NotImplementedError


class DeviceImages:
    """Images held as one tensor: a callable from row numbers [B] to float32 images [B, H, W, C].

    It may be called in a `tf.function`, compiled by XLA or not. The tensor is captured as an input
    of that function, never written into its graph.

    Args:
        tensor: [N, ...], stored rows.
        decode: maps a tensor of stored rows to images.
        image_shape: (H, W, C).
    """

    def __init__(self, tensor, decode, image_shape):
        self.tensor = tensor
        self.image_shape = image_shape
        self._decode = decode

    def __len__(self):
        return int(self.tensor.shape[0])

    def __call__(self, rows):
        import tensorflow as tf

        return self._decode(tf.gather(self.tensor, rows))


class FloatImages(StoredImages):
    """Images held as float32 [N, H, W, C], used as they are."""

    def __init__(self, array):
        super().__init__(array, array.shape[1:])

    def _decode_numpy(self, stored):
        return np.array(stored)

    def _decode(self, stored):
        return stored


class ByteImages(StoredImages):
    """Images held as uint8 [N, H, W, C] and divided by `scale` when they are used."""

    def __init__(self, array, scale):
        super().__init__(array, array.shape[1:])
        self._scale = np.float32(scale)

    def _decode_numpy(self, stored):
        return stored.astype(np.float32) / self._scale

    def _decode(self, stored):
        import tensorflow as tf

        return tf.cast(stored, tf.float32) / self._scale


class PackedImages(StoredImages):
    """Images of zeros and ones, eight pixels to a byte, first pixel in the most significant bit.

    Args:
        packed: uint8 [N, ceil(H*W*C / 8)], as `numpy.packbits` writes it.
        image_shape: (H, W, C).
    """

    def _decode_numpy(self, stored):
        bits = np.unpackbits(stored, axis=-1, count=int(np.prod(self.image_shape)))
        return bits.reshape(-1, *self.image_shape).astype(np.float32)

    def _decode(self, stored):
        return unpack_bits(stored, self.image_shape)


def unpack_bits(packed, image_shape):
    """Unpacks bits in graph operations.

    Args:
        packed: uint8 tensor [B, ceil(H*W*C / 8)], first pixel in the most significant bit.
        image_shape: (H, W, C).

    Returns:
        float32 tensor [B, H, W, C] of 0 and 1.
    """
    import tensorflow as tf

    # One look-up of eight floats per byte is over twice as fast on a CPU as shifting bits.
    table = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
    pixels = tf.gather(tf.constant(table), tf.cast(packed, tf.int32))  # [B, bytes, 8]
    pixels = tf.reshape(pixels, [-1, 8 * packed.shape[-1]])[:, : int(np.prod(image_shape))]
    return tf.reshape(pixels, [-1, *image_shape])


def aligned_empty(shape, dtype):
    """An uninitialised array whose memory TensorFlow can use as it is: aligned to 64 bytes."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    buffer = np.empty(size + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    return buffer[start : start + size].view(dtype).reshape(shape)


def _shared_memory(array):
    """A tensor and an array over the same memory; `tf.constant` would keep two copies of its own.

    Returns:
        (NumPy array, tensor). The array is the given one if that is aligned, else a copy.
    """
    import tensorflow as tf

    if array.ctypes.data % _ALIGNMENT or not array.flags.c_contiguous or not array.flags.writeable:
        copy = aligned_empty(array.shape, array.dtype)
        copy[...] = array
        array = copy
    return array, tf.experimental.dlpack.from_dlpack(array.__dlpack__())
