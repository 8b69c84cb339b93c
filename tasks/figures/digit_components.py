"""How much variance the components of images explain, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import BREADTH, LINE, draw_image, fit_image, new_plate
from tasks.figures.style import (
    ACCENT,
    CARD,
    INK,
    LABEL_COLOURS,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, listing, percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COUNTS = (15, 30, 50, 75)
SHARES = (0.9, 0.95)
COLUMNS, PAD = 8, 0.06


def needed(curve: pd.DataFrame, share: float) -> int | None:
    """Return how many components explain `share` of the variance (0 to 1), None if all do not."""
    enough = curve["cumulative"].to_numpy() >= share
    return int(enough.argmax()) + 1 if enough.any() else None


def _marks(
    curve: pd.DataFrame, counts: Sequence[int], shares: Sequence[float]
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Return (components, explained) at the counts that exist, and at the shares reached."""
    total = curve["cumulative"].to_numpy()
    at_counts = [(n, float(total[n - 1])) for n in counts if n <= len(total)]
    found = [(needed(curve, share), share) for share in shares]
    return at_counts, [(n, share) for n, share in found if n is not None]


def plot_variance(
    curve: pd.DataFrame, counts: Sequence[int] = COUNTS, shares: Sequence[float] = SHARES
) -> Figure:
    """Return two panels: the variance of each component, and the sum with its marks."""
    at_counts, at_shares = _marks(curve, counts, shares)
    last = max([n for n, _ in (*at_counts, *at_shares)], default=len(curve))
    shown = curve.head(max(10, int(1.25 * last)))
    note = (
        "" if len(shown) == len(curve) else f"the first {len(shown)} of {len(curve):,} components"
    )
    figure = new_sheet(4.3, "Explained variance of the principal components", note)
    each, summed = figure.subplots(1, 2, width_ratios=(1, 1.75))
    _draw_ratios(each, shown)
    _draw_sum(summed, shown, at_counts, at_shares)
    return figure


def _draw_ratios(axes: Axes, shown: pd.DataFrame) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    # A share of 0 has no place on a logarithmic axis; components beyond the data's rank have it.
    positive = shown[shown["ratio"] > 1e-9]
    axes.plot(positive["component"], positive["ratio"], color=LABEL_COLOURS[0], lw=2)
    axes.set_yscale("log")
    dress(axes, "each component", "component", "share of the variance")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_locator(LogLocator(base=10, subs=(1.0,), numticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    axes.set_xlim(1 - 0.02 * len(shown), len(shown) * 1.01)


def _draw_sum(
    axes: Axes, shown: pd.DataFrame, counts: Sequence[tuple[int, float]],
    shares: Sequence[tuple[int, float]],
) -> None:  # fmt: skip
    """Draw the rising sum with its marks; below a rising curve there is room for their list."""
    from matplotlib.ticker import PercentFormatter

    blue = LABEL_COLOURS[0]
    axes.plot(shown["component"], shown["cumulative"], color=blue, lw=2.2, zorder=4)
    written: list[tuple[int, float]] = []
    for number, share in counts:
        text = f"{counted(number, 'component')}: {percent(share)}"
        _mark(axes, number, share, "o", blue, text, written, len(shown))
    for number, share in shares:
        axes.plot([0, number], [share, share], color=ACCENT, lw=1.2, linestyle=(0, (4, 2)))
        text = f"{percent(share, 0)}: {counted(number, 'component')}"
        _mark(axes, number, share, "s", ACCENT, text, written, len(shown))
    dress(axes, "the first components together", "components")
    axes.set_xlim(0, len(shown) * 1.01)
    axes.set_ylim(0, 1.0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.legend(
        loc="lower right", fontsize=SMALL + 0.5, labelcolor=INK, facecolor=CARD, edgecolor="none",
        framealpha=0.9, handlelength=1,
    )  # fmt: skip


def _mark(
    axes: Axes, number: int, share: float, marker: str, colour: str, text: str,
    written: list[tuple[int, float]], span: int,
) -> None:  # fmt: skip
    """Mark a place of the curve, its number just below unless one of `written` is too near."""
    axes.plot(
        [number], [share], marker, markersize=8, color=colour, markeredgecolor=CARD, zorder=5,
        label=text,
    )  # fmt: skip
    if any(abs(number - n) < 0.06 * span and abs(share - s) < 0.06 for n, s in written):
        return
    written.append((number, share))
    axes.annotate(
        str(number), (number, share), xytext=(5, -5), textcoords="offset points", va="top",
        fontsize=SMALL + 0.5, color=colour, fontweight="bold", zorder=6,
    )  # fmt: skip


def say_variance(
    curve: pd.DataFrame, counts: Sequence[int] = COUNTS, shares: Sequence[float] = SHARES
) -> str:
    """Return one sentence: what the marked numbers explain, and what the marked shares take."""
    at_counts, at_shares = _marks(curve, counts, shares)
    parts = []
    if at_counts:
        told = listing([f"{n} {'hold' if n > 1 else 'holds'} {percent(s)}" for n, s in at_counts])
        parts.append(f"of the variance {told}")
    if at_shares:
        told = listing([f"{percent(s, 0)} takes {n:,}" for n, s in at_shares])
        parts.append(told)
    first = float(curve["ratio"].iloc[0])
    head = f"Of {counted(len(curve), 'component')} the first alone explains {percent(first)}"
    return f"{'; '.join([head, *parts])}."


@stage(packages=PACKAGES)
def draw_variance(
    curve: pd.DataFrame, *, counts: list[int] | tuple[int, ...] = COUNTS,
    shares: list[float] | tuple[float, ...] = SHARES,
) -> Picture:  # fmt: skip
    """Draw the variance that each component explains, and that the first ones explain together.

    Arguments:
        curve: columns component (1, 2, ...), ratio, cumulative (0 to 1).
        counts: numbers of components to mark.
        shares: shares of the variance to mark (0 to 1).
    """
    return picture(plot_variance(curve, counts, shares), say_variance(curve, counts, shares))


def plot_components(
    basis: Mapping[str, np.ndarray], about: Mapping[str, Any], count: int = 24
) -> Figure:
    """Return the first components as images, each from blue (less light) to red (more)."""
    import numpy as np

    height, width = about["shape"][:2]
    images = np.asarray(basis["components"][:count], dtype=float).reshape(-1, height, width)
    room = BREADTH / COLUMNS
    size = fit_image((height, width), room - 2 * PAD, 1.2)
    step = size[1] + 2 * PAD + 1.15 * LINE
    figure, axes = new_plate(
        step * -(-len(images) // COLUMNS),
        f"The first {counted(len(images), 'principal component')} as images",
        ("red adds to a pixel, blue takes away; each on a scale of its own",
         "below each: its share of the variance"),
    )  # fmt: skip
    for index, (image, ratio) in enumerate(zip(images, basis["ratio"], strict=False)):
        line, column = divmod(index, COLUMNS)
        x, y = column * room, line * step + PAD
        most = float(np.abs(image).max()) or 1.0
        draw_image(axes, image, x + (room - size[0]) / 2, y, size, "RdBu_r", (-most, most))
        axes.text(
            x + room / 2, y + size[1] + 0.03, f"{index + 1} · {percent(float(ratio))}",
            ha="center", va="top", fontsize=SMALL, color=INK,
        )  # fmt: skip
    return figure


def wavelength(image: np.ndarray) -> float:
    """Return the typical wavelength of a pattern (h, w) in pixels, from its mean squared slope.

    A wave of length λ has a mean squared slope of (2π / λ)² times its mean square.
    """
    import numpy as np

    image = np.asarray(image, dtype=float)
    slopes = sum(
        float((np.diff(image, axis=axis) ** 2).sum()) for axis in (0, 1) if image.shape[axis] > 1
    )
    energy = float((image**2).sum())
    return 2 * np.pi * float(np.sqrt(energy / slopes)) if slopes > 0 else float("inf")


def say_components(
    basis: Mapping[str, np.ndarray], about: Mapping[str, Any], count: int = 24
) -> str:
    """Return one sentence: the share of those drawn, and how coarse the first and the last are."""
    height, width = about["shape"][:2]
    ratio = [float(share) for share in basis["ratio"][:count]]
    lengths = [wavelength(row.reshape(height, width)) for row in basis["components"][:count]]
    text = (
        f"The first {counted(len(ratio), 'component')} explain {percent(sum(ratio))} of the "
        f"variance, the first {percent(ratio[0])} and the last {percent(ratio[-1])}"
    )
    if len(ratio) < 8 or not all(map(_finite, lengths)):
        return f"{text}."
    first, last = sum(lengths[:4]) / 4, sum(lengths[-4:]) / 4
    turn = "ever finer" if last < 0.9 * first else "no finer"
    return (
        f"{text}, and their patterns are {turn}, with a typical wavelength of {first:.0f} pixels in "
        f"the first four and {last:.0f} in the last four."
    )


def _finite(value: float) -> bool:
    return value < float("inf")


@stage(packages=PACKAGES)
def draw_components(
    basis: Mapping[str, np.ndarray], about: dict[str, Any], *, count: int = 24
) -> Picture:
    """Draw the leading principal components as images.

    Arguments:
        basis: components (p, d), unit vectors by falling variance; ratio (p,), 0 to 1.
        about: shape, (h, w) with h·w = d.
        count: how many are drawn.
    """
    return picture(plot_components(basis, about, count), say_components(basis, about, count))
