"""The way of images through a chain of layers, with no more work than an ascent takes.

conv ▸ bias ▸ ReLU ▸ pool      as  conv ▸ pool ▸ bias ▸ ReLU: the same, of a quarter of the numbers
rows and columns at the rim    that no pool takes up: the image goes in without what only they see
first conv                     its gradient as a product of matrices (`first_layer`)
last conv, one map an image    with the kernel of that map alone
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tasks.dreams.first_layer import convolve_first, is_first
from tasks.training.runtime import start_tensorflow

_MOST_SUMS = 2**20  # floats of the matrix that adds up a single map's products
_POINTWISE = ("Activation", "BatchNormalization", "Dropout", "LeakyReLU", "ReLU", "Rescaling")


class Chain:
    """Layers one after the other, from the image to the last of some outputs.

    Arguments:
        layers: Keras layers, each fed by the one before it.
        taps: which of their outputs are wanted.
    """

    def __init__(self, layers: Sequence[Any], taps: Sequence[int]) -> None:
        self._layers, self._taps = list(layers), list(taps)
        self._weights = [layer.get_weights() if _is_conv(layer) else [] for layer in layers]
        single = self._taps == [len(layers) - 1]
        # Of a network that takes images of any size, nothing is known beforehand.
        known = all(None not in layer.input.shape[1:] for layer in layers)
        self._sides = _needed_sides(layers) if single and known else None
        self.is_narrow = single and known and _is_narrow(layers[-1])

    def run(self, images: Any) -> list[Any]:
        """The wanted outputs, in the order of `taps`."""
        return self._run(images, len(self._layers))

    def single_maps(self, images: Any, maps: Any) -> Any:
        """The mean activation of one map an image, float32 (n,); only where `is_narrow`.

        Arguments:
            maps: int32 (n,), numbers of the maps.
        """
        tf = start_tensorflow()
        last = self._layers[-1]
        kernel, *bias = self._weights[-1]
        rows, columns, channels, filters = kernel.shape
        taps = tf.constant(kernel.reshape(rows * columns, channels, filters).transpose(2, 0, 1))
        images = self._run(images, len(self._layers) - 1)[0]
        height, width = images.shape[1:3]
        # Every pixel times every tap of its image's kernel, then sums of what belongs to a place.
        pixels = tf.reshape(images, (-1, height * width, channels))
        products = tf.matmul(pixels, tf.gather(taps, maps), transpose_b=True)
        sums = tf.constant(_sums(height, width, rows, columns))
        places = tf.matmul(tf.reshape(products, (-1, sums.shape[0])), sums)
        if bias:
            places += tf.gather(bias[0], maps)[:, None]
        return tf.reduce_mean(last.activation(places), axis=1)

    def _run(self, x: Any, count: int) -> list[Any]:
        tf = start_tensorflow()
        if self._sides is not None:
            x = _crop(x, *self._sides)
        found = {}
        number = 0
        while number < count:
            layer = self._layers[number]
            following = self._layers[number + 1] if number + 1 < count else None
            swapped = number not in self._taps and _is_pool(following) and _is_conv(layer)
            if _is_conv(layer):
                kernel, *bias = self._weights[number]
                x = _convolve(layer, kernel, x, number == 0)
                if swapped:
                    x = _pool(following, x)
                    number += 1
                x = layer.activation(tf.nn.bias_add(x, bias[0]) if bias else x)
            else:
                x = layer(x)
            found[number] = x
            number += 1
        return [found[tap] for tap in self._taps if tap in found] or [x]


def find_chain(image: Any, outputs: Sequence[Any]) -> Chain | None:
    """The chain of layers from an image to outputs, Keras tensors; None where the way branches."""
    ways = [_way(image, each) for each in outputs]
    longest = max(ways, key=lambda way: len(way or []))
    if not longest or any(not way or way != longest[: len(way)] for way in ways):
        return None
    return Chain(longest, [len(way) - 1 for way in ways if way])


def _way(image: Any, output: Any) -> list[Any] | None:
    """The layers between, each fed by nothing but the one before it; None where it is not so."""
    found: list[Any] = []
    while output is not image:
        layer, number, _ = output._keras_history
        fed = layer._inbound_nodes[number].input_tensors
        if len(fed) != 1:
            return None
        found.insert(0, layer)
        output = fed[0]
    return found


def _sides(tensor: Any) -> tuple[int, int]:
    return int(tensor.shape[1]), int(tensor.shape[2])


def _needed_sides(layers: Sequence[Any]) -> tuple[int, ...] | None:
    """Height and width of the part of an image, from its upper left corner, that reaches the end."""
    sides: tuple[int, ...] | None = None
    for layer in reversed(layers):
        if len(layer.output.shape) == 4 and sides is None:
            sides = _sides(layer.output)
        if sides is not None and (_is_conv(layer) or _is_pool(layer)) and layer.padding == "valid":
            reach = layer.kernel_size if _is_conv(layer) else layer.pool_size
            sides = tuple(
                (side - 1) * step + own
                for side, step, own in zip(sides, layer.strides, reach, strict=True)
            )
        elif type(layer).__name__ not in _POINTWISE:
            sides = _sides(layer.input) if len(layer.input.shape) == 4 else None
    return sides


def _is_conv(layer: Any) -> bool:
    if type(layer).__name__ != "Conv2D" or layer.data_format != "channels_last":
        return False
    plain = layer.strides == (1, 1) and layer.dilation_rate == (1, 1) and layer.groups == 1
    known = getattr(layer.activation, "__name__", "") in ("linear", "relu")
    return plain and known and layer.compute_dtype == "float32"


def _is_pool(layer: Any) -> bool:
    return type(layer).__name__ == "MaxPooling2D" and layer.data_format == "channels_last"


def _is_narrow(layer: Any) -> bool:
    if not _is_conv(layer) or layer.padding != "valid":
        return False
    (height, width), (high, wide) = _sides(layer.input), _sides(layer.output)
    rows, columns = layer.kernel_size
    return height * width * rows * columns * high * wide <= _MOST_SUMS


def _convolve(layer: Any, kernel: Any, x: Any, is_image: bool) -> Any:
    """The convolution alone, without bias and activation."""
    tf = start_tensorflow()
    if is_image and is_first(layer):
        return convolve_first(tf.constant(kernel))(x)
    return tf.nn.conv2d(x, kernel, 1, layer.padding.upper())


def _crop(x: Any, height: int, width: int) -> Any:
    """The upper left corner of images; the gradient of a slice would take as long as a convolution."""
    tf = start_tensorflow()
    rest = ((0, 0), (0, x.shape[1] - height), (0, x.shape[2] - width), (0, 0))

    @tf.custom_gradient
    def crop(x: Any) -> tuple[Any, Any]:
        return x[:, :height, :width], lambda dy: tf.pad(dy, rest)

    return crop(x) if any(map(any, rest)) else x


def _pool(layer: Any, x: Any) -> Any:
    tf = start_tensorflow()
    return tf.nn.max_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())


def _sums(height: int, width: int, rows: int, columns: int) -> Any:
    """Which products of pixels and taps belong to which place: 0 and 1, float32 (products, places)."""
    import numpy as np

    high, wide = height - rows + 1, width - columns + 1
    table = np.zeros((height, width, rows, columns, high, wide), np.float32)
    y, x, r, c = np.ogrid[:high, :wide, :rows, :columns]
    table[y + r, x + c, r, c, y, x] = 1
    return table.reshape(height * width * rows * columns, high * wide)
