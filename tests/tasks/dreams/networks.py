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
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax", name="classes"),
        ]
    )


def noise(n: int, shape: tuple[int, int, int] = (28, 28, 1), seed: int = 0) -> np.ndarray:
    """Images of mean 0 and deviation 1, float32 (n, h, w, c)."""
    images = np.random.default_rng(seed).normal(size=(n, *shape))
    axes = (1, 2, 3)
    images -= images.mean(axis=axes, keepdims=True)
    return (images / images.std(axis=axes, keepdims=True)).astype(np.float32)
