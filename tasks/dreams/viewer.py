"""A network looks at images: the means of a layer's maps and the chances of the classes, in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File
from tasks.dreams.measure import count_floats, find_output, image_shape
from tasks.dreams.networks import PACKAGES, open_network
from tasks.dreams.pixels import DOOR, enter, standardise
from tasks.dreams.resizing import resize
from tasks.dreams.tones import LUMA
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PACKAGES", "Look", "Viewer"]

_MOST = 500  # images of a batch
_BYTES = 128 * 2**20


class Look(NamedTuple):
    """means: float32 (n, maps), each map's mean activation · chances: float32 (n, classes), which
    add up to 1."""

    means: np.ndarray
    chances: np.ndarray


class Viewer:
    """A network as the stages see it; it takes standardised images.

    Arguments:
        model: a `.keras` file.
        layer: whose maps are measured; "" the classes' scores.

    Raises InputError: no readable model, no network of images, or no such layer.
    """

    def __init__(self, model: File, *, layer: str = "") -> None:
        self.network = open_network(model)
        self.shape = image_shape(self.network)
        self.layer = layer
        self._has_door = any(each.name.startswith(DOOR) for each in self.network.layers)
        self._call, self.maps, self.classes, largest = self._compile()
        self._batch = max(1, min(_MOST, _BYTES // (4 * largest)))

    def prepare(self, images: np.ndarray) -> np.ndarray:
        """Images uint8 (n, h, w) or (n, h, w, c) as the network's: float32 (n, *shape).

        Standardised, or so that an adopted network sees the very pixels it was trained on. Resized
        to its height and width; grey is repeated for three channels, colours become luma for one.
        """
        import numpy as np

        found = np.asarray(images, np.float32)
        found = found[..., None] if found.ndim == 3 else found
        height, width, channels = self.shape
        if found.shape[1:3] != (height, width):
            planes = resize(np.moveaxis(found, -1, 1), height, width)
            found = np.moveaxis(planes, 1, -1)
        if channels == 1 and found.shape[3] == 3:
            found = found @ np.array(LUMA, np.float32)[:, None]
        if found.shape[3] != channels:
            found = np.repeat(found[..., :1], channels, axis=3)
        return enter(found) if self._has_door else standardise(found)

    def look(self, images: np.ndarray, watch: Callable[[int, int], None] | None = None) -> Look:
        """What the network makes of standardised images (n, *shape).

        Arguments:
            watch: called with the images done and their number after each batch.
        """
        import numpy as np

        means = np.empty((len(images), self.maps), np.float32)
        chances = np.empty((len(images), self.classes), np.float32)
        for first in range(0, len(images), self._batch):
            rows = slice(first, first + self._batch)
            means[rows], chances[rows] = (each.numpy() for each in self._call(images[rows]))
            if watch is not None:
                watch(min(first + self._batch, len(images)), len(images))
        return Look(means, chances)

    def _compile(self) -> tuple[Any, int, int, int]:
        """The compiled look, the numbers of maps and classes, and the floats of one image."""
        tf = start_tensorflow()
        import keras

        scores = find_output(self.network, "")
        maps = find_output(self.network, self.layer) if self.layer else scores
        inner = keras.Model(self.network.inputs[0], [maps, scores])
        image = keras.Input(self.shape)
        maps, scores = inner(image)
        part = keras.Model(image, [maps, scores])
        classes = int(scores.shape[1]) if len(scores.shape) == 2 else 0

        def call(images: Any) -> tuple[Any, Any]:
            maps, scores = part(images, training=False)
            means = tf.reduce_mean(tf.cast(maps, tf.float32), list(range(1, len(maps.shape) - 1)))
            if not classes:
                return means, tf.zeros((tf.shape(images)[0], 0))
            return means, _to_chances(tf.cast(scores, tf.float32))

        signature = [tf.TensorSpec((None, *self.shape), tf.float32)]
        compiled = tf.function(call, input_signature=signature, jit_compile=False, autograph=False)
        floats = sum(count_floats(layer) for layer in part.layers + inner.layers)
        return compiled, int(maps.shape[-1]), classes, max(floats, 1)


def _to_chances(scores: Any) -> Any:
    """Softmax of the scores, unless the network gives chances already: its softmax need not be last."""
    tf = start_tensorflow()
    sums = tf.reduce_sum(scores, axis=1)
    # Sums of half precision are as far from 1 as a hundredth.
    are_chances = tf.reduce_all(scores >= 0) & tf.reduce_all(tf.abs(sums - 1) < 0.01)
    return tf.where(are_chances, scores, tf.nn.softmax(scores))
