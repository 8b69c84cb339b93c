"""Which class drives which map: all maps side by side, sorted by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import fit_names
from tasks.figures.style import (
    ACCENT,
    INK,
    MUTED,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, listing, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINE_OF_MAPS = 64  # that are told apart side by side
TOP = 3  # best maps of each class in the list


def arrange_maps(
    means: pd.DataFrame, maps: pd.DataFrame, classes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of the maps by class and falling score, dead ones last; their means; their classes.

    Returns:
        numbers int64 (m,); shares float64 (classes, m), each map's means over its largest one, 0
        where none is above 0; place of the driving class in `classes`, (m,), −1 of dead maps.
    """
    import numpy as np

    wide = means.pivot(index="class", columns="map", values="mean").reindex(classes).to_numpy()
    place = maps["class"].map({name: row for row, name in enumerate(classes)}).to_numpy(np.int64)
    place = np.where(maps["dead"].to_numpy(), len(classes), place)
    order = np.lexsort((-maps["score"].to_numpy(), place))
    positive = np.maximum(np.nan_to_num(wide), 0)
    shares = positive / np.maximum(positive.max(axis=0), 1e-12)
    driver = place[order]
    return order, shares[:, order], np.where(driver == len(classes), -1, driver)


def plot_maps(means: pd.DataFrame, maps: pd.DataFrame, summary: Mapping[str, Any]) -> Figure:
    """Return a column for each map, its means on each class as shades; lines part the classes."""
    classes = list(summary["driven"])
    numbers, shares, driver = arrange_maps(means, maps, classes)
    dead = [str(number) for number in sorted(numbers[driver < 0].tolist())]
    if (driver >= 0).any():
        # Columns of nothing tell less than their numbers do.
        numbers, shares, driver = numbers[driver >= 0], shares[:, driver >= 0], driver[driver >= 0]
    lines = -(-len(numbers) // LINE_OF_MAPS)
    breadth = -(-len(numbers) // lines)
    cell = 0.165 if len(classes) <= 14 else 0.13
    figure = new_sheet(
        lines * (cell * len(classes) + 0.5) + 0.1,
        f"Which class drives which map of {summary['layer']}",
        "a column is a map, its number below; shade: its mean activation on the test images of each "
        "class, white none, black its largest · frames: the class that drives it"
        + (f" · not drawn, as no image moves them: {listing(dead, 12)}" if dead else ""),
    )
    panels = figure.subplots(lines, 1, squeeze=False)[:, 0]
    short = fit_names(classes, 0.8, SMALL)
    for line, axes in enumerate(panels):
        part = slice(line * breadth, (line + 1) * breadth)
        _draw_line(
            axes, numbers[part], shares[:, part], driver[part], list(short.values()), breadth
        )
    return figure


def _draw_line(
    axes: Axes,
    numbers: np.ndarray,
    shares: np.ndarray,
    driver: np.ndarray,
    names: list[str],
    breadth: int,
) -> None:
    """Draw maps side by side, their numbers below, a frame around those of a class in its row."""
    import numpy as np
    from matplotlib.patches import Rectangle

    dress(axes, grid="none")
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_xlim(-0.5, breadth - 0.5)
    axes.set_yticks(range(len(names)), names, fontsize=SMALL, color=INK)
    axes.set_xticks(
        range(len(numbers)), [str(number) for number in numbers], fontsize=SMALL - 2, rotation=90,
        color=MUTED,
    )  # fmt: skip
    axes.tick_params(length=0, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for place in np.unique(driver[driver >= 0]):
        own = np.flatnonzero(driver == place)
        axes.add_patch(
            Rectangle(
                (own[0] - 0.5, place - 0.5), len(own), 1, fill=False, edgecolor=ACCENT, lw=1.4,
                zorder=3, clip_on=False,
            )
        )  # fmt: skip


def say_maps(means: pd.DataFrame, maps: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """Return one sentence: the map that tells each of the best told classes, and how many are dead."""
    alive = maps[~maps["dead"]].sort_values(["score", "map"], ascending=[False, True])
    best = alive.drop_duplicates("class").head(TOP)
    told = listing(
        [
            f"map {int(number)} by {prose(name)}"
            for number, name in zip(best["map"], best["class"], strict=True)
        ]
    )
    counts = {name: len(own) for name, own in summary["driven"].items()}
    most = max(counts.values())
    leading = [prose(name) for name, count in counts.items() if count == most]
    text = f"Of {counted(len(maps), 'map')} "
    if told:
        verb = "drives" if len(leading) == 1 else "drive"
        text += f"{listing(leading)} {verb} the most, {most}; driven most clearly are {told}"
    else:
        text += "no class drives any"
    dead = int(maps["dead"].sum())
    return f"{text}; {counted(dead, 'map')} no test image moves." if dead else f"{text}."


@stage(packages=PACKAGES)
def draw_maps(means: pd.DataFrame, maps: pd.DataFrame, summary: dict[str, Any]) -> Picture:
    """Draw the mean activation of every map on every class.

    Arguments:
        means, maps, summary: of `measure_maps`.
    """
    return picture(plot_maps(means, maps, summary), say_maps(means, maps, summary))
