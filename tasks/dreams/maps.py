"""Which class drives which map of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage, work
from tasks.dreams.viewer import PACKAGES, Viewer
from tasks.figures.words import counted, listing, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

_TOP = 6  # images of each map


class Maps(NamedTuple):
    """means: map, class, mean (activation on that class's images) · maps: map, class (that drives
    it), score, mean, active (share of all images that move it), best (its largest activation by an
    image), image (row of that one), dead · top: int64 (maps, 6), rows of the images that move each map
    most, the best first · summary: layer, maps, dead (their numbers), driven {class: its maps, the
    highest score first}, finding."""

    means: pd.DataFrame
    maps: pd.DataFrame
    top: np.ndarray
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def measure_maps(
    model: File,
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    layer: str = "Conv2D_3",
) -> Maps:
    """Measure each map's mean activation on the test images of each class.

    score of map m for class c = its mean on c − its largest mean on another class; the class with
    the highest score drives the map. A map that no image moves is dead.

    Arguments:
        test: x uint8 (n, h, w[, c]), y int64 (n,).
        about: classes, the names by code.

    Raises:
        InputError: no such layer.
    """
    import numpy as np
    import pandas as pd

    viewer = Viewer(model, layer=layer)
    codes = np.asarray(test["y"])
    found = viewer.look(
        viewer.prepare(test["x"]), lambda done, total: work.progress(done, total, "image")
    ).means
    names = [str(name) for name in about["classes"]]
    # A class without a test image drives nothing.
    there = [code for code in range(len(names)) if (codes == code).any()]
    means = np.stack([found[codes == code].mean(axis=0, dtype=np.float64) for code in there])
    driver, score = drive(means)
    count = found.shape[1]
    text = np.array(names, dtype=object)[there]
    top = np.argsort(-found, axis=0, kind="stable")[:_TOP].T
    best = top[:, 0]
    highest = found[best, np.arange(count)].astype(np.float64)
    # Of layers without a ReLU, activations may be negative; a map is dead where nothing moves it.
    dead = np.ptp(found, axis=0) == 0
    table = pd.DataFrame(
        {
            "map": np.arange(count),
            "class": text[driver],
            "score": score,
            "mean": means.mean(axis=0),
            "active": (found > 0).mean(axis=0),
            "best": highest,
            "image": best,
            "dead": dead,
        }
    )
    alive = table[~table["dead"]]
    driven = {
        names[code]: alive[alive["class"] == names[code]]
        .sort_values(["score", "map"], ascending=[False, True])["map"]
        .astype(int)
        .tolist()
        for code in there
    }
    long = pd.DataFrame(
        {
            "map": np.repeat(np.arange(count), len(there)),
            "class": np.tile(text, count),
            "mean": means.T.reshape(-1),
        }
    )
    summary = {
        "layer": layer,
        "maps": count,
        "images": len(codes),
        "dead": table.loc[table["dead"], "map"].astype(int).tolist(),
        "driven": driven,
        "finding": _say(layer, table, driven),
    }
    return Maps(long, table, np.ascontiguousarray(top), summary)


def drive(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class that drives each map and its score there.

    Arguments:
        means: mean activations, (classes, maps).

    Returns:
        class, int64 (maps,); score, float64 (maps,), 0 of a map that all classes move alike.
    """
    import numpy as np

    driver = means.argmax(axis=0)
    if len(means) == 1:
        return driver, means[0].copy()
    second, first = np.sort(means, axis=0)[-2:]
    return driver, first - second


def _say(layer: str, table: pd.DataFrame, driven: Mapping[str, list[int]]) -> str:
    """What drives most and least, the clearest map, the dead ones."""
    dead = [f"{number}" for number in table.loc[table["dead"], "map"]]
    alive = table[~table["dead"]]
    fate = f"{len(dead)} {'is' if len(dead) == 1 else 'are'} dead ({listing(dead, 8)})"
    fate = fate if dead else "none is dead"
    text = f"Of the {counted(len(table), 'map')} of {prose(layer)} {fate}"
    if not len(alive):
        return f"{text}."
    counts = {name: len(own) for name, own in driven.items()}
    clear = alive.iloc[int(alive["score"].to_numpy().argmax())]
    return (
        f"{text}; {_say_drivers(counts)}; map {int(clear['map'])} tells its class best: "
        f"{prose(clear['class'])} moves it by {float(clear['score']):.2f} more than any other class "
        "does on average."
    )


def _say_drivers(counts: Mapping[str, int]) -> str:
    """Which classes drive most and fewest of the maps, all of them where several do."""
    most, least = max(counts.values()), min(counts.values())
    if most == least:
        return f"each class drives {most}" if len(counts) > 1 else "its one class drives all"
    first, last = (
        [prose(name) for name, count in counts.items() if count == wanted]
        for wanted in (most, least)
    )
    return (
        f"{listing(first)} {'drives' if len(first) == 1 else 'drive'} the most ({most}), "
        f"{listing(last)} the fewest ({least})"
    )
