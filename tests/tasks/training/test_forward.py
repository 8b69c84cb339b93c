from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import StageError
from tasks.training.forward import _kernel_gradient, run_layers
from tasks.training.runtime import start_tensorflow


@pytest.fixture(scope="module")
def chain() -> Any:
    """Every kind of layer that can be trained."""
    start_tensorflow()
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((7, 9, 2)),
            layers.ZeroPadding2D(((0, 1), (1, 2))),
            layers.Conv2D(6, 3, 2, "same"),
            layers.LeakyReLU(0.3),
            layers.Conv2D(5, 3, activation="relu"),
            layers.Conv2D(4, 1, padding="same"),
            layers.Flatten(),
            layers.Dense(48),
            layers.ReLU(),
            layers.Reshape((4, 4, 3)),
            layers.Conv2DTranspose(3, 3, 2, "same"),
            layers.LeakyReLU(0.3),
            layers.Conv2DTranspose(1, 3, 1, "same"),
            layers.LeakyReLU(0.3),
            layers.Conv2D(2, 3),
            layers.MaxPooling2D(2),
            layers.Cropping2D(((1, 0), (0, 1))),
        ]
    )
    random = np.random.default_rng(0)
    model.set_weights(
        [random.normal(0, 0.3, w.shape).astype(np.float32) for w in model.get_weights()]
    )
    return model


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 7, 9, 2)).astype(np.float32)


def gradients(model: Any, forward: Any, images: np.ndarray) -> tuple[Any, list[np.ndarray]]:
    tf = start_tensorflow()
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(jit_compile=False)
    def compute(x: Any) -> Any:
        with tf.GradientTape() as tape:
            y = tf.cast(forward(x), tf.float32)
            loss = tf.reduce_sum(y**2) / 2
        return y, tape.gradient(loss, variables)

    y, found = compute(tf.constant(images))
    return y.numpy(), [each.numpy() for each in found]


def test_in_float32_it_is_the_model_and_its_gradients(chain: Any, images: np.ndarray) -> None:
    y, found = gradients(chain, lambda x: run_layers(chain.layers, x, "float32"), images)
    expected, theirs = gradients(chain, lambda x: chain(x), images)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    for ours, other in zip(found, theirs, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())


def test_in_bfloat16_it_is_so_to_two_digits(chain: Any, images: np.ndarray) -> None:
    y, found = gradients(chain, lambda x: run_layers(chain.layers, x, "bfloat16"), images)
    expected, theirs = gradients(chain, lambda x: chain(x), images)
    assert np.abs(y - expected).max() < 0.03 * np.abs(expected).max()
    for ours, other in zip(found, theirs, strict=True):
        assert ours.dtype == np.float32
        assert np.linalg.norm(ours - other) < 0.06 * np.linalg.norm(other)


@pytest.mark.parametrize("sides", [(8, 8), (7, 10)], ids=str)
@pytest.mark.parametrize("kernel", [(3, 3), (5, 2)], ids=str)
def test_the_gathered_gradient_is_tensorflows(sides: Any, kernel: Any) -> None:
    tf = start_tensorflow()
    random = np.random.default_rng(0)
    places = [-(-side // 2) for side in sides]

    def normal(*shape: int) -> Any:
        return tf.cast(tf.constant(random.normal(size=shape).astype(np.float32)), tf.bfloat16)

    x, dy = normal(3, *sides, 64), normal(3, *places, 6)
    taps = normal(*kernel, 64, 6)

    @tf.function(jit_compile=False)
    def both(x: Any, dy: Any) -> Any:
        exact = tf.raw_ops.Conv2DBackpropFilter(
            input=tf.cast(x, tf.float32), filter_sizes=taps.shape, out_backprop=tf.cast(dy, tf.float32),
            strides=[1, 2, 2, 1], padding="SAME",
        )  # fmt: skip
        return exact, tf.cast(_kernel_gradient(x, dy, taps, [1, 2, 2, 1], "SAME"), tf.float32)

    exact, ours = (each.numpy() for each in both(x, dy))
    np.testing.assert_allclose(ours, exact, atol=0.01 * np.abs(exact).max())


def test_what_it_cannot_train_is_named() -> None:
    start_tensorflow()
    import keras

    x = np.zeros((1, 3, 3, 1), np.float32)
    with pytest.raises(StageError, match="layer drop: a Dropout cannot be trained here"):
        run_layers([keras.layers.Dropout(0.5, name="drop")], x, "float32")
    dense = keras.layers.Dense(2, "softmax", name="classes")
    dense.build((None, 3))
    with pytest.raises(StageError, match=r"activation softmax .* belong to the loss"):
        run_layers([dense], np.zeros((1, 3), np.float32), "float32")
