"""How the maps of a dream's tiles answer, loop by loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.levels import Mode
from tasks.figures.style import (
    CARD,
    LABEL_COLOURS,
    MARKERS,
    PACKAGES,
    dress,
    new_sheet,
    picture,
    sample_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MOST_LINES = 80  # thin lines of a panel; more are a blot


def plot_activation(
    trace: pd.DataFrame, summary: dict[str, Any], mode: Mode = "corrected"
) -> Figure:
    """Return a panel for each level: a thin line for each tile, a thick one for their mean."""
    levels = sorted(trace["level"].unique())
    figure = new_sheet(
        2.5,
        "How the tiles' own maps answer",
        f"tiles {'as they are' if mode == 'seed' else 'standardised'}, as the network sees them, at "
        "the end of each loop · thick: mean, thin: some tiles",
    )
    axes = figure.subplots(1, len(levels), squeeze=False)[0]
    for index, (ax, level) in enumerate(zip(axes, levels, strict=True)):
        own = trace[trace["level"] == level]
        colour = LABEL_COLOURS[index % len(LABEL_COLOURS)]
        wide = own.pivot_table(index="loop", columns=["row", "column"], values="kept")
        start = own.groupby(["row", "column"])["original"].first()
        wide.loc[0] = start
        wide = wide.sort_index()
        some = wide.to_numpy()[:, sample_rows(wide.shape[1], 0, _MOST_LINES)]
        ax.plot(wide.index, some, color=colour, linewidth=0.7, alpha=0.35)
        for shade, width in ((CARD, 4.5), (colour, 2.4)):
            ax.plot(
                wide.index, wide.mean(axis=1), color=shade, linewidth=width,
                marker=MARKERS[index % len(MARKERS)], markersize=2.5 + width,
            )  # fmt: skip
        dress(
            ax,
            _name(summary["levels"][int(level)]),
            "loop",
            "activation" if index == 0 else "",
        )
        ax.set_ylim(bottom=min(0, float(wide.to_numpy().min())))
        ax.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _name(level: dict[str, Any]) -> str:
    """A level's grid, and how many of its tiles are dreamt in where it is not all of them."""
    rows, columns = map(int, level["grid"].split(" × "))
    some = level["tiles"] < rows * columns
    return f"{level['tiles']} of {level['grid']}" if some else f"{level['grid']} tiles"


@stage(packages=PACKAGES)
def draw_activation(
    trace: pd.DataFrame, summary: dict[str, Any], *, mode: Mode = "corrected"
) -> Picture:
    """Draw the activation of each tile's objective over the loops.

    Arguments:
        trace, summary: of `carve_picture`.
        mode: the one it was carved in.
    """
    levels = summary["levels"]
    texts = [f"{each['original']:.2f} to {each['dreamt']:.2f} ({each['grid']})" for each in levels]
    alt = f"The mean activation of the tiles goes from {', from '.join(texts)}."
    return picture(plot_activation(trace, summary, mode), alt)
