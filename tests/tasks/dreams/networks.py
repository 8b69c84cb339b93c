"""Small random networks with the shape of the flow's CNN; their maps are alive, nothing is trained."""

from __future__ import annotations

from typing import Any

import numpy as np


def small_cnn(
    shape: tuple[int | None, int | None, int] = (28, 28, 1), maps: int = 8, seed: int = 0
) -> Any:
    """Three convolutions named as the CNN's are, and a softmax over ten classes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(6, 3, activation="relu", name="Conv2D_1"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, activation="relu", name="Conv2D_2"),
            layers.MaxPooling2D(),
            layers.Conv2D(maps, 3, activation="relu", name="Conv2D_3"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(10, activation="softmax", name="classes"),
        ]
    )


def noise(n: int, shape: tuple[int, int, int] = (28, 28, 1), seed: int = 0) -> np.ndarray:
    """Images of mean 0 and deviation 1, float32 (n, h, w, c)."""
    images = np.random.default_rng(seed).normal(size=(n, *shape))
    axes = (1, 2, 3)
    images -= images.mean(axis=axes, keepdims=True)
    return (images / images.std(axis=axes, keepdims=True)).astype(np.float32)


CLASSES = ["lying", "standing", "slope"]


def bars(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Images of 28 × 28 pixels with a lying or a standing bar or a soft slope, classes in turn."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, (count, 28, 28), dtype=np.uint8)
    y = np.arange(count) % 3
    x[y == 2] += np.add.outer(np.arange(28), np.arange(28)).astype(np.uint8) * 4
    for image, kind in zip(x, y, strict=True):
        place = random.integers(8, 20)
        if kind == 0:
            image[place : place + 3] = 220
        elif kind == 1:
            image[:, place : place + 3] = 220
    return {"x": x, "y": y.astype(np.int64)}


def edge_network() -> Any:
    """A network whose maps are known: 0 sees lying edges, 1 standing ones, 2 is dead, 3 sees a
    standing edge that is sharper than most noise has it; its classes are those of `bars`."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", name="edges"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    kernel = np.zeros((3, 3, 1, 4), np.float32)
    lying = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    kernel[:, :, 0, 0], kernel[:, :, 0, 1], kernel[:, :, 0, 3] = lying, lying.T, lying.T
    network.get_layer("edges").set_weights([kernel, np.array([0, 0, -50, -8.5], np.float32)])
    scores = np.array([[4, -4, 0], [-4, 4, 0], [0, 0, 0], [0, 0, 0]], np.float32)
    network.get_layer("classes").set_weights([scores, np.array([0, 0, 1], np.float32)])
    return network
