"""The post's way to carve a dream: eager TensorFlow, one tile after the other, written from its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

EPOCHS, REPORTS, EPSILON = 30, 6, 0.01
LOOPS = 4


class PatternFinder:
    """The post's class for OIPs: climbs from an image towards what triggers a map best."""

    def __init__(self, network: Any, layer: str) -> None:
        import keras

        self.part = keras.Model(network.inputs[0], network.get_layer(layer).output)
        self.reports: list[tuple[float, np.ndarray]] = []

    def derive(self, image: Any, index: int) -> Any:
        """The image after `EPOCHS` steps of `EPSILON`, looked at after each of `REPORTS` parts."""
        import tensorflow as tf

        for epoch in range(EPOCHS):
            with tf.GradientTape() as tape:
                tape.watch(image)
                loss = tf.reduce_mean(self.part(image)[0, :, :, index])
            gradient = tape.gradient(loss, image)
            gradient /= tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-7
            image += EPSILON * gradient
            if (epoch + 1) % (EPOCHS // REPORTS) == 0:
                self.reports.append((float(loss), image[0, :, :, 0].numpy()))
        return image

    def activation(self, image: Any, index: int) -> float:
        """The map's mean activation."""
        import tensorflow as tf

        return float(tf.reduce_mean(self.part(image)[0, :, :, index]))


def carve(
    network: Any, layer: str, grey: np.ndarray, quadrants: Sequence[tuple[int, int]], index: int
) -> tuple[np.ndarray, list[float]]:
    """The final picture and the activations of its quadrants and of the whole.

    Arguments:
        grey: the working picture, not yet standardised, float32 (w, w).
        quadrants: row and column (0 or 1) of those that are treated.
        index: the map, on both scales.
    """
    import tensorflow as tf

    finder = PatternFinder(network, layer)
    standardise = tf.image.per_image_standardization
    side, half = grey.shape[0], grey.shape[0] // 2

    def resize(image: Any, to: int) -> Any:
        return tf.image.resize(image, [to, to], method="bicubic", antialias=True)

    full = standardise(grey.reshape(1, side, side, 1))
    small = standardise(resize(full, 28))
    correction = full - standardise(resize(small, side))
    corrections = {}
    for row, column in quadrants:
        tile = full[:, row * half : (row + 1) * half, column * half : (column + 1) * half]
        corrections[row, column] = tile - standardise(resize(resize(tile, 28), half))
    inner = small
    for _ in range(LOOPS):
        dreamt = finder.derive(inner, index)
        picture = standardise(resize(dreamt, side) + correction).numpy()
        for row, column in quadrants:
            place = np.s_[:, row * half : (row + 1) * half, column * half : (column + 1) * half]
            tile = finder.derive(resize(tf.constant(picture[place]), 28), index)
            picture[place] = resize(tile, half) + corrections[row, column]
        picture = standardise(picture)
        inner = resize(picture, 28)
    activations = [finder.activation(inner, index)]
    for row, column in quadrants:
        tile = picture[:, row * half : (row + 1) * half, column * half : (column + 1) * half]
        activations.append(finder.activation(resize(tile, 28), index))
    return picture[0, :, :, 0].numpy(), activations
