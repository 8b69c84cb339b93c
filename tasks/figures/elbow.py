"""The elbow: inertia against k, beside the same curve for uniform noise in the same box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.against_k import K, mark_k, set_k_axis
from tasks.figures.style import (
    ACCENT,
    LABEL_COLOURS,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DATA, NULL = LABEL_COLOURS[0], "#6b7280"


def _shares(scan: pd.DataFrame, uniform: pd.DataFrame) -> pd.DataFrame:
    """Return, by k, inertia as a share of its value at the first common k.

    Columns: data, and mean, low and high of the uniform references.
    """
    inertia = scan.set_index("k")["inertia"]
    wide = uniform.pivot(index="k", columns="reference", values="inertia")
    wide = wide[wide.index.isin(inertia.index)]
    if wide.empty:
        raise ValueError(
            f"The uniform curve has no k in common with the scan (its k: {sorted(inertia.index)}); "
            "compute both over the same range of k."
        )
    null = wide / wide.iloc[0]
    return null.assign(
        data=inertia[wide.index] / inertia[wide.index[0]],
        mean=null.mean(axis=1),
        low=null.min(axis=1),
        high=null.max(axis=1),
    )[["data", "mean", "low", "high"]]


def plot_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: Mapping[str, Any]) -> Figure:
    """Return two panels: inertia with its knee, and data and noise as shares of their first value."""
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    inertia = scan.set_index("k")["inertia"]
    ks = [int(k) for k in inertia.index]
    shares = _shares(scan, uniform)
    figure = new_sheet(3.8, "Inertia against the number of clusters")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        set_k_axis(axes, ks)

    left.plot(ks, inertia, color=DATA, marker="o", markersize=5, lw=2)
    dress(left, "the data", K, "inertia")
    left.set_ylim(0, 1.08 * float(inertia.max()))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    knee = choice.get("knee")
    if knee is not None and knee in inertia.index:
        mark_k(left, int(knee), float(inertia[knee]), f"knee at k = {knee}")
    else:
        left.text(
            0.97, 0.95, "no clear knee", transform=left.transAxes, ha="right", va="top",
            fontsize=SMALL + 0.5, color=ACCENT, fontweight="bold",
        )  # fmt: skip

    right.plot(shares.index, shares["data"], color=DATA, marker="o", markersize=5, lw=2)
    right.plot(
        shares.index, shares["mean"], color=NULL, marker="s", markersize=4.5, lw=1.8, linestyle="--"
    )
    right.fill_between(shares.index, shares["low"], shares["high"], color=NULL, alpha=0.35, lw=0)
    dress(
        right,
        "the data and uniform noise in the same box",
        K,
        f"share of inertia at k = {shares.index[0]}",
    )
    right.set_ylim(0, 1.08)
    right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    # Both curves fall and flatten: above their first part there is room, and below their end.
    quarter, end = len(shares) // 4, len(shares) - 1
    noise_on_top = shares["mean"].iloc[-1] >= shares["data"].iloc[-1]
    for column, text, colour, upper in (
        ("mean", "uniform noise (mean, range)", NULL, noise_on_top),
        ("data", "data", DATA, not noise_on_top),
    ):
        at = quarter if upper else end
        right.annotate(
            text, (shares.index[at], float(shares[column].iloc[at])),
            xytext=(7, 7) if upper else (4, -9), textcoords="offset points",
            ha="left" if upper else "right", va="bottom" if upper else "top",
            fontsize=SMALL + 0.5, color=colour, fontweight="bold",
        )  # fmt: skip
    return figure


def say_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: Mapping[str, Any]) -> str:
    """Return one sentence: the knee, and how far inertia falls for the data and for noise."""
    shares = _shares(scan, uniform)
    inertia = scan.set_index("k")["inertia"]
    first, last = int(shares.index[0]), int(shares.index[-1])
    knee, noise_knee = choice.get("knee"), choice.get("null_knee")
    head = (
        f"Inertia has its knee at k = {knee} ({inertia[knee]:,.0f})"
        if knee is not None and knee in inertia.index
        else "Inertia has no clear knee"
    )
    tail = "" if noise_knee is None else f", whose curve has a knee at k = {noise_knee} as well"
    return (
        f"{head}: from k = {first} to {last} it falls to {percent(shares['data'].iloc[-1], 0)}, "
        f"against {percent(shares['mean'].iloc[-1], 0)} for uniform noise in the same box{tail}."
    )


@stage(packages=PACKAGES)
def draw_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: dict[str, Any]) -> Picture:
    """Draw inertia against k with its knee, and the same curve on uniform noise beside it.

    Args:
        scan: columns k and inertia.
        uniform: columns k, reference, inertia; one row a uniform data set and k.
        choice: knee (k or None) and null_knee (the knee of the noise, or None).

    Raises:
        ValueError: when the two curves share no k.
    """
    return picture(plot_elbow(scan, uniform, choice), say_elbow(scan, uniform, choice))
