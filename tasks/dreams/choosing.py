"""Which map each tile of a picture is dreamt with: the strongest, one for a class, a guide's, or given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage
from tasks.dreams.carving import Layer, see, to_channels
from tasks.dreams.levels import Level, Mode, lay_out
from tasks.dreams.objective_text import read_objective
from tasks.dreams.objectives import MOST_TERMS, Objective, channel
from tasks.dreams.pixels import standardise
from tasks.dreams.resizing import on_one_thread
from tasks.dreams.tones import standardise_picture, to_luma
from tasks.dreams.viewer import PACKAGES, Viewer
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

GUIDING = 12  # maps of a guide's tile that are dreamt with; weaker ones only blur
_LIMP = 0.1  # of the mean map: maps that hardly ever answer must not win by a trifle
_FOR_CLASS = re.compile(r"class:\s*(.+)")


class Choice(NamedTuple):
    """choices: table [level, row, column, objective (text), map (−1: several), strength (of that
    map in the tile before the dream, as a multiple of what is usual)] · summary: distinct
    (objectives), finding."""

    choices: pd.DataFrame
    summary: dict[str, Any]


class _Seen(NamedTuple):
    """What all tiles of a level make of the maps."""

    activations: np.ndarray  # (tiles, maps)
    relative: np.ndarray  # (tiles, maps), as multiples of what is usual
    guide: np.ndarray | None  # relative, of the guide's tiles


@stage(packages=(*PACKAGES, "pandas"))
def choose_maps(
    model: File,
    photo: np.ndarray,
    usual: pd.DataFrame | None = None,
    guide: np.ndarray | None = None,
    *,
    levels: Sequence[Mapping[str, Any]] = ({"grid": "1"}, {"grid": "2"}),
    layer: str = "Conv2D_3",
    mode: Mode = "corrected",
    overlap: float = 0.5,
    stretch: bool = False,
) -> Choice:
    """Give every tile its objective, as text.

    Arguments:
        model: a `.keras` file.
        photo: RGB uint8 (h, w, 3).
        usual: table [map, class, mean], how the images of each class drive each map; without it a
            tile is compared with the other tiles.
        guide: another photo, for `guide`; tiles take over what the guide shows at their place.
        levels: as `lay_out` takes them, each with `maps`: a map's number (−1: the whole layer),
            "auto" (the map that the tile drives most beyond what is usual), "class:9" (the map that
            tells that class best from all others), "guide", the text of an objective; or a list of
            these, dealt out to the tiles in turn, in which a list is dreamt with all at once.
        layer: whose maps these are.

    Raises InputError: no such layer, map or class, or a text that is no objective.
    """
    import numpy as np
    import pandas as pd

    viewer = Viewer(model, layer=layer)
    shape = viewer.shape
    grey = standardise_picture(to_luma(photo))
    other = None if guide is None else standardise_picture(to_luma(guide))
    options: dict[str, Any] = {"mode": mode, "overlap": overlap, "stretch": stretch}
    laid = beside = lay_out(levels, grey.shape, shape, **options)
    if other is not None:
        tied = tie_levels([(len(one.grid.rows), len(one.grid.columns)) for one in laid], levels)
        beside = lay_out(tied, other.shape, shape, **options)
    with on_one_thread():
        each = [_look(viewer, grey, one) for one in laid]
    common = _usual(usual, np.concatenate(each))
    rows = []
    for number, (one, twin, found, level) in enumerate(
        zip(laid, beside, each, levels, strict=True)
    ):
        led = None
        if other is not None:
            led = _look(viewer, other, twin) / common
        seen = _Seen(found, found / common, led)
        maps = level.get("maps", "auto")
        dealt = list(maps) if isinstance(check_maps(maps), list | tuple) else [maps]
        for tile, place in enumerate(one.places):
            objective = _objective(dealt[tile % len(dealt)], tile, seen, usual, layer)
            own = _single_map(objective, layer)
            strength = float(seen.relative[tile, own]) if own >= 0 else None
            rows.append((number, *place, str(objective), own, strength))
    names = ["level", "row", "column", "objective", "map", "strength"]
    choices = pd.DataFrame(rows, columns=names).astype({"strength": "float64"})
    distinct = int(choices["objective"].nunique())
    finding = (
        f"{counted(len(choices), 'tile')} on {counted(len(laid), 'level')} dream with "
        f"{counted(distinct, 'objective')}."
    )
    return Choice(choices, {"distinct": distinct, "finding": finding})


def check_maps(wanted: Any) -> Any:
    """A level's `maps` as it came; raises InputError for a text that is nothing of all that is known.

    Whether the network has such a map, or its table such a class, shows once it is there.
    """
    if isinstance(wanted, list | tuple):
        if not wanted:
            raise InputError('maps = []: name a map, or "auto"')
        for each in wanted:
            check_maps(each)
            if isinstance(each, list | tuple) and _count_terms(each) > MOST_TERMS:
                raise InputError(
                    f"maps: {_count_terms(each)} dreamt with at once; at most {MOST_TERMS} are taken"
                )
    elif isinstance(wanted, bool) or not isinstance(wanted, int | str):
        raise InputError(f"maps: {wanted!r} is no map")
    elif isinstance(wanted, int):
        if wanted < -1:
            raise InputError(f"map {wanted}: maps count from 0, and −1 stands for all")
    elif wanted not in ("auto", "guide") and not _FOR_CLASS.fullmatch(wanted):
        read_objective(wanted)
    return wanted


def _count_terms(maps: Any) -> int:
    """Products in what a tile dreams with, at most."""
    if isinstance(maps, list | tuple):
        return sum(_count_terms(each) for each in maps)
    if maps == "guide":
        return GUIDING
    if isinstance(maps, int) or maps == "auto" or _FOR_CLASS.fullmatch(maps):
        return 1
    return len(read_objective(maps).terms)


def _look(viewer: Viewer, grey: np.ndarray, level: Level) -> np.ndarray:
    """What the tiles of a level make of the maps: mean activations, float32 (tiles, maps)."""
    seen = see(grey, Layer(level.grid, level.places, ()), viewer.shape)
    return viewer.look(to_channels(standardise(seen), viewer.shape)).means


def tie_levels(
    counts: Sequence[tuple[int, int]], levels: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The levels with a photo's rows × columns spelt out, for a guide of another shape."""
    return [
        {**level, "grid": f"{rows}x{columns}"}
        for (rows, columns), level in zip(counts, levels, strict=True)
    ]


def _usual(table: pd.DataFrame | None, found: np.ndarray) -> np.ndarray:
    """What each map is usually driven to: by the table's images, else by these tiles; float32 (maps,)."""
    import numpy as np

    if table is None:
        means = found.mean(axis=0)
    else:
        known = table.groupby("map")["mean"].mean()
        if len(known) > found.shape[1]:
            raise InputError(
                f"the table speaks of {len(known)} maps, the layer has {found.shape[1]}: is it of "
                "another network or layer?"
            )
        # Of a layer with very many maps only the first were measured.
        every = known.reindex(range(found.shape[1])).fillna(float(known.mean()))
        means = every.to_numpy(np.float64)
    floor = _LIMP * float(np.abs(means).mean()) or 1.0
    return (np.maximum(means, 0) + floor).astype(np.float32)


def _objective(
    wanted: Any, tile: int, seen: _Seen, table: pd.DataFrame | None, layer: str
) -> Objective:
    import numpy as np

    maps = seen.activations.shape[1]
    if isinstance(wanted, int):
        if not -1 <= wanted < maps:
            raise InputError(f'map {wanted}: "{layer}" has maps 0 to {maps - 1}, and −1 for all')
        return channel(layer, wanted)
    if isinstance(wanted, str):
        if wanted == "auto":
            return channel(layer, int(np.argmax(seen.relative[tile])))
        if wanted == "guide":
            return _guided(seen, tile, layer)
        named = _FOR_CLASS.fullmatch(wanted)
        return channel(layer, map_for(table, named[1])) if named else read_objective(wanted)
    first, *rest = (_objective(one, tile, seen, table, layer) for one in wanted)
    for one in rest:
        first = first + one
    return first * (1 / len(wanted))


def _guided(seen: _Seen, tile: int, layer: str) -> Objective:
    """The maps that the guide's tile drives most, weighted as it drives them."""
    import numpy as np

    if seen.guide is None:
        raise InputError('maps = "guide": there is no guide picture; set guide to a photo')
    drive = seen.guide[tile]
    strongest = np.argsort(-drive, kind="stable")[:GUIDING]
    weights = drive[strongest] / max(float(drive[strongest].sum()), 1e-6)
    objective = Objective(())
    for number, weight in zip(strongest, weights, strict=True):
        objective = objective + round(float(weight), 4) * channel(layer, int(number))
    return objective if objective.atoms else channel(layer, -1)


def map_for(table: pd.DataFrame | None, name: str) -> int:
    """The map with the largest mean activation on a class less its largest on another class.

    Arguments:
        table: [map, class, mean].

    Raises InputError: no table, or no such class in it.
    """
    if table is None:
        raise InputError(f"class:{name}: this network has no table of maps and classes")
    wide = table.assign(**{"class": table["class"].astype(str)}).pivot(
        index="map", columns="class", values="mean"
    )
    if name not in wide.columns:
        raise InputError(f"class:{name}: there are {', '.join(map(str, wide.columns))}")
    others = wide.drop(columns=name).max(axis=1) if wide.shape[1] > 1 else 0.0
    score = wide[name] - others
    return int(score.index[int(score.to_numpy().argmax())])


def _single_map(objective: Objective, layer: str) -> int:
    atoms = objective.atoms
    single = len(atoms) == 1 and len(objective.terms) == 1 and atoms[0].layer == layer
    return atoms[0].map if single and atoms[0].spot is None else -1
