"""The first convolution of a network, with a gradient into its images that takes a third of the time.

TensorFlow takes that gradient as a convolution to one or three channels, whose kernels compute
sixteen at once. Here every place of the maps stamps its kernel's shape onto the image:

    dx = Σ over the kernel's places (r, c) of  shifted by (r, c) ( dy · kernel[r, c]ᵀ )
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.training.runtime import start_tensorflow


def is_first(layer: Any) -> bool:
    """Whether a plain convolution, of stride 1 and without groups, can be computed in this way."""
    return bool(layer.padding == "valid" and layer.kernel.shape[2] <= 3)


def convolve_first(kernel: Any) -> Callable[[Any], Any]:
    """The convolution of images with a kernel, stride 1 and padding "valid"; tensors in and out."""
    tf = start_tensorflow()
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

    return convolve
