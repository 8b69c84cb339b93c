"""How the classes lie in a latent space: in the plane itself, their spread, what is confused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.embedding import class_colours, draw_points, name_classes
from tasks.figures.style import (
    ACCENT,
    INK,
    MUTED,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
    sample_rows,
)
from tasks.figures.words import counted, distinct_names, listing, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 20_000
RINGS = 2.0  # deviations that an ellipse reaches: 86 % of a normal distribution in the plane
ROWS = 10  # bars of a panel
REST = "#b9c2cc"  # bars that are not spoken of


def plot_plane(
    points: np.ndarray, images: Mapping[str, np.ndarray], about: Mapping[str, Any],
    shapes: Mapping[str, np.ndarray], groups: Sequence[Sequence[str]], *, name: str = "z",
) -> Figure:  # fmt: skip
    """Return the plane z1, z2 twice: the points by class, and the classes as ellipses."""
    import numpy as np

    classes = [str(each) for each in about["classes"]]
    colours = class_colours(classes)
    codes = np.asarray(images["y"]).astype(np.int64)
    shown = sample_rows(len(points), 0, MOST_POINTS)
    xy = np.asarray(points, dtype=float)
    told = listing(["{" + ", ".join(prose(each) for each in group) + "}" for group in groups], 4)
    figure = new_sheet(
        4.9,
        f"The latent plane of {name}",
        f"ellipses: {RINGS:g} deviations around the mean of a class"
        + (f" · strongly confused: {told}" if groups else "")
        + (f" · {len(shown):,} of {len(xy):,} points drawn" if len(shown) < len(xy) else ""),
    )
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    dress(left, f"{counted(len(points), 'image')} by class", x="z1", y="z2")
    dress(right, "where each class lies", x="z1")
    low, high = np.quantile(xy, [0.001, 0.999], axis=0)
    reach = RINGS * np.sqrt(np.diagonal(shapes["covariance"], axis1=1, axis2=2))
    low = np.fmin(low, np.nanmin(shapes["mean"] - reach, axis=0))
    high = np.fmax(high, np.nanmax(shapes["mean"] + reach, axis=0))
    # A model that has collapsed puts all images in one place.
    room = np.maximum(0.04 * (high - low), 1e-6)
    left.set_xlim(low[0] - room[0], high[0] + room[0])
    left.set_ylim(low[1] - room[1], high[1] + room[1])
    size = 22 * (1000 / max(len(shown), 1000)) ** 0.75
    draw_points(left, xy[shown], codes[shown], list(colours.values()), size, 0.6)
    draw_points(right, xy[shown], codes[shown], list(colours.values()), 0.5 * size, 0.15)
    for place, colour in enumerate(colours.values()):
        if np.isfinite(shapes["mean"][place]).all():
            _draw_ellipse(right, shapes["mean"][place], shapes["covariance"][place], colour)
    name_classes(left, xy, codes, classes, list(colours.values()))
    name_classes(right, xy, codes, classes, list(colours.values()))
    return figure


def _draw_ellipse(axes: Axes, mean: np.ndarray, covariance: np.ndarray, colour: str) -> None:
    import numpy as np
    from matplotlib.patches import Ellipse

    spread, vectors = np.linalg.eigh(covariance)
    small, large = 2 * RINGS * np.sqrt(np.maximum(spread, 0))
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    for face, width in ((colour, 0.0), ("none", 1.7)):
        axes.add_patch(
            Ellipse(
                (float(mean[0]), float(mean[1])), float(large), float(small), angle=angle,
                facecolor=face, edgecolor=colour if width else "none", linewidth=width,
                alpha=0.12 if not width else 1.0, zorder=4,
            )
        )  # fmt: skip


def say_plane(summary: Mapping[str, Any], name: str) -> str:
    """Return one sentence: which classes spread widest, and which groups are confused."""
    widest, groups = summary["widest"], summary["groups"]
    text = f"{listing([prose(each) for each in widest[:2]])} spread widest in the plane of {prose(name)}"
    if not groups:
        return f"{text}."
    told = listing(["{" + ", ".join(prose(each) for each in group) + "}" for group in groups], 4)
    return f"{text}, and the classes that run into each other most are {told}."


@stage(packages=PACKAGES)
def draw_plane(
    points: np.ndarray,
    images: Mapping[str, np.ndarray],
    about: dict[str, Any],
    shapes: Mapping[str, np.ndarray],
    summary: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw a latent space of two axes as it is, with an ellipse for each class.

    Arguments:
        points: z, float32 (n, 2).
        images: y, int64 (n,).
        shapes, summary: of `measure_spread`.
        name: of the model.
    """
    figure = plot_plane(points, images, about, shapes, summary["groups"], name=name)
    return picture(figure, say_plane(summary, name))


def plot_spread(
    classes: pd.DataFrame, pairs: pd.DataFrame, units: pd.DataFrame, *, name: str = "z"
) -> Figure:
    """Return bars: the spread of each class, the most confused pairs, the variance of each axis."""
    figure = new_sheet(
        3.2,
        f"What the latent space of {name} is like",
        "spread: deviation of a class's training points from their mean, over all axes · "
        "confused: share of the unseen images of both that their nearest training points take for the "
        "other · orange: the two widest, and at least half of the largest share · active: above 0.01",
    )
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.1, 1))
    short = distinct_names([str(each) for each in classes["class"]], 12)
    widest = classes[classes["rows"] > 0].sort_values("rank").head(ROWS)
    _draw_bars(
        left, "spread of each class", [short[str(each)] for each in widest["class"]],
        widest["deviation"].tolist(), [f"{value:.3g}" for value in widest["deviation"]],
        [rank <= 2 for rank in widest["rank"]],
    )  # fmt: skip
    worst = pairs[pairs["share"] > 0].head(ROWS)
    _draw_bars(
        middle, "confused most",
        [f"{short[str(a)]} and {short[str(b)]}" for a, b in zip(worst["first"], worst["second"], strict=True)],
        worst["share"].tolist(), [percent(float(share)) for share in worst["share"]],
        worst["strong"].tolist(),
    )  # fmt: skip
    active = int(units["active"].sum())
    dress(right, "variance of each axis", x=f"axis of z: {active} of {len(units)} active", grid="y")
    right.bar(
        units["unit"], units["variance"],
        color=[MUTED if each else REST for each in units["active"]], width=0.75,
    )  # fmt: skip
    right.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _draw_bars(
    axes: Axes, title: str, names: Sequence[str], values: Sequence[float], texts: Sequence[str],
    marked: Sequence[bool],
) -> None:  # fmt: skip
    dress(axes, title, grid="none")
    most = max([*values, 1e-12])
    for row, (value, text, mark) in enumerate(zip(values, texts, marked, strict=True)):
        axes.barh(row, value, color=ACCENT if mark else REST, height=0.62)
        axes.text(value + 0.02 * most, row, text, va="center", fontsize=SMALL, color=INK)
    axes.set_yticks(range(len(names)), names, fontsize=SMALL, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
    axes.set_xlim(0, 1.3 * most)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if not names:
        axes.text(0, 0, "none", fontsize=SMALL, color=MUTED)


@stage(packages=PACKAGES)
def draw_spread(
    classes: pd.DataFrame,
    pairs: pd.DataFrame,
    units: pd.DataFrame,
    summary: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw the spread of each class, the most confused pairs of classes and the variance of each axis.

    Arguments:
        classes, pairs, summary: of `measure_spread`.
        units: of `probe_latents`.
        name: of the model.
    """
    figure = plot_spread(classes, pairs, units, name=name)
    return picture(figure, f"{prose(name)}: {summary['finding']}")
