"""A Keras model's layers as fast operations, in a precision that is chosen for the training alone.

The model itself stays what it is: float32, made of Keras's own layers. They are read off here, one
after the other; a layer with weights takes its bias and the activation behind it along, and the
gradient of the activation is taken from its output: LeakyReLU keeps signs. So what lies between a
convolution and its activation is never written to memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

from engine import StageError
from tasks.training.runtime import start_tensorflow

# With fewer channels the gathered rows are too short.
_GATHERED = 64
_WEIGHTED = ("Conv2D", "Conv2DTranspose", "Dense")


def run_layers(
    layers: Sequence[Any], values: Any, precision: Literal["float32", "bfloat16"]
) -> Any:
    """What a chain of layers makes of `values`, float32 or bfloat16 (b, …), inside a graph.

    Arguments:
        layers: Keras layers: Conv2D, Conv2DTranspose, Dense, LeakyReLU, ReLU, MaxPooling2D,
            Flatten, Reshape, ZeroPadding2D, Cropping2D; activations linear and relu.

    Returns:
        In the precision; gradients flow to the layers' variables.
    """
    tf = start_tensorflow()
    dtype = tf.as_dtype(precision)
    values = tf.cast(values, dtype)
    waiting = [layer for layer in layers if type(layer).__name__ != "InputLayer"]
    while waiting:
        layer = waiting.pop(0)
        if type(layer).__name__ not in _WEIGHTED:
            values = _reshape(layer, values)
            continue
        slope = _own_slope(layer)
        if slope is None and waiting and type(waiting[0]).__name__ in ("LeakyReLU", "ReLU"):
            slope = float(getattr(waiting.pop(0), "negative_slope", 0.0))
        values = _weigh(layer, values, tf.cast(layer.kernel.value, dtype), slope)
    return values


def _own_slope(layer: Any) -> float | None:
    """The slope below 0 of the activation inside a layer; None: it is linear."""
    slopes = {"linear": None, "relu": 0.0}
    name = layer.activation.__name__
    if name not in slopes:
        raise StageError(
            f"layer {layer.name}: activation {name} cannot be trained here; known are "
            f"{', '.join(slopes)} (softmax and sigmoid belong to the loss)"
        )
    return slopes[name]


def _weigh(layer: Any, x: Any, kernel: Any, slope: float | None) -> Any:
    tf = start_tensorflow()
    kind = type(layer).__name__
    bias = layer.bias.value
    if kind == "Dense":
        return _add_bias(tf.matmul(x, kernel), bias, slope)
    if kind == "Conv2D":
        return _convolve(x, kernel, tf.cast(bias, x.dtype), layer, slope)
    if tuple(layer.strides) == (1, 1) and layer.filters == 1:
        return _add_bias(_transpose_to_one(x, kernel, layer), bias, slope)
    return _add_bias(_transpose(x, kernel, layer), bias, slope)


def _convolve(x: Any, kernel: Any, bias: Any, layer: Any, slope: float | None) -> Any:
    """Convolution, bias and activation; TensorFlow joins the three, as nothing else reads the first two."""
    tf = start_tensorflow()
    strides, padding = [1, *layer.strides, 1], layer.padding.upper()

    @tf.custom_gradient
    def run(x: Any, kernel: Any, bias: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any, Any]]]:
        y = tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides, padding), bias)
        if slope is not None:
            y = tf.nn.relu(y) if slope == 0 else tf.nn.leaky_relu(y, slope)

        def gradients(dy: Any) -> tuple[Any, Any, Any]:
            if slope is not None:
                dy = _slope_gradient()(dy, y, slope)
            common = {"out_backprop": dy, "strides": strides, "padding": padding}
            into_kernel = _kernel_gradient(x, dy, kernel, strides, padding)
            into_x = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(x), filter=kernel, **common
            )
            return into_x, into_kernel, tf.cast(_sum_rows(dy), bias.dtype)

        return y, gradients

    return run(x, kernel, bias)


def _transpose(x: Any, kernel: Any, layer: Any) -> Any:
    """A transposed convolution: the gradient of a convolution by its input."""
    tf = start_tensorflow()
    strides, padding = [1, *layer.strides, 1], layer.padding.upper()

    @tf.custom_gradient
    def run(x: Any, kernel: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        height, width = x.shape[1] * strides[1], x.shape[2] * strides[2]
        shape = [tf.shape(x)[0], height, width, layer.filters]
        y = tf.nn.conv2d_transpose(x, kernel, shape, strides, padding)

        def gradients(dy: Any) -> tuple[Any, Any]:
            into_x = tf.nn.conv2d(dy, kernel, strides, padding)
            return into_x, _kernel_gradient(dy, x, kernel, strides, padding)

        return y, gradients

    return run(x, kernel)


def _kernel_gradient(x: Any, dy: Any, kernel: Any, strides: Sequence[int], padding: str) -> Any:
    """The gradient of a convolution of x by its kernel, where dy is that by its output.

    In bfloat16 it is several matrix products where there are channels enough: what each tap of the
    kernel sees is gathered pixel by pixel, and the product of that with dy takes two thirds of the
    time of TensorFlow's own operation, the copy included.
    """
    tf = start_tensorflow()
    rows, columns, channels, filters = kernel.shape
    if x.dtype != tf.bfloat16 or channels < _GATHERED or strides[1] == 1 or padding != "SAME":
        return tf.raw_ops.Conv2DBackpropFilter(
            input=x, filter_sizes=kernel.shape, out_backprop=dy, strides=strides, padding=padding
        )
    seen = _seen_pixels(x.shape[1:3], (rows, columns), strides[1:3])
    images, pixels = tf.shape(x)[0], x.shape[1] * x.shape[2]
    firsts = pixels * tf.range(images)[None, :, None]
    black = images * pixels  # the row behind all images, for what lies outside
    index = tf.where(seen[:, None] < 0, black, seen[:, None] + firsts)
    flat = tf.concat([tf.reshape(x, [-1, channels]), tf.zeros([1, channels], x.dtype)], 0)
    taps = tf.gather(flat, tf.reshape(index, [rows * columns, -1]))
    product = tf.matmul(taps, tf.reshape(dy, [1, -1, filters]), transpose_a=True)
    return tf.reshape(product, kernel.shape)


def _seen_pixels(sides: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> Any:
    """Which pixel each tap of a kernel sees at each place of the output, padding "same".

    Returns:
        int32 (taps, places), row · width + column; -1 outside.
    """
    import numpy as np

    axes = []
    for side, taps, stride in zip(sides, kernel, strides, strict=True):
        places = -(-side // stride)
        before = max((places - 1) * stride + taps - side, 0) // 2
        at = np.arange(taps)[:, None] + stride * np.arange(places)[None] - before
        axes.append(np.where((at >= 0) & (at < side), at, -1))
    row, column = axes[0][:, None, :, None], axes[1][None, :, None, :]
    pixel = np.where((row < 0) | (column < 0), -1, row * sides[1] + column)
    return pixel.reshape(kernel[0] * kernel[1], -1).astype(np.int32)


def _transpose_to_one(x: Any, kernel: Any, layer: Any) -> Any:
    """A transposed convolution of stride 1 to one filter: each pixel's 3×3 stamp, then nine shifted sums.

    As a product of matrices it takes half the time of the convolution, whose kernels compute 16
    filters at once. The gradient is that of the convolution.
    """
    tf = start_tensorflow()
    rows, columns, _, filters = kernel.shape
    height, width = x.shape[1], x.shape[2]
    padding = layer.padding.upper()
    if padding != "SAME" or rows % 2 == 0 or columns % 2 == 0:
        raise StageError(f"layer {layer.name}: expected padding 'same' and a kernel of odd sides")

    @tf.custom_gradient
    def run(x: Any, kernel: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        stamps = tf.matmul(
            tf.reshape(x, [-1, filters]), tf.reshape(kernel, [-1, filters]), transpose_b=True
        )
        y = _add_shifted()(tf.reshape(stamps, [-1, height, width, rows, columns]))

        def gradients(dy: Any) -> tuple[Any, Any]:
            into_x = tf.nn.conv2d(dy, kernel, 1, padding)
            into_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=dy,
                filter_sizes=kernel.shape,
                out_backprop=x,
                strides=[1] * 4,
                padding=padding,
            )
            return into_x, into_kernel

        return y, gradients

    return run(x, kernel)


def _add_bias(x: Any, bias: Any, slope: float | None) -> Any:
    """x + bias, and LeakyReLU behind it, with bias in float32."""
    tf = start_tensorflow()

    @tf.custom_gradient
    def run(x: Any, bias: Any) -> tuple[Any, Callable[[Any], tuple[Any, Any]]]:
        y = _bias_slope()(x, bias, 1.0 if slope is None else slope)

        def gradients(dy: Any) -> tuple[Any, Any]:
            if slope is not None:
                dy = _slope_gradient()(dy, y, slope)
            return dy, _sum_rows(dy)

        return y, gradients

    return run(x, bias)


def _sum_rows(values: Any) -> Any:
    """The sum over all but the last axis, in float32; the columns of an image stay together at first,
    since long rows are added several times faster."""
    tf = start_tensorflow()
    values = tf.cast(values, tf.float32)
    if len(values.shape) == 2:
        return tf.reduce_sum(values, 0)
    width, channels = values.shape[-2:]
    rows = tf.reduce_sum(tf.reshape(values, [-1, width * channels]), 0)
    return tf.reduce_sum(tf.reshape(rows, [width, channels]), 0)


# What goes pixel by pixel is compiled: in one pass over memory instead of two or three, and bfloat16
# is widened once.


@functools.cache
def _bias_slope() -> Any:
    tf = start_tensorflow()

    @tf.function(jit_compile=True, autograph=False)
    def bias_slope(x: Any, bias: Any, slope: float) -> Any:
        y = tf.cast(x, tf.float32) + bias
        return tf.cast(y if slope == 1 else tf.maximum(y, slope * y), x.dtype)

    return bias_slope


@functools.cache
def _slope_gradient() -> Any:
    tf = start_tensorflow()

    @tf.function(jit_compile=True, autograph=False)
    def slope_gradient(dy: Any, y: Any, slope: float) -> Any:
        factor = tf.where(y > 0, 1.0, slope)
        return tf.cast(factor * tf.cast(dy, tf.float32), dy.dtype)

    return slope_gradient


@functools.cache
def _add_shifted() -> Any:
    tf = start_tensorflow()

    @tf.function(jit_compile=True, autograph=False)
    def add_shifted(stamps: Any) -> Any:
        height, width, rows, columns = stamps.shape[1:]
        above, left = rows // 2, columns // 2
        margin = [[0, 0], [above, above], [left, left], [0, 0], [0, 0]]
        wide = tf.pad(tf.cast(stamps, tf.float32), margin)
        parts = [
            wide[
                :,
                rows - 1 - r : rows - 1 - r + height,
                columns - 1 - c : columns - 1 - c + width,
                r,
                c,
            ]
            for r in range(rows)
            for c in range(columns)
        ]
        return tf.cast(tf.add_n(parts), stamps.dtype)[..., None]

    return add_shifted


def _reshape(layer: Any, x: Any) -> Any:
    tf = start_tensorflow()
    kind = type(layer).__name__
    if kind == "Flatten":
        return tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])
    if kind == "Reshape":
        return tf.reshape(x, [-1, *layer.target_shape])
    if kind == "MaxPooling2D":
        return tf.nn.max_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())
    if kind == "ZeroPadding2D":
        return tf.pad(x, [[0, 0], *layer.padding, [0, 0]])
    if kind == "Cropping2D":
        (top, bottom), (left, right) = layer.cropping
        return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
    raise StageError(f"layer {layer.name}: a {kind} cannot be trained here; see run_layers")
