"""Carving: patterns that a network finds in the tiles of a picture are made stronger, loop by loop.

    corrected, for each level of a loop:           seed, the post's form:

      tiles of F ─ R ▸ s                             D ← climb(I)          I: what is left of F in
      s ─ standardise ▸ z, mean, deviation           F ← S(R D + C)           the network's size
      z ─ climb ▸ z'                                 for each finer level and its tiles:
      F ← F + Σ weight · R(deviation · (z' − z))       s' ← climb(R tile of F)
    and F ← S(F) at the end of the loop                tile of F ← R s' + C_m
                                                     F ← S(F), I ← R F

R resizes (bicubic, antialiased), S standardises, climb is the network's gradient ascent. Adding what
changed is what adding details of F itself comes to: R(s') + (tile − R(s)), with the deviation put
back, as the post's addendum asks; so nothing that finer levels dreamt is lost in the next loop, and
weights that add up to 1 leave no border. In `seed`, details C and C_m are the original's, as posted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tasks.dreams.ascent import Ascent, Climbing
from tasks.dreams.objectives import Objective
from tasks.dreams.resizing import resize, resize_matrix
from tasks.dreams.tiles import Grid, cut
from tasks.dreams.tones import standardise_each, standardise_picture

if TYPE_CHECKING:
    import numpy as np

Place = tuple[int, int]


@dataclass(frozen=True)
class Layer:
    """A level of one picture: its grid, the tiles that are dreamt in, and an objective for each."""

    grid: Grid
    places: Sequence[Place]
    objectives: Sequence[Objective]
    strength: float = 1.0


@dataclass(frozen=True)
class Visit:
    """What a climb did to one tile: its objective's value before and after it."""

    picture: int
    loop: int
    level: int
    place: Place
    before: float
    after: float


@dataclass(frozen=True)
class State:
    """How far a carving is: pictures float32 (h, w), standardised at the end of a loop."""

    loop: int
    level: int
    ends_loop: bool
    pictures: Sequence[np.ndarray]
    visits: Sequence[Visit]


def see(picture: np.ndarray, layer: Layer, shape: tuple[int, ...]) -> np.ndarray:
    """What the network sees of a layer's tiles: float32 (tiles, h, w)."""
    import numpy as np

    height, width = shape[:2]
    seen = np.empty((len(layer.places), height, width), np.float32)
    for index, (row, column) in enumerate(layer.places):
        window = cut(picture, layer.grid.rows[row], layer.grid.columns[column])
        seen[index] = resize(window, height, width)
    return seen


def to_channels(images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Grey images (n, h, w) as (n, h, w, c), the same in every channel."""
    import numpy as np

    return np.repeat(images[..., None], shape[2], axis=3)


def carve_corrected(
    ascent: Ascent,
    pictures: Sequence[np.ndarray],
    levels: Sequence[Sequence[Layer]],
    climbing: Climbing,
    *,
    loops: int,
    evenness: float = 0.0,
) -> Iterator[State]:
    """Carve pictures together, level by level and loop by loop; all tiles of a level climb at once.

    Arguments:
        pictures: standardised, float32 (h, w) each.
        levels: for each level a layer for each picture.
        evenness: 0 puts a tile's own deviation back, 1 dreams as strongly where it is flat.
    """
    now = [picture.copy() for picture in pictures]
    for loop in range(loops):
        visits: list[Visit] = []
        for level, layers in enumerate(levels):
            seen = [see(f, layer, ascent.shape) for f, layer in zip(now, layers, strict=True)]
            standard = [standardise_each(each) for each in seen]
            climbed = _climb(
                ascent,
                [z for z, _, _ in standard],
                layers,
                _reseeded(climbing, loop, level),
                loop,
                level,
                visits,
            )
            for f, layer, (z, _, deviations), higher in zip(
                now, layers, standard, climbed, strict=True
            ):
                gains = layer.strength * deviations ** (1 - evenness)
                _add(f, layer, gains * (higher - z))
            ends = level == len(levels) - 1
            if ends:
                now = [standardise_picture(f) for f in now]
            yield State(loop, level, ends, now, tuple(visits) if ends else ())


def carve_seed(
    ascent: Ascent,
    pictures: Sequence[np.ndarray],
    levels: Sequence[Sequence[Layer]],
    climbing: Climbing,
    *,
    loops: int,
) -> Iterator[State]:
    """Carve as the post does, formula by formula; the first level is the whole picture as one tile."""
    height, width = ascent.shape[:2]
    small = [standardise_picture(resize(g, height, width)) for g in pictures]
    details = [
        g - standardise_picture(resize(d, *g.shape)) for g, d in zip(pictures, small, strict=True)
    ]
    finer = [
        [_details(g, layer, ascent.shape) for g, layer in zip(pictures, layers, strict=True)]
        for layers in levels[1:]
    ]
    now = list(pictures)
    for loop in range(loops):
        visits: list[Visit] = []
        climbed = _climb(ascent, [d[None] for d in small], levels[0], climbing, loop, 0, visits)
        now = [
            standardise_picture(resize(d[0], *c.shape) + c)
            for d, c in zip(climbed, details, strict=True)
        ]
        if len(levels) > 1:
            yield State(loop, 0, False, now, ())
        for level, layers in enumerate(levels[1:], start=1):
            seen = [see(f, layer, ascent.shape) for f, layer in zip(now, layers, strict=True)]
            climbed = _climb(ascent, seen, layers, climbing, loop, level, visits)
            for f, layer, tiles, corrections in zip(
                now, layers, climbed, finer[level - 1], strict=True
            ):
                for (row, column), tile, correction in zip(
                    layer.places, tiles, corrections, strict=True
                ):
                    place = layer.grid.rows[row].tile, layer.grid.columns[column].tile
                    f[place] = resize(tile, *correction.shape) + correction
            if level < len(levels) - 1:
                yield State(loop, level, False, now, ())
        now = [standardise_picture(f) for f in now]
        small = [resize(f, height, width) for f in now]
        yield State(loop, len(levels) - 1, True, now, tuple(visits))


def _climb(
    ascent: Ascent,
    images: Sequence[np.ndarray],
    layers: Sequence[Layer],
    climbing: Climbing,
    loop: int,
    level: int,
    visits: list[Visit],
) -> list[np.ndarray]:
    """Let the tiles (n, h, w) of all pictures climb in one batch, and note what it did to each."""
    import numpy as np

    batch = to_channels(np.concatenate(images), ascent.shape)
    climb = ascent.climb(batch, [o for layer in layers for o in layer.objectives], climbing)
    higher = climb.images.mean(axis=3) if ascent.shape[2] > 1 else climb.images[..., 0]
    places = [(number, place) for number, layer in enumerate(layers) for place in layer.places]
    for (number, place), values in zip(places, climb.values, strict=True):
        visits.append(Visit(number, loop, level, place, float(values[0]), float(values[-1])))
    ends = np.cumsum([len(each) for each in images])[:-1]
    return list(np.split(higher, ends))


def _reseeded(climbing: Climbing, loop: int, level: int) -> Climbing:
    """Other shifts in each loop and level, the same in each run."""
    return replace(climbing, seed=climbing.seed + 1000 * loop + level)


def _add(picture: np.ndarray, layer: Layer, changes: np.ndarray) -> None:
    """Add tiles' changes (n, h, w) to a picture, each faded out where its neighbours take over."""
    grid = layer.grid
    height, width = picture.shape
    for (row, column), change in zip(layer.places, changes, strict=True):
        up = _fading(grid.rows[row], grid.row_weights[row], height, change.shape[0])
        across = _fading(grid.columns[column], grid.column_weights[column], width, change.shape[1])
        place = grid.rows[row].inside(height), grid.columns[column].inside(width)
        picture[place] += (up @ change) @ across.T


def _fading(span: Any, weights: np.ndarray, pixels: int, small: int) -> np.ndarray:
    """The matrix that enlarges a window's line, its rows weighted, as far as it lies in the picture."""
    seen = span.seen(pixels)
    return resize_matrix(small, span.length)[seen] * weights[seen, None]


def _details(picture: np.ndarray, layer: Layer, shape: tuple[int, ...]) -> list[np.ndarray]:
    """C_m = Q_m − S(R q_m) for each tile Q_m of the original."""
    found = []
    for (row, column), small in zip(layer.places, see(picture, layer, shape), strict=True):
        tile = picture[layer.grid.rows[row].tile, layer.grid.columns[column].tile]
        found.append(tile - standardise_picture(resize(small, *tile.shape)))
    return found
