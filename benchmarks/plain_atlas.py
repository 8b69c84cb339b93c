"""Patterns for all maps of a layer, one map after the other, as people write it with Keras alone.

The scheme is that of Keras's filter visualisation example: a feature extractor, a step of gradient
ascent, a Python loop over steps inside one over maps. Step and start are the atlas's, so that both
end alike: x ← x + rate · g / RMS(g), L the mean of a map.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def climb_maps(
    path: str, layer: str, starts: np.ndarray, steps: int, rate: float, compiled: bool
) -> np.ndarray:
    """The images after the climb, float32 (maps, h, w, c).

    Arguments:
        compiled: whether the step is a `tf.function`, as in the example; else it runs eagerly.
    """
    import keras
    import tensorflow as tf

    model = keras.models.load_model(path, compile=False)
    extractor = keras.Model(model.inputs[0], model.get_layer(layer).output)

    def loss_of(image: Any, number: int) -> Any:
        return tf.reduce_mean(extractor(image)[..., number])

    def step(image: Any, number: int, size: float) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = loss_of(image, number)
        gradient = tape.gradient(loss, image)
        gradient = tf.math.divide_no_nan(gradient, tf.sqrt(tf.reduce_mean(gradient**2)))
        return loss, image + size * gradient

    take = tf.function(step) if compiled else step
    found = []
    for number, start in enumerate(starts):
        image = tf.constant(start[None])
        for _ in range(steps):
            _, image = take(image, number, rate)
        found.append(image.numpy()[0])
    return np.stack(found)


def main() -> None:
    """Climb and write the images, and beside them the seconds that it took once TensorFlow was there."""
    import keras  # noqa: F401 — its start is not what is compared
    import tensorflow as tf

    tf.constant(0)
    _, model, layer, starts, steps, rate, kind, target = sys.argv
    begun = time.perf_counter(), time.process_time()
    images = climb_maps(model, layer, np.load(starts), int(steps), float(rate), kind == "compiled")
    took = {"seconds": time.perf_counter() - begun[0], "processor": time.process_time() - begun[1]}
    np.save(target, images)
    Path(target).with_suffix(".json").write_text(json.dumps(took))


if __name__ == "__main__":
    main()
