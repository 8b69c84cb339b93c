"""The dream of one photo: carved loop by loop, watched tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage, work
from tasks.dreams.ascent import Ascent, Climbing
from tasks.dreams.carving import Layer, State, carve_corrected, carve_seed, see, to_channels
from tasks.dreams.colour import bend_luma
from tasks.dreams.levels import Level, Mode, lay_out
from tasks.dreams.measure import image_shape
from tasks.dreams.networks import PACKAGES, open_network
from tasks.dreams.objective_text import read_objective
from tasks.dreams.objectives import Objective
from tasks.dreams.resizing import on_one_thread, resize
from tasks.dreams.tones import (
    Moments,
    clip_contrast,
    moments,
    standardise_each,
    standardise_picture,
    to_bytes,
    to_luma,
)
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FRAME = 640  # pixels of the longer side of an intermediate picture
_LOOPS = (1, 100)


class Carved(NamedTuple):
    """picture: F at the end, standardised, float32 (h, w) · frames: the original and F after every
    level of every loop, in the photo's tones (`seed`: clip contrast), uint8 (n, h, w) · steps: table
    [loop (0: before), level, frame, ends_loop], a row a frame · trace: table [loop, level, row,
    column, objective, before, after (a climb), kept (in the picture at the loop's end), original] ·
    summary: loops, tiles, values by level, changed, finding."""

    picture: np.ndarray
    frames: np.ndarray
    steps: pd.DataFrame
    trace: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=(*PACKAGES, "pandas"))
def carve_picture(
    model: File,
    photo: np.ndarray,
    choices: pd.DataFrame,
    *,
    levels: Sequence[Mapping[str, Any]] = ({"grid": "1"}, {"grid": "2"}),
    mode: Mode = "corrected",
    overlap: float = 0.5,
    stretch: bool = False,
    loops: int = 4,
    evenness: float = 0.0,
    climbing: Climbing = Climbing(),  # noqa: B008 — frozen
) -> Carved:
    """Carve the patterns of its tiles' maps into a photo.

    Arguments:
        model: a `.keras` file.
        photo: RGB uint8 (h, w, 3).
        choices: table [level, row, column, objective, …] of `choose_maps`, made with these levels.
        levels: as `lay_out` takes them; `strength` multiplies what is dreamt on a level.
        mode: "corrected", or "seed" as the post does.
        loops: passes over all levels.
        evenness: of "corrected": 0 puts back each tile's own deviation, 1 dreams as strongly where
            a picture is flat.
        climbing: how the network's small images climb.

    Raises InputError.
    """
    import numpy as np
    import pandas as pd

    least, most = _LOOPS
    if not least <= loops <= most:
        raise InputError(f"loops = {loops}: expected {least} to {most}")
    network = open_network(model)
    shape = image_shape(network)
    luma = to_luma(photo)
    tone = moments(luma) if mode == "corrected" else None
    grey = standardise_picture(luma)
    laid = lay_out(levels, grey.shape, shape, mode=mode, overlap=overlap, stretch=stretch)
    layers = [
        Layer(
            one.grid,
            one.places,
            _objectives(choices, number, one),
            float(level.get("strength", 1.0)),
        )
        for number, (one, level) in enumerate(zip(laid, levels, strict=True))
    ]
    every = list(dict.fromkeys(o for layer in layers for o in layer.objectives))
    ascent = Ascent(network, every)
    carving = _carve(mode, ascent, grey, layers, climbing, loops, evenness)

    with on_one_thread():
        frames, steps, rows = [_frame(grey, grey, tone)], [(0, -1, 0, True)], []
        original = rate_tiles(ascent, grey, layers, is_standardised=mode == "seed")
        for state in carving:
            picture = state.pictures[0]
            steps.append((state.loop + 1, state.level, len(frames), state.ends_loop))
            frames.append(_frame(picture, grey, tone))
            if not state.ends_loop:
                continue
            kept = rate_tiles(ascent, picture, layers, is_standardised=mode == "seed")
            for visit in state.visits:
                where = (visit.level, *visit.place)
                before, after = visit.before, visit.after
                rows.append((state.loop + 1, *where, before, after, kept[where], original[where]))
            mean = float(np.mean([visit.after for visit in state.visits]))
            work.progress(state.loop + 1, loops, "loop", activation=mean)
    texts = {
        (number, *place): str(objective)
        for number, layer in enumerate(layers)
        for place, objective in zip(layer.places, layer.objectives, strict=True)
    }
    columns = ["loop", "level", "row", "column", "before", "after", "kept", "original"]
    trace = pd.DataFrame(rows, columns=columns)
    named = [
        texts[where] for where in zip(trace["level"], trace["row"], trace["column"], strict=True)
    ]
    trace.insert(4, "objective", named)
    table = pd.DataFrame(steps, columns=["loop", "level", "frame", "ends_loop"])
    return Carved(picture, np.stack(frames), table, trace, _summarise(trace, laid, picture, grey))


def rate_tiles(
    ascent: Ascent, picture: np.ndarray, layers: Sequence[Layer], *, is_standardised: bool
) -> dict[tuple[int, int, int], float]:
    """The value of each tile's objective, by level, row and column.

    Arguments:
        is_standardised: whether the network sees tiles as they are; else each is standardised.
    """
    import numpy as np

    seen = [see(picture, layer, ascent.shape) for layer in layers]
    if not is_standardised:
        seen = [standardise_each(tiles)[0] for tiles in seen]
    batch = to_channels(np.concatenate(seen), ascent.shape)
    values = ascent.rate(batch, [o for layer in layers for o in layer.objectives])
    places = [(n, *place) for n, layer in enumerate(layers) for place in layer.places]
    return dict(zip(places, map(float, values), strict=True))


def _carve(
    mode: str,
    ascent: Ascent,
    grey: np.ndarray,
    layers: Sequence[Layer],
    climbing: Climbing,
    loops: int,
    evenness: float,
) -> Iterator[State]:
    levels = [[layer] for layer in layers]
    if mode == "seed":
        return carve_seed(ascent, [grey], levels, climbing, loops=loops)
    return carve_corrected(ascent, [grey], levels, climbing, loops=loops, evenness=evenness)


def _objectives(choices: pd.DataFrame, number: int, level: Level) -> list[Objective]:
    """The objectives of a level's tiles; raises InputError where the table is of other levels."""
    own = choices[choices["level"] == number]
    texts = dict(zip(zip(own["row"], own["column"], strict=True), own["objective"], strict=True))
    if set(texts) != set(level.places):
        raise InputError(f"level {number}: the maps were chosen for other tiles")
    return [read_objective(texts[place], longest=None) for place in level.places]


def _frame(picture: np.ndarray, original: np.ndarray, tone: Moments | None) -> np.ndarray:
    """A small picture to look at: in the photo's tones, without them in the post's clip contrast."""
    height, width = picture.shape
    scale = min(1.0, FRAME / max(height, width))
    small = (max(1, round(height * scale)), max(1, round(width * scale)))
    shown = picture if small == picture.shape else resize(picture, *small)
    return (
        clip_contrast(shown, original) if tone is None else to_bytes(bend_luma(shown, tone) / 255)
    )


def _summarise(
    trace: pd.DataFrame, laid: Sequence[Level], picture: np.ndarray, grey: np.ndarray
) -> dict[str, Any]:
    import numpy as np

    last = trace[trace["loop"] == trace["loop"].max()]
    levels = []
    for number, level in enumerate(laid):
        own = last[last["level"] == number]
        before, kept = float(own["original"].mean()), float(own["kept"].mean())
        levels.append({"grid": level.text, "tiles": len(own), "original": before, "dreamt": kept})
    rose = int((last["kept"] > last["original"]).sum())
    changed = float(np.sqrt(np.mean((picture - grey) ** 2, dtype=np.float64)))
    before, kept = float(last["original"].mean()), float(last["kept"].mean())
    # A ratio to next to nothing, or to what is below zero, says nothing.
    growth = (
        f"{kept / before:.1f} times as strong as in the photo"
        if before > 0.01 * abs(kept)
        else f"which moves their activation from {before:.2f} to {kept:.2f} on average"
    )
    finding = (
        f"After {counted(int(trace['loop'].max()), 'loop')} the patterns stand out in {rose} of "
        f"{counted(len(last), 'tile')}, {growth}; grey values moved by {changed:.2f} of their "
        "deviation."
    )
    return {"levels": levels, "rose": rose, "changed": changed, "finding": finding}
