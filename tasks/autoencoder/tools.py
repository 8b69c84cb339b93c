"""Walks through a latent space, each decoded in one batch: a grid, a walk along every axis, ways
from one image to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage
from tasks.autoencoder.encoding import PACKAGES, decode_points, load_part, to_bytes
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd


class Grid(NamedTuple):
    """images: uint8 (rows · columns, h, w), from the upper left, row by row · plane: across (columns,),
    up (rows,) the coordinates in the plane, falling; origin (d,), axes (2 or 1, d) · summary: columns,
    rows, dimensions, explained (share of z's variance in the plane), finding."""

    images: np.ndarray
    plane: dict[str, np.ndarray]
    summary: dict[str, Any]


class Traversals(NamedTuple):
    """images: uint8 (axes, steps, h, w), the axes that change most first · start: the image that all
    walks pass, original and decoded, uint8 (2, h, w) · axes: axis (1..), low, high, own (its value
    in the start), effect · summary: row, label, dimensions, finding."""

    images: np.ndarray
    start: np.ndarray
    axes: pd.DataFrame
    summary: dict[str, Any]


class Interpolations(NamedTuple):
    """images: uint8 (pairs, steps, h, w), first and last are the ends decoded · ends: uint8 (pairs, 2,
    h, w), the originals · pairs: first, second (rows), first_label, second_label, evenness ·
    summary: steps, evenness, finding."""

    images: np.ndarray
    ends: np.ndarray
    pairs: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def decode_grid(
    decoder: File, points: np.ndarray, *, side: int = 20, outside: float = 0.02
) -> Grid:
    """Decode a rectangle of the plane in which the training points lie: z itself if it has two axes.

    Of more axes it is the plane of their two principal components through their mean; everything
    across it stays at the mean. Of one axis it is a line.

    Arguments:
        points: z of the training images, float32 (n, d).
        side: images along each side.
        outside: share of the points beyond each rim of the rectangle.
    """
    import numpy as np

    origin, axes = _plane(points)
    flat = (points - origin) @ axes.T
    low, high = np.quantile(flat, [outside, 1 - outside], axis=0)
    across = np.linspace(low[0], high[0], side)
    up = np.linspace(high[1], low[1], side) if len(axes) > 1 else np.zeros(1)
    places = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)[:, : len(axes)]
    images = decode_points(load_part(decoder), (origin + places @ axes).astype(np.float32))
    total = float(points.var(axis=0, dtype=np.float64).sum())
    explained = float(flat.var(axis=0, dtype=np.float64).sum()) / total if total else 1.0
    return Grid(
        to_bytes(images),
        {"across": across, "up": up, "origin": origin, "axes": axes},
        {
            "columns": len(across),
            "rows": len(up),
            "dimensions": points.shape[1],
            "explained": min(explained, 1.0),
            "finding": _say_grid(to_bytes(images), len(across), points.shape[1], explained),
        },
    )


@stage(packages=(*PACKAGES, "pandas"))
def traverse(
    decoder: File,
    points: np.ndarray,
    unseen: np.ndarray,
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    start: int = 0,
    steps: int = 11,
    outside: float = 0.02,
    most: int = 16,
) -> Traversals:
    """Walk along every axis of z through the place of one unseen image, the others kept.

    Arguments:
        points, unseen: z of the training and the test images, float32 (n, d), (m, d).
        test: x, uint8 (m, h, w); y, int64 (m,).
        start: the test image.
        steps: images along an axis.
        outside: share of the training points before and beyond the walk.
        most: axes to keep, those that change the image most.

    Raises:
        InputError: there is no such test image.
    """
    import numpy as np
    import pandas as pd

    if not 0 <= start < len(unseen):
        raise InputError(f"start = {start}: there are {len(unseen):,} test images, from 0 on")
    size = points.shape[1]
    low, high = np.quantile(points, [outside, 1 - outside], axis=0)
    walks = np.tile(unseen[start], (size, steps, 1))
    for axis in range(size):
        walks[axis, :, axis] = np.linspace(low[axis], high[axis], steps)
    flat = np.concatenate([unseen[start][None], walks.reshape(-1, size)])
    images = decode_points(load_part(decoder), flat)
    shown = images[1:].reshape(size, steps, *images.shape[1:])
    effect = np.abs(np.diff(shown, axis=1)).sum(axis=1).reshape(size, -1).mean(axis=1)
    order = np.argsort(-effect, kind="stable")[:most]
    own = np.asarray(test["x"][start])
    label = str(about["classes"][int(test["y"][start])])
    table = pd.DataFrame(
        {"axis": order + 1, "low": low[order], "high": high[order], "own": unseen[start][order]}
    ).assign(effect=effect[order].astype(float))
    first, last = int(order[0]), int(np.argmin(effect))
    return Traversals(
        to_bytes(shown[order]),
        np.stack([own.reshape(images.shape[1:]), to_bytes(images[0])]),
        table,
        {
            "row": start,
            "label": label,
            "dimensions": size,
            "finding": f"Along axis {first + 1} an image of {label} changes most"
            + (
                f", {effect[first] / effect[last]:.1f} times as much as along axis {last + 1}."
                if size > 1 and effect[last] > 0
                else "."
            ),
        },
    )


@stage(packages=(*PACKAGES, "pandas"))
def interpolate(
    decoder: File,
    unseen: np.ndarray,
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    pairs: int = 8,
    steps: int = 10,
    seed: int = 0,
) -> Interpolations:
    """Go in a straight line of z from one unseen image to one of another class.

    Arguments:
        unseen: z of the test images, float32 (m, d).
        test: x, uint8 (m, h, w); y, int64 (m,).
        pairs: ways; every class is left once before one is left twice.
        steps: images on each, the ends among them.
        seed: of the choice.

    Raises:
        InputError: all test images are of one class.
    """
    import numpy as np
    import pandas as pd

    codes, names = np.asarray(test["y"]), about["classes"]
    rows = _choose_pairs(codes, pairs, np.random.default_rng(seed))
    share = np.linspace(0, 1, steps, dtype=np.float32)[None, :, None]
    ways = (1 - share) * unseen[rows[:, 0]][:, None] + share * unseen[rows[:, 1]][:, None]
    images = decode_points(load_part(decoder), ways.reshape(-1, unseen.shape[1]))
    shown = images.reshape(len(rows), steps, *images.shape[1:])
    change = np.sqrt(np.square(np.diff(shown, axis=1)).reshape(len(rows), steps - 1, -1).sum(-1))
    evenness = change.mean(axis=1) / np.maximum(change.max(axis=1), 1e-9)
    labels = [[str(names[code]) for code in codes[rows[:, side]]] for side in (0, 1)]
    table = pd.DataFrame(
        {"first": rows[:, 0], "second": rows[:, 1], "first_label": labels[0],
         "second_label": labels[1], "evenness": evenness.astype(float)}
    )  # fmt: skip
    mean = float(evenness.mean())
    ends = np.asarray(test["x"])[rows].reshape(len(rows), 2, *images.shape[1:])
    return Interpolations(
        to_bytes(shown),
        ends,
        table,
        {
            "steps": steps,
            "evenness": mean,
            "finding": f"On {counted(len(rows), 'way')} between images of different classes the "
            f"average step changes the image {percent(mean, 0)} as much as the largest one: 100 % "
            "would be an even change, and a low number a sudden jump.",
        },
    )


def _plane(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A point (d,) and one or two axes (2, d): z's own, or the principal ones, upright as z is."""
    import numpy as np

    size = points.shape[1]
    if size <= 2:
        return np.zeros(size), np.eye(size)
    mean = points.mean(axis=0, dtype=np.float64)
    apart = points - mean
    _, vectors = np.linalg.eigh(apart.T @ apart)
    axes = vectors[:, :-3:-1].T
    # The sign of a component is free; its largest loading is made positive.
    largest = axes[np.arange(2), np.abs(axes).argmax(axis=1)]
    return mean, axes * np.where(largest < 0, -1, 1)[:, None]


def _say_grid(images: np.ndarray, columns: int, size: int, explained: float) -> str:
    """How much of z the plane holds, and how smoothly the images change along its rows."""
    import numpy as np

    lines = images.reshape(-1, columns, images[0].size).astype(np.float32) / 255
    change = float(np.abs(np.diff(lines, axis=1)).mean()) if columns > 1 else 0.0
    held = f", which holds {percent(min(explained, 1.0))} of the variance of z," if size > 2 else ""
    return (
        f"The plane decoded at {counted(len(images), 'point')}{held} changes by "
        f"{percent(change)} of the range of a pixel from one image to the next."
    )


def _choose_pairs(codes: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Rows (count, 2) of different classes."""
    import numpy as np

    there = np.unique(codes)
    if len(there) < 2:
        raise InputError("all test images are of one class: there is no way to another one")
    turns = [random.permutation(there) for _ in range(-(-count // len(there)))]
    chosen = []
    for code in np.concatenate(turns)[:count]:
        other = random.choice(there[there != code])
        chosen.append([int(random.choice(np.flatnonzero(codes == each))) for each in (code, other)])
    return np.array(chosen)
