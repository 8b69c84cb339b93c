"""The atlas: for every map of a layer the pattern that triggers it best, all maps in one batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage, work
from tasks.dreams.ascent import Ascent, Climbing
from tasks.dreams.networks import open_network
from tasks.dreams.objectives import Objective, channel
from tasks.dreams.start_images import draw_starts
from tasks.dreams.viewer import PACKAGES, Viewer
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np

_FLOATS = 2**26  # of the start images, and of one a map: 85,000 of MNIST's size, 440 of 224 × 224


class Starts(NamedTuple):
    """searched: float32 (maps, h, w, c), for each map the start that ended highest after a few
    steps · plain: the same shape, one start a map, taken as it comes · summary: starts, candidates,
    silent (maps that no start moved), plain_alive (maps that their plain start moves), finding."""

    searched: np.ndarray
    plain: np.ndarray
    summary: dict[str, Any]


class Patterns(NamedTuple):
    """images: float32 (maps, h, w, c) · values: float32 (maps, steps + 1), the activation of each
    image's map on its way · summary: maps, alive (end above zero), dead (numbers of the others),
    steps, finding."""

    images: np.ndarray
    values: np.ndarray
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def search_starts(
    model: File,
    *,
    layer: str = "Conv2D_3",
    starts: int = 2048,
    candidates: int = 3,
    steps: int = 10,
    rate: float = 0.02,
    seed: int = 0,
    most: int = 256,
) -> Starts:
    """Find a start image for each map: many are shown to all maps at once, the best climb a little.

    A ReLU that is off at every place has no gradient, so a climb from such an image ends where it
    began; one pass of the network over all starts tells which image moves which map.

    Arguments:
        starts: random images that are tried for every map; of large ones fewer, see summary.
        candidates: of a map, the best ones, which climb `steps` steps of `rate` before one is taken.
        seed: of the images.
        most: of a layer with more maps the first so many; of large images fewer.

    Raises:
        InputError: no such layer.
    """
    import numpy as np

    viewer = Viewer(model, layer=layer)
    room = max(1, _FLOATS // math.prod(viewer.shape))
    maps = min(viewer.maps, most, room)
    starts = max(1, min(starts, room))
    pool = draw_starts(max(starts, maps), viewer.shape, seed)
    found = viewer.look(pool, lambda done, total: work.progress(done, total, "start image")).means[
        :, :maps
    ]
    plain = np.arange(maps)
    searched = found[:starts]
    ranked = np.argsort(-searched, axis=0, kind="stable")[: min(candidates, starts)]
    chosen = ranked[0]
    if len(ranked) > 1 and steps:
        objectives = [channel(layer, number) for number in range(maps)]
        ascent = Ascent(viewer.network, objectives)
        climb = ascent.climb(
            pool[ranked.reshape(-1)], objectives * len(ranked), Climbing(steps=steps, rate=rate)
        )
        ends = climb.values[:, -1].reshape(ranked.shape)
        chosen = ranked[ends.argmax(axis=0), np.arange(maps)]
    silent = np.flatnonzero(searched.max(axis=0) <= 0)
    alive = int((found[plain, plain] > 0).sum())
    return Starts(
        pool[chosen],
        pool[plain],
        {
            "starts": starts,
            "candidates": len(ranked),
            "maps": maps,
            "silent": silent.tolist(),
            "plain_alive": alive,
            "finding": f"One random image each moves {alive} of {counted(maps, 'map')}, the best of "
            f"{starts:,} moves {maps - len(silent)}.",
        },
    )


@stage(packages=PACKAGES)
def grow_patterns(
    model: File,
    starts: np.ndarray,
    *,
    layer: str = "Conv2D_3",
    steps: int = 200,
    rate: float = 0.02,
    octaves: int = 1,
    octave_ratio: float = 1.4,
    total_variation: float = 0.3,
    jitter: int = 1,
    hold: bool = True,
    seed: int = 0,
) -> Patterns:
    """Let start image m climb until it triggers map m: all maps in one batch.

    Arguments:
        starts: standardised, float32 (maps, h, w, c).
        steps … seed: see `tasks.dreams.ascent.Climbing`.
    """
    import numpy as np

    network = open_network(model)
    objectives: list[Objective] = [channel(layer, number) for number in range(len(starts))]
    ascent = Ascent(network, objectives)
    how = Climbing(
        steps=steps, rate=rate, octaves=octaves, octave_ratio=octave_ratio,
        total_variation=total_variation, jitter=jitter, hold=hold, seed=seed,
    )  # fmt: skip
    told = _Teller(len(starts), steps, ascent.chunk)
    climb = ascent.climb(np.asarray(starts), objectives, how, watch=told, reports=20)
    alive = climb.values[:, -1] > 0
    return Patterns(
        climb.images,
        climb.values,
        {
            "layer": layer,
            "maps": len(starts),
            "alive": int(alive.sum()),
            "dead": np.flatnonzero(~alive).tolist(),
            "steps": steps,
            "finding": f"After {counted(steps, 'step')} {int(alive.sum())} of "
            f"{counted(len(starts), 'map')} end above zero.",
        },
    )


class _Teller:
    """Turns a climb's reports, chunk by chunk, into the stage's progress."""

    def __init__(self, images: int, steps: int, chunk: int) -> None:
        self._images, self._steps, self._chunk = images, steps, chunk
        self._before = 0

    def __call__(self, step: int, images: np.ndarray, values: np.ndarray) -> None:
        done = self._before * self._steps + step * len(images)
        if step == self._steps:
            self._before += len(images)
        work.progress(
            done / self._images, self._steps, "step", activation=float(values[values < 1e30].mean())
        )
