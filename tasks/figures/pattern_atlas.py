"""What the page of an atlas shows: every map's pattern, scorecard, class and best real images.

    maps = pack_atlas(scorecard.table, measured.maps, measured.means, test, about, measured.top)
    patterns = pack_patterns(grown.images)
    images = pack_best(test, measured.top)

A flow returns them under one name, `"pattern_atlas": {"maps": …, "patterns": …, "images": …}`, and
names it in `Section(atlases=("pattern_atlas",))`; `report/atlas.py` makes the page of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import File, InputError, stage
from tasks.dreams.pixels import show_contrast
from tasks.figures.sheets import make_sheet
from tasks.figures.words import counted, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

# Of the scorecard and of the maps' own table, what a card on the page says.
_SCORES = (
    "activation",
    "unsearched",
    "best_real",
    "gain",
    "called",
    "chance",
    "shifted",
    "turned",
    "dead",
)
_DIGITS = 5


@stage(packages=("pandas",))
def pack_atlas(
    scorecard: pd.DataFrame,
    maps: pd.DataFrame,
    means: pd.DataFrame,
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    top: np.ndarray,
    *,
    layer: str = "Conv2D_3",
) -> dict[str, Any]:
    """All that is said of each map, one entry a map.

    Arguments:
        scorecard: map and columns as `score_patterns` has them.
        maps: map, class, score, active as `measure_maps` has them.
        means: map, class, mean.
        test: y int64 (n,), codes of the test images' classes.
        about: classes, the names by code.
        top: int64 (maps, k), rows of the test images that move each map most, the best first.

    Returns:
        layer, classes, shown (images a map), maps [{map, class, score, active, the scorecard's
        columns, means (by class), best [{row, class}]}], finding.

    Raises:
        InputError: tables or images of another number of maps.
    """
    count = len(scorecard)
    if not count <= len(maps) or len(top) < count:
        raise InputError(
            f"an atlas of {counted(count, 'map')}: the maps' table has {len(maps):,} rows, and the "
            f"best images are those of {len(top):,} maps"
        )
    names = [str(name) for name in about["classes"]]
    by_class = means.pivot_table(index="map", columns="class", values="mean", observed=True)
    classes = [name for name in names if name in by_class.columns]
    own = maps.set_index("map")
    entries = []
    for row in scorecard.to_dict("records"):
        number = int(row["map"])
        best = [{"row": int(place), "class": names[int(test["y"][place])]} for place in top[number]]
        entries.append(
            {
                "map": number,
                "class": str(own.loc[number, "class"]),
                "score": _plain(own.loc[number, "score"]),
                "active": _plain(own.loc[number, "active"]),
                **{name: _plain(row[name]) for name in _SCORES},
                "means": [_plain(by_class.loc[number, name]) for name in classes],
                "best": best,
            }
        )
    alive = [entry for entry in entries if not entry["dead"]]
    drivers = len({entry["class"] for entry in alive})
    return {
        "layer": layer,
        "classes": classes,
        "shown": int(top.shape[1]),
        "maps": entries,
        "finding": f"{len(alive)} of {counted(count, 'map')} of {prose(layer)} have a pattern that "
        f"triggers them; {counted(drivers, 'class') if drivers == 1 else f'{drivers} classes'} "
        "drive them.",
    }


@stage(packages=("numpy", "pillow"))
def pack_patterns(images: np.ndarray) -> File:
    """The patterns side by side in one PNG, in the contrast in which they are looked at.

    Arguments:
        images: float32 (maps, h, w, c), standardised.

    Raises:
        InputError: no images of one or three colours.
    """
    return make_sheet(show_contrast(images))


@stage(packages=("numpy", "pillow"))
def pack_best(test: Mapping[str, np.ndarray], top: np.ndarray, *, maps: int | None = None) -> File:
    """The best real images of every map in one PNG, those of map 0 first.

    Arguments:
        test: x uint8 (n, h, w[, c]).
        top: int64 (maps, k), rows of the images.
        maps: how many of the maps the atlas has; None: all.

    Raises:
        InputError: no images of one or three colours.
    """
    return make_sheet(test["x"][top[:maps].reshape(-1)])


def _plain(value: Any) -> Any:
    """A number to five digits; None for what is missing; text and yes or no as they are."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float):
        return None if plain != plain else float(f"{plain:.{_DIGITS}g}")
    return plain
