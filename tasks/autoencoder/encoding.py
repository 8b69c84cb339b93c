"""Images as points of a latent space, and points as images again, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import File, InputError, stage, work
from tasks.figures.words import counted
from tasks.training.forward import run_layers
from tasks.training.model_file import read_model
from tasks.training.precision import resolve_precision
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

PACKAGES = ("tensorflow", "keras", "numpy")

_BATCH = 500  # images: the first layer's 32 maps of them are 50 MB


class Latents(NamedTuple):
    """train, test: z, float32 (n, z), in the order of the images · summary: dimensions, train, test,
    mean, deviation (by axis, of the training points), finding."""

    train: np.ndarray
    test: np.ndarray
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def encode(
    encoder: File,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    *,
    precision: Literal["auto", "float32", "bfloat16"] = "float32",
) -> Latents:
    """The place of every image in the latent space; of a variational encoder, its mean.

    Arguments:
        encoder: a Keras model, images float32 (n, h, w, c) in 0..1 to z (n, d).
        train, test: x, uint8 (n, h, w) or (n, h, w, c).
        precision: float32 gives what the model itself gives; in bfloat16 points lie some thousandths
            of a deviation beside that, twice as fast; of a model of `build_networks` alone.

    Raises:
        InputError: the encoder takes images of another shape, or an unknown precision.
    """
    chosen = resolve_precision(precision)
    model = load_part(encoder)
    _check_shape(model, train["x"])
    call = _trace(model, chosen)
    images = (train["x"], test["x"])
    total, done, points = sum(map(len, images)), 0, []
    for part in images:
        points.append(_apply(call, part, _to_unit, done, total))
        done += len(part)
    mean, deviation = points[0].mean(axis=0), points[0].std(axis=0)
    return Latents(
        points[0],
        points[1],
        {
            "dimensions": points[0].shape[1],
            "train": len(points[0]),
            "test": len(points[1]),
            "mean": [float(value) for value in mean],
            "deviation": [float(value) for value in deviation],
            "finding": f"{counted(total, 'image')} as points with "
            f"{counted(points[0].shape[1], 'coordinate')}; the mean of the training points lies "
            f"{float((mean**2).sum() ** 0.5):.1f} from the origin, and they spread by "
            f"{float(deviation.min()):.1f} to {float(deviation.max()):.1f} along the axes.",
        },
    )


@stage(packages=PACKAGES)
def decode(decoder: File, points: np.ndarray) -> np.ndarray:
    """Points (n, d) as images, uint8 (n, h, w), or (n, h, w, c) of more than one channel."""
    return to_bytes(decode_points(load_part(decoder), points))


def load_part(file: File) -> Any:
    """The encoder or the decoder, ready to be called; TensorFlow is started first."""
    start_tensorflow()
    return read_model(file)


def decode_points(model: Any, points: np.ndarray) -> np.ndarray:
    """Points (n, d) as images, float32 (n, h, w) or (n, h, w, c), 0..1: batches of one compiled call.

    Raises:
        InputError: the decoder takes points of another number of coordinates.
    """
    expected = int(model.input_shape[-1])
    if points.ndim != 2 or points.shape[1] != expected:
        raise InputError(
            f"the decoder takes points of {expected} coordinates, not an array of {points.shape}"
        )
    return without_channel(_apply(_trace(model), points, _as_floats, 0, len(points)))


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Images of 0..1 as uint8, 0..255, rounded."""
    import numpy as np

    return np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)


def without_channel(images: np.ndarray) -> np.ndarray:
    """Grey images (n, h, w, 1) as (n, h, w); others as they are."""
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images


def _to_unit(images: np.ndarray) -> np.ndarray:
    import numpy as np

    values = np.asarray(images, dtype=np.float32) / np.float32(255)
    return values[..., None] if values.ndim == 3 else values


def _as_floats(points: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(points, dtype=np.float32)


def _trace(model: Any, precision: Literal["float32", "bfloat16"] = "float32") -> Any:
    """The model, of a variational encoder its mean, as one graph for batches of any size, float32."""
    import tensorflow as tf

    variational = len(model.outputs) > 1  # the mean and the logarithm of the variance

    def first(batch: Any) -> Any:
        if precision == "float32":
            found = model(batch, training=False)
            return tf.cast(found[0] if variational else found, tf.float32)
        layers = model.layers[:-1] if variational else model.layers
        return tf.cast(run_layers(layers, batch, precision), tf.float32)

    # One trace for every batch, the last and smaller one too; the traced function itself: tf.function
    # would warn of a new one for every model. No autograph: it reads the source file, which may have
    # been edited since this process imported it.
    signature = [tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)]
    traced = tf.function(first, input_signature=signature, jit_compile=False, autograph=False)
    return traced.get_concrete_function()


def _apply(
    call: Any, rows: np.ndarray, prepare: Callable[[np.ndarray], np.ndarray], done: int, total: int
) -> np.ndarray:
    """A graph's output for all rows, float32, told as progress from `done` of `total` on."""
    import numpy as np
    import tensorflow as tf

    found = np.empty((len(rows), *call.output_shapes[1:]), dtype=np.float32)
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        found[start : start + len(part)] = call(tf.constant(prepare(part))).numpy()
        work.progress(done + start + len(part), total, unit="image")
    return found


def _check_shape(model: Any, images: np.ndarray) -> None:
    given = tuple(images.shape[1:]) if images.ndim == 4 else (*images.shape[1:], 1)
    expected = tuple(model.input_shape[1:])
    if given != expected:
        raise InputError(f"the encoder takes images of shape {expected}, not {given}")
