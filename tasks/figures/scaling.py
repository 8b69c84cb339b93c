"""Scalings compared: the same clusterings after each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Picture, stage
from tasks.figures.cells import Place, cell_looks, count_seeds, name_cells, name_scaling
from tasks.figures.style import CARD, GRID, INK, PACKAGES, SMALL, Look, dress, new_sheet, picture
from tasks.figures.words import counted, listing, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 3
MOST_SERIES = 6
OTHERS = ["space", "algorithm"]


def comparable(means: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that exist for every scaling, so that only the scaling differs.

    Of many numbers of clusters the smallest, a middle and the largest are kept, of many spaces and
    algorithms the best. Where no cell exists for every scaling, those of most scalings are taken.
    """
    by = means.groupby([*OTHERS, "clusters"], sort=False)["scaling"]
    number = by.transform("nunique")
    table = means[number == number.max()]
    ks = sorted(table["clusters"].unique())
    if len(ks) > MOST_PANELS:
        table = table[table["clusters"].isin([ks[0], ks[len(ks) // 2], ks[-1]])]
    ranked = table.groupby(OTHERS, sort=False)["accuracy"].mean().sort_values(ascending=False)
    kept = set(ranked.index[:MOST_SERIES])
    return table[[tuple(place) in kept for place in table[OTHERS].to_numpy()]]


def order_scalings(table: pd.DataFrame) -> list[str]:
    """Return the scalings by falling mean accuracy."""
    mean = table.groupby("scaling", sort=False)["accuracy"].mean()
    return [str(name) for name in mean.sort_values(ascending=False, kind="stable").index]


def plot_scaling(means: pd.DataFrame) -> Figure:
    """Return a panel a number of clusters: accuracy (mean ± sd) by scaling, best scaling on top."""
    from matplotlib.lines import Line2D

    table = comparable(means)
    scalings = order_scalings(table)
    # Named and coloured as if there were one scaling: the scalings are the rows.
    series = table.assign(scaling="")
    names, fixed = name_cells(series)
    looks = cell_looks(series)
    ks = sorted(int(k) for k in table["clusters"].unique())
    notes = [f"bars: sd over {count_seeds(table)}"] if table["seeds"].max() > 1 else []
    # Filled and hollow tell the algorithms apart where there are two.
    both = table["algorithm"].nunique() > 1
    faces = {
        place: CARD if both and place[2] != "kmeans" else look.colour
        for place, look in looks.items()
    }
    key = [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=8,
               markerfacecolor=faces[place], label=names[place])
        for place, look in looks.items()
    ]  # fmt: skip
    one = len(looks) == 1
    constant = [fixed, *(names.values() if one else ())]
    figure = new_sheet(
        0.75 + len(scalings) * (0.26 + 0.16 * len(looks)),
        "Scalings compared: accuracy on test images",
        " · ".join(part for part in (*constant, *notes) if part),
        [] if one else key,
    )  # fmt: skip
    panels = figure.subplots(1, len(ks), squeeze=False, sharey=True)[0]
    for axes, k in zip(panels, ks, strict=True):
        _draw_panel(axes, table[table["clusters"] == k], scalings, looks, faces)
        dress(axes, counted(k, "cluster"), "accuracy", grid="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    panels[0].set_yticks(
        range(len(scalings)), [name_scaling(name) for name in scalings], fontsize=SMALL + 0.5,
        color=INK,
    )  # fmt: skip
    panels[0].set_ylim(len(scalings) - 0.5, -0.5)
    return figure


def _draw_panel(
    axes: Axes,
    part: pd.DataFrame,
    scalings: list[str],
    looks: dict[Place, Look],
    faces: dict[Place, str],
) -> None:
    """Draw the points of one number of clusters; series lie side by side within a scaling's row."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    for rule in range(1, len(scalings)):
        axes.axhline(rule - 0.5, color=GRID, lw=0.8, zorder=0)
    for index, (place, look) in enumerate(looks.items()):
        offset = 0.0 if len(looks) == 1 else 0.44 * (index / (len(looks) - 1) - 0.5)
        own = part[(part["space"] == place[1]) & (part["algorithm"] == place[2])]
        for _, cell in own.iterrows():
            row = scalings.index(str(cell["scaling"])) + offset
            axes.errorbar(
                [cell["accuracy"]], [row], xerr=[cell["accuracy_sd"]], color=look.colour,
                marker=look.marker, markersize=7, markerfacecolor=faces[place],
                elinewidth=1.6, capsize=3, zorder=3,
            )  # fmt: skip
            if len(looks) <= 2:
                axes.annotate(
                    percent(float(cell["accuracy"])),
                    (cell["accuracy"] + cell["accuracy_sd"], row), xytext=(7, 0),
                    textcoords="offset points", va="center", fontsize=SMALL, color=look.colour,
                )  # fmt: skip
    low = float((part["accuracy"] - part["accuracy_sd"]).min())
    high = float((part["accuracy"] + part["accuracy_sd"]).max())
    room = max(high - low, 0.02)
    axes.set_xlim(low - 0.1 * room, high + (0.45 if len(looks) <= 2 else 0.1) * room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(
        PercentFormatter(1.0, decimals=0 if room > 0.05 else 1, symbol=" %")
    )


def say_scaling(means: pd.DataFrame) -> str:
    """Return one sentence: the best and the worst scaling at each number of clusters."""
    table = comparable(means)
    scalings = order_scalings(table)
    cells = counted(table[[*OTHERS, "clusters"]].drop_duplicates().shape[0], "kind")
    mean = table.groupby("scaling")["accuracy"].mean()
    if len(scalings) == 1:
        return (
            f"With scaling {scalings[0]} {percent(float(mean.iloc[0]))} are told right on average."
        )
    told = listing(
        [f"{name_scaling(name)} ({percent(float(mean[name]))})" for name in scalings[1:]]
    )
    # Ahead everywhere, or only on average?
    best = table.loc[table.groupby([*OTHERS, "clusters"])["accuracy"].idxmax(), "scaling"]
    share = int((best == scalings[0]).sum())
    return (
        f"Scaling {name_scaling(scalings[0])} tells most test images right, "
        f"{percent(float(mean[scalings[0]]))} on average over {cells} of clustering and the best in "
        f"{share} of them, before {told}."
    )


@stage(packages=PACKAGES)
def draw_scaling(means: pd.DataFrame) -> Picture:
    """Draw the accuracy after each scaling, for clusterings that were made after all of them.

    Arguments:
        means: columns scaling, space, algorithm, clusters, seeds, accuracy, accuracy_sd (0 to 1).
    """
    return picture(plot_scaling(means), say_scaling(means))
