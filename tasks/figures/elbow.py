"""The elbow: inertia against k, beside the same curve for uniform noise in the same box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import InputError, Picture, stage
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DATA, NULL = LABEL_COLOURS[0], "#6b7280"


def _shares(scan: pd.DataFrame, uniform: pd.DataFrame) -> pd.DataFrame:
    """Return, by k, inertia as a share of its value at the first common k.

    Columns: data, and mean, low and high of the uniform references; no rows where there are none.
    """
    inertia = scan.set_index("k")["inertia"]
    wide = uniform.pivot(index="k", columns="reference", values="inertia")
    common = wide[wide.index.isin(inertia.index)]
    columns = ["data", "mean", "low", "high"]
    if wide.empty:
        return common.reindex(columns=columns)
    if common.empty:
        raise InputError(
            f"the uniform curve (k = {wide.index[0]} to {wide.index[-1]}) has no k in common with "
            f"the scan (k = {inertia.index[0]} to {inertia.index[-1]}); compute both for the same k"
        )
    null = common / common.iloc[0]
    return null.assign(
        data=inertia[common.index] / inertia[common.index[0]],
        mean=null.mean(axis=1),
        low=null.min(axis=1),
        high=null.max(axis=1),
    )[columns]


def plot_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: Mapping[str, Any]) -> Figure:
    """Return two panels: inertia with its knee, and data and noise as shares of their first value.

    Without uniform references there is the first panel alone.
    """
    inertia = scan.set_index("k")["inertia"]
    shares = _shares(scan, uniform)
    figure = new_sheet(3.8, "Inertia against the number of clusters")
    panels = figure.subplots(1, 2 if len(shares) else 1, squeeze=False)[0]
    for axes in panels:
        set_k_axis(axes, [int(k) for k in inertia.index])
    _draw_inertia(panels[0], inertia, choice.get("knee"))
    if len(shares):
        _draw_shares(panels[1], shares)
    return figure


def _draw_inertia(axes: Axes, inertia: pd.Series[float], knee: int | None) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.plot(inertia.index, inertia, color=DATA, marker="o", markersize=5, lw=2)
    dress(axes, "the data", K, "inertia")
    axes.set_ylim(0, 1.08 * float(inertia.max()))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if knee is not None and knee in inertia.index:
        mark_k(axes, knee, float(inertia[knee]), f"knee at k = {knee}")
    else:
        axes.text(
            0.97, 0.95, "no clear knee", transform=axes.transAxes, ha="right", va="top",
            fontsize=SMALL + 0.5, color=ACCENT, fontweight="bold",
        )  # fmt: skip


def _draw_shares(axes: Axes, shares: pd.DataFrame) -> None:
    from matplotlib.ticker import PercentFormatter

    ks = shares.index
    axes.plot(ks, shares["data"], color=DATA, marker="o", markersize=5, lw=2)
    axes.plot(ks, shares["mean"], color=NULL, marker="s", markersize=4.5, lw=1.8, linestyle="--")
    axes.fill_between(ks, shares["low"], shares["high"], color=NULL, alpha=0.35, lw=0)
    dress(axes, "the data and uniform noise in the same box", K, f"share of inertia at k = {ks[0]}")
    axes.set_ylim(0, 1.08)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    # Both curves fall and flatten: above their first part there is room, and below their end.
    quarter, end = len(shares) // 4, len(shares) - 1
    noise_on_top = shares["mean"].iloc[-1] >= shares["data"].iloc[-1]
    for column, text, colour, upper in (
        ("mean", "uniform noise (mean, range)", NULL, noise_on_top),
        ("data", "data", DATA, not noise_on_top),
    ):
        at = quarter if upper else end
        axes.annotate(
            text, (ks[at], float(shares[column].iloc[at])),
            xytext=(7, 7) if upper else (4, -9), textcoords="offset points",
            ha="left" if upper else "right", va="bottom" if upper else "top",
            fontsize=SMALL + 0.5, color=colour, fontweight="bold",
        )  # fmt: skip


def say_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: Mapping[str, Any]) -> str:
    """Return one sentence: the knee, and how far inertia falls for the data and for noise."""
    inertia = scan.set_index("k")["inertia"]
    knee, noise_knee = choice.get("knee"), choice.get("null_knee")
    head = (
        f"Inertia has its knee at k = {knee} ({inertia[knee]:,.0f})"
        if knee is not None and knee in inertia.index
        else "Inertia has no clear knee"
    )
    shares = _shares(scan, uniform)
    if shares.empty:
        left = percent(float(inertia.iloc[-1] / inertia.iloc[0]), 0)
        return f"{head}: from k = {inertia.index[0]} to {inertia.index[-1]} it falls to {left}."
    tail = "" if noise_knee is None else f", whose curve has a knee at k = {noise_knee} as well"
    return (
        f"{head}: from k = {shares.index[0]} to {shares.index[-1]} it falls to "
        f"{percent(shares['data'].iloc[-1], 0)}, against {percent(shares['mean'].iloc[-1], 0)} "
        f"for uniform noise in the same box{tail}."
    )


@stage(packages=PACKAGES)
def draw_elbow(scan: pd.DataFrame, uniform: pd.DataFrame, choice: dict[str, Any]) -> Picture:
    """Draw inertia against k with its knee, and the same curve on uniform noise beside it.

    Arguments:
        scan: columns k and inertia.
        uniform: columns k, reference, inertia; a row for each uniform data set and k; may have no rows.
        choice: knee (k or None) and null_knee (the knee of the noise, or None).

    Raises:
        InputError: when the two curves share no k.
    """
    return picture(plot_elbow(scan, uniform, choice), say_elbow(scan, uniform, choice))
