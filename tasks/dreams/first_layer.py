"""The first convolution of a network, with a gradient into its images that takes a third of the time.

TensorFlow takes that gradient as a convolution to one or three channels, whose kernels compute
sixteen at once. Here every place of the maps stamps its kernel's shape onto the image:

    dx = Σ over the kernel's places (r, c) of  shifted by (r, c) ( dy · kernel[r, c]ᵀ )
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tasks.training.runtime import start_tensorflow


class Split(NamedTuple):
    """first: images → what the first layer makes of them, tensors · rest: a Keras model of what is
    behind it."""

    first: Callable[[Any], Any]
    rest: Any


def split_first(image: Any, outputs: list[Any], layers: list[Any]) -> Split | None:
    """A graph of layers behind its first convolution, and that one by itself.

    Arguments:
        image, outputs: Keras tensors, the graph's ends.
        layers: all its layers in order.

    Returns:
        None where the graph does not begin with one plain convolution of few channels.
    """
    import keras

    inner = [layer for layer in layers if type(layer).__name__ != "InputLayer"]
    if not inner or not _is_plain(inner[0]) or any(each is inner[0].output for each in outputs):
        return None
    try:
        rest = keras.Model(inner[0].output, outputs)
    except ValueError:
        return None  # something else looks at the image as well
    return Split(_convolution(inner[0]), rest)


def _is_plain(layer: Any) -> bool:
    if type(layer).__name__ != "Conv2D" or layer.data_format != "channels_last":
        return False
    plain = layer.strides == (1, 1) and layer.dilation_rate == (1, 1) and layer.groups == 1
    return plain and layer.padding == "valid" and layer.kernel.shape[2] <= 3


def _convolution(layer: Any) -> Callable[[Any], Any]:
    tf = start_tensorflow()
    dtype = layer.compute_dtype
    weights = [tf.cast(tf.constant(part), dtype) for part in layer.get_weights()]
    kernel = weights[0]
    rows, columns, channels, filters = (int(side) for side in kernel.shape)
    stamps = tf.transpose(tf.reshape(kernel, (-1, filters)))

    @tf.custom_gradient
    def convolve(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        def into_image(dy: Any) -> Any:
            height, width = dy.shape[1:3]
            product = tf.matmul(tf.reshape(dy, (-1, filters)), stamps)
            shape = (-1, height, width, rows * columns, channels)
            parts = tf.unstack(tf.reshape(product, shape), axis=3)
            return tf.add_n(
                [
                    tf.pad(part, ((0, 0), (r, rows - 1 - r), (c, columns - 1 - c), (0, 0)))
                    for part, (r, c) in zip(
                        parts, ((r, c) for r in range(rows) for c in range(columns)), strict=True
                    )
                ]
            )

        return tf.nn.conv2d(x, kernel, 1, "VALID"), into_image

    def first(x: Any) -> Any:
        y = convolve(tf.cast(x, dtype))
        if layer.use_bias:
            y = tf.nn.bias_add(y, weights[1])
        return layer.activation(y)

    return first
