"""A Keras model's layers as plain operations, in a precision that is chosen for the training alone.

The model itself stays what it is: float32, made of Keras's own layers. Its layers are read off
here, one after the other, and multiplied in bfloat16 where that was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from engine import StageError
from tasks.training.runtime import start_tensorflow


def run_layers(
    layers: Sequence[Any], values: Any, precision: Literal["float32", "bfloat16"]
) -> Any:
    """What a chain of layers makes of `values`, float32 or bfloat16 (b, …), inside a graph.

    Arguments:
        layers: Keras layers: Conv2D, Conv2DTranspose, Dense, LeakyReLU, ReLU, MaxPooling2D,
            Flatten, Reshape, ZeroPadding2D, Cropping2D.

    Returns:
        In the precision; gradients flow to the layers' variables.
    """
    tf = start_tensorflow()
    dtype = tf.as_dtype(precision)
    values = tf.cast(values, dtype)
    for layer in layers:
        values = _run(layer, values, dtype)
    return values


def _run(layer: Any, x: Any, dtype: Any) -> Any:
    tf = start_tensorflow()
    kind = type(layer).__name__
    if kind == "InputLayer":
        return x
    if kind in ("Conv2D", "Conv2DTranspose", "Dense"):
        kernel = tf.cast(layer.kernel.value, dtype)
        if kind == "Conv2D":
            x = tf.nn.conv2d(x, kernel, layer.strides, layer.padding.upper())
        elif kind == "Conv2DTranspose":
            x = _transpose(layer, x, kernel)
        else:
            x = tf.matmul(x, kernel)
        x = tf.nn.bias_add(x, tf.cast(layer.bias.value, dtype))
        return _activate(layer, x)
    if kind == "LeakyReLU":
        return tf.nn.leaky_relu(x, layer.negative_slope)
    if kind == "ReLU":
        return tf.nn.relu(x)
    if kind == "MaxPooling2D":
        return tf.nn.max_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())
    if kind == "Flatten":
        return tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])
    if kind == "Reshape":
        return tf.reshape(x, [-1, *layer.target_shape])
    if kind == "ZeroPadding2D":
        return tf.pad(x, [[0, 0], *layer.padding, [0, 0]])
    if kind == "Cropping2D":
        (top, bottom), (left, right) = layer.cropping
        return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
    raise StageError(f"layer {layer.name}: a {kind} cannot be trained here; known are run_layers's")


def _transpose(layer: Any, x: Any, kernel: Any) -> Any:
    tf = start_tensorflow()
    (rows, columns), filters = layer.strides, layer.filters
    shape = [tf.shape(x)[0], x.shape[1] * rows, x.shape[2] * columns, filters]
    return tf.nn.conv2d_transpose(x, kernel, shape, layer.strides, layer.padding.upper())


def _activate(layer: Any, x: Any) -> Any:
    tf = start_tensorflow()
    name = layer.activation.__name__
    known = {"linear": lambda v: v, "relu": tf.nn.relu}
    if name not in known:
        raise StageError(
            f"layer {layer.name}: activation {name} cannot be trained here; known are "
            f"{', '.join(known)} (softmax and sigmoid belong to the loss)"
        )
    return known[name](x)
