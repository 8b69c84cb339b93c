"""Patterns for all maps of a layer, one map after the other, as people write it with Keras alone.

The scheme is that of Keras's example "Visualizing what convnets learn": a feature extractor that ends
with the layer, a step of gradient ascent as a `tf.function`, a Python loop over steps inside one over
maps, one image at a time. Step, starts and search are the atlas's, so that both end alike:

    x ← x + rate · g / RMS(g)            L the mean of a map
    of many random images those that move the map most, a few steps from each, then the climb

published: the map's number is Python's, as in the example, and the step is traced for each map anew
one graph: the number is a tensor, and one graph serves all maps
eager: no graph
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("published", "one graph", "eager")
CANDIDATES, FIRST_STEPS, FIRST_RATE = 3, 10, 0.02  # of the search
BATCH = 512


class Loop:
    """The example's feature extractor, its step, and the loops around it."""

    def __init__(self, path: str, layer: str, kind: str) -> None:
        import keras
        import tensorflow as tf

        model = keras.models.load_model(path, compile=False)
        self._extractor = keras.Model(model.inputs[0], model.get_layer(layer).output)
        self._take = self._step if kind == "eager" else tf.function(self._step)
        self._see = self._rate if kind == "eager" else tf.function(self._rate)
        self._number = tf.constant if kind == "one graph" else int

    def climb(self, start: np.ndarray, number: int, steps: int, rate: float) -> np.ndarray:
        """The image (h, w, c) after the climb."""
        import tensorflow as tf

        image = tf.constant(start[None])
        for _ in range(steps):
            _, image = self._take(image, self._number(number), rate)
        return image.numpy()[0]

    def search(self, pool: np.ndarray, number: int) -> np.ndarray:
        """The start (h, w, c) that one map likes best, of a pool."""
        found = [self._seen(pool[i : i + BATCH], number) for i in range(0, len(pool), BATCH)]
        best = np.argsort(-np.concatenate(found), kind="stable")[:CANDIDATES]
        ends = [self.climb(pool[i], number, FIRST_STEPS, FIRST_RATE) for i in best]
        return pool[best[int(np.argmax(self._seen(np.stack(ends), number)))]]

    def _seen(self, images: np.ndarray, number: int) -> np.ndarray:
        import tensorflow as tf

        return self._see(tf.constant(images), self._number(number)).numpy()

    def _rate(self, images: Any, number: Any) -> Any:
        import tensorflow as tf

        return tf.reduce_mean(self._extractor(images)[..., number], axis=(1, 2))

    def _step(self, image: Any, number: Any, size: float) -> Any:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = tf.reduce_mean(self._extractor(image)[..., number])
        gradient = tape.gradient(loss, image)
        gradient = tf.math.divide_no_nan(gradient, tf.sqrt(tf.reduce_mean(gradient**2)))
        return loss, image + size * gradient


def main() -> None:
    """Climb and write the images, and beside them the seconds that it took once TensorFlow was there."""
    import keras  # noqa: F401 — its start is not what is compared
    import tensorflow as tf

    tf.constant(0)
    _, model, layer, starts, maps, steps, rate, kind, target = sys.argv
    begun = time.perf_counter(), time.process_time()
    loop, pool = Loop(model, layer, kind), np.load(starts)
    images = []
    for number in range(int(maps)):
        # As many starts as maps: each has its own, and there is nothing to search.
        start = loop.search(pool, number) if len(pool) > int(maps) else pool[number]
        images.append(loop.climb(start, number, int(steps), float(rate)))
    took = {"seconds": time.perf_counter() - begun[0], "processor": time.process_time() - begun[1]}
    np.save(target, np.stack(images))
    Path(target).with_suffix(".json").write_text(json.dumps(took))


if __name__ == "__main__":
    main()
