"""Five ways to scale images, learned from the training images alone, and their way back.

unit                 x / 255
standard             (x − mean) / deviation, pixel by pixel
normalise            x / |x|, image by image: all images then lie on the unit sphere
standard-normalise   the one, then the other
normalise-standard
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine import InputError, stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

Scaling = Literal["unit", "standard", "normalise", "standard-normalise", "normalise-standard"]

SCALINGS = ("unit", "standard", "normalise", "standard-normalise", "normalise-standard")
_ROWS = 4096  # at a time, so that no second copy of all images is ever held


class Scaled(NamedTuple):
    """train, test: float32 (n, d)."""

    train: np.ndarray
    test: np.ndarray


@stage(packages=("numpy",))
def fit_scaling(
    train: Mapping[str, np.ndarray], *, scaling: Scaling = "normalise"
) -> dict[str, np.ndarray]:
    """What a scaling learns from the training images.

    A pixel that is the same in all training images has deviation 0 and is only shifted; an image
    without any light stays 0.

    Arguments:
        train: x, uint8 (n, h, w), 0..255.

    Returns:
        steps: text, "standard" and "normalise" in their order; mean, deviation (d,), norm (1,),
        float64: 0, 1 and 1 where there is no such step.

    Raises:
        InputError: an unknown scaling.
    """
    import numpy as np

    if scaling not in SCALINGS:
        raise InputError(f"scaling = {scaling!r}: choose one of {', '.join(SCALINGS)}")
    steps = [] if scaling == "unit" else scaling.split("-")
    size = train["x"][0].size
    learned = {"mean": np.zeros(size), "deviation": np.ones(size), "norm": np.ones(1)}
    for place, step in enumerate(steps):
        # Each step sees what the steps before it made.
        blocks = (_apply(block, steps[:place], learned) for block in _blocks(train["x"]))
        learned |= _learn_standard(blocks) if step == "standard" else _learn_norm(blocks)
    return {"steps": np.array(steps, dtype="U9"), **learned}


@stage(packages=("numpy",))
def scale_images(
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    learned: Mapping[str, np.ndarray],
) -> Scaled:
    """Images as scaled rows: four times the bytes, so only for those who cluster all pixels.

    Arguments:
        train, test: x, uint8 (n, h, w), 0..255.
        learned: what `fit_scaling` returned.
    """
    return Scaled(*(_scale_all(part, learned) for part in (train, test)))


def take_blocks(
    rows: np.ndarray | Mapping[str, np.ndarray], learned: Mapping[str, np.ndarray] | None = None
) -> Iterator[np.ndarray]:
    """Rows, 4,096 at a time, float32 (b, d), not to be written to.

    Arguments:
        rows: float32 (n, d), taken as they are; or images, x, uint8 (n, h, w), which are scaled
            on the way, so that no scaled copy of all of them is ever held.
        learned: what `fit_scaling` returned; without it images are divided by 255.
    """
    if isinstance(rows, Mapping):
        for block in _blocks(rows["x"]):
            yield block if learned is None else _apply(block, learned["steps"], learned)
    else:
        for start in range(0, len(rows), _ROWS):
            yield rows[start : start + _ROWS]


def unscale(points: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """Scaled rows as grey values 0..255, float32 (k, d), as far as that is possible.

    Normalising forgets how much light an image had; the mean of the training images stands in.
    """
    import numpy as np

    values = np.asarray(points, dtype=np.float32)
    for step in learned["steps"][::-1]:
        values = values * learned["deviation" if step == "standard" else "norm"]
        if step == "standard":
            values = values + learned["mean"]
    return np.clip(255 * values, 0, 255).astype(np.float32)


def _blocks(images: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of at most 4,096 images, float32 (b, d), 0..1."""
    import numpy as np

    for start in range(0, len(images), _ROWS):
        block = images[start : start + _ROWS]
        yield block.reshape(len(block), -1) * np.float32(1 / 255)


def _apply(
    block: np.ndarray, steps: Iterable[str], learned: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Scale rows in place, float32 (b, d)."""
    import numpy as np

    for step in steps:
        if step == "standard":
            block -= learned["mean"].astype(np.float32)
            block /= learned["deviation"].astype(np.float32)
        else:
            length = _lengths(block)
            block /= np.where(length > 0, length, 1)[:, None]
    return block


def _scale_all(images: Mapping[str, np.ndarray], learned: Mapping[str, np.ndarray]) -> np.ndarray:
    import numpy as np

    scaled = np.empty((len(images["x"]), images["x"][0].size), dtype=np.float32)
    start = 0
    for block in take_blocks(images, learned):
        scaled[start : start + len(block)] = block
        start += len(block)
    return scaled


def _learn_standard(blocks: Iterator[np.ndarray]) -> dict[str, np.ndarray]:
    """Mean and deviation of each column, summed in float64."""
    import numpy as np

    rows, total, squares = 0, np.float64(0), np.float64(0)
    for block in blocks:
        rows += len(block)
        total = total + block.sum(axis=0, dtype=np.float64)
        squares = squares + np.einsum("nd,nd->d", block, block, dtype=np.float64)
    mean = np.asarray(total / rows)
    variance = np.asarray(squares / rows) - mean**2
    # What is left of a constant column is rounding.
    variance[variance < 1e-9 * np.maximum(mean**2, 1e-9)] = 0
    return {"mean": mean, "deviation": np.where(variance > 0, np.sqrt(np.abs(variance)), 1.0)}


def _learn_norm(blocks: Iterator[np.ndarray]) -> dict[str, np.ndarray]:
    """Mean length of the rows."""
    import numpy as np

    lengths = np.concatenate([_lengths(block) for block in blocks])
    return {"norm": np.array([lengths.mean(dtype=np.float64)])}


def _lengths(block: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.sqrt(np.einsum("nd,nd->n", block, block))
