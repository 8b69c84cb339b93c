"""How many clusters? Every criterion against k, and which k each of them prefers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Picture, stage
from tasks.figures.against_k import K, mark_k, set_k_axis
from tasks.figures.style import (
    ACCENT,
    GRID,
    INK,
    LABEL_COLOURS,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import listing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP_RULE = "gap statistic: the smallest k with gap(k) ≥ gap(k + 1) − s(k + 1)"  # Tibshirani 2001
CURVE = LABEL_COLOURS[0]


class Criterion(NamedTuple):
    """A criterion's name, its axis, and how one of its values is written."""

    name: str
    axis: str
    form: str


CRITERIA = {
    "silhouette": Criterion("silhouette", "mean, higher is better", "{:.3f}"),
    "calinski_harabasz": Criterion("Calinski-Harabasz", "index, higher is better", "{:,.0f}"),
    "davies_bouldin": Criterion("Davies-Bouldin", "index, lower is better", "{:.3f}"),
    "gap": Criterion("gap statistic", "gap ± s(k)", "{:.2f}"),
    "stability": Criterion("bootstrap stability", "ARI, mean ± sd", "{:.3f}"),
}


def _curves(
    scan: pd.DataFrame, choice: Mapping[str, Any], stability: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return, for each criterion at hand, a frame by k: value, and spread (0 where there is none)."""
    import pandas as pd

    by_k = scan.set_index("k")
    curves = {
        key: pd.DataFrame({"value": by_k[key].dropna(), "spread": 0.0})
        for key in CRITERIA
        if key in by_k and by_k[key].notna().any()
    }
    if choice.get("gap"):
        gap = pd.DataFrame(list(choice["gap"])).set_index("k")
        curves["gap"] = gap.rename(columns={"gap": "value", "s_k": "spread"})[["value", "spread"]]
    if len(stability):
        ari = stability.groupby("k")["ari"]
        curves["stability"] = pd.DataFrame({"value": ari.mean(), "spread": ari.std(ddof=0)})
    return curves


def _best(choice: Mapping[str, Any], curves: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Return the k that each drawn criterion prefers, without those that prefer none."""
    best = choice["best"]
    return {
        key: int(best[key])
        for key, curve in curves.items()
        if best.get(key) is not None and best[key] in curve.index
    }


def plot_criteria(scan: pd.DataFrame, choice: Mapping[str, Any], stability: pd.DataFrame) -> Figure:
    """Return one panel a criterion with its best k marked, and a last panel with all votes."""
    curves = _curves(scan, choice, stability)
    best = _best(choice, curves)
    ks = [int(k) for k in scan["k"]]
    columns = 3 if len(curves) > 3 else 2
    rows = -(-(len(curves) + 1) // columns)
    figure = new_sheet(
        2.6 * rows, "What each criterion says about the number of clusters",
        GAP_RULE if "gap" in best else "",
    )  # fmt: skip
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (key, curve) in zip(panels, curves.items(), strict=False):
        criterion = CRITERIA[key]
        low_row = panels.index(axes) + columns > len(curves)
        set_k_axis(axes, ks)
        axes.plot(curve.index, curve["value"], color=CURVE, marker="o", markersize=4, lw=1.8)
        if curve["spread"].any():
            axes.fill_between(
                curve.index, curve["value"] - curve["spread"], curve["value"] + curve["spread"],
                color=CURVE, alpha=0.22, lw=0,
            )  # fmt: skip
        dress(axes, criterion.name, K if low_row else "", criterion.axis)
        axes.locator_params(axis="y", nbins=5)
        _leave_room(axes)
        if key in best:
            value = float(curve["value"][best[key]])
            low, high = axes.get_ylim()
            mark_k(axes, best[key], value, f"k = {best[key]}", above=value > (low + high) / 2)
    _draw_votes(panels[len(curves)], ks, best)
    for axes in panels[len(curves) + 1 :]:
        axes.set_axis_off()
    return figure


def _leave_room(axes: Axes) -> None:
    """Widen the value axis so that a mark at the best point, often an extreme one, fits."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))


def _draw_votes(axes: Axes, ks: list[int], best: Mapping[str, int]) -> None:
    set_k_axis(axes, ks)
    dress(axes, "the best k of each", K, grid="x")
    for row, (key, k) in enumerate(best.items()):
        axes.axhline(row, color=GRID, lw=1, zorder=1)
        axes.plot([k], [row], marker="o", markersize=11, color=ACCENT, zorder=3)
        # Names stand over their rows: beside them they would take half of the panel's width.
        axes.annotate(
            CRITERIA[key].name, (1, row), xycoords=("axes fraction", "data"), xytext=(-2, 4),
            textcoords="offset points", ha="right", fontsize=SMALL, color=INK,
        )  # fmt: skip
    axes.set_ylim(len(best) - 0.6, -0.7)
    axes.set_yticks([])


def say_criteria(scan: pd.DataFrame, choice: Mapping[str, Any], stability: pd.DataFrame) -> str:
    """Return one sentence: which criteria prefer which k, with their values there."""
    curves = _curves(scan, choice, stability)
    votes: dict[int, list[str]] = {}
    for key, k in _best(choice, curves).items():
        value = CRITERIA[key].form.format(float(curves[key]["value"][k]))
        votes.setdefault(k, []).append(f"{CRITERIA[key].name} ({value})")
    if not votes:
        return f"None of the {len(curves)} criteria prefers any k from {min(scan['k'])} on."
    sides = sorted(votes.items(), key=lambda side: (-len(side[1]), side[0]))
    if len(sides) == 1:
        return f"All criteria prefer k = {sides[0][0]}: {listing(sides[0][1])}."
    told = [
        f"{listing(names)} {'prefer' if len(names) > 1 else 'prefers'} k = {k}"
        for k, names in sides
    ]
    return f"The criteria disagree: {'; '.join(told)}."


@stage(packages=PACKAGES)
def draw_criteria(scan: pd.DataFrame, choice: dict[str, Any], stability: pd.DataFrame) -> Picture:
    """Draw silhouette, Calinski-Harabasz, Davies-Bouldin, gap and stability against k.

    Arguments:
        scan: columns k, silhouette, calinski_harabasz, davies_bouldin.
        choice: best ({criterion: k}) and gap (a list of {k, gap, s_k}).
        stability: columns k, resample, ari.
    """
    return picture(plot_criteria(scan, choice, stability), say_criteria(scan, choice, stability))


def plot_silhouette_curve(scan: pd.DataFrame, choice: Mapping[str, Any]) -> Figure:
    """Return the mean silhouette against k, the best k ringed, its rivals written beside."""
    values = scan.set_index("k")["silhouette"].dropna()
    ks = [int(k) for k in values.index]
    figure = new_sheet(3.4, "Mean silhouette against the number of clusters")
    axes = figure.subplots()
    set_k_axis(axes, ks)
    axes.plot(ks, values, color=CURVE, marker="o", markersize=6, lw=2)
    dress(axes, "", K, "mean silhouette")
    _leave_room(axes)
    best = _best(choice, {"silhouette": values.to_frame()}).get("silhouette")
    if len(ks) <= 15:
        _write_values(axes, values.drop(index=best) if best is not None else values, values)
    if best is not None:
        mark_k(axes, best, float(values[best]), f"k = {best}: {values[best]:.3f}")
    return figure


def _write_values(axes: Axes, told: pd.Series[float], curve: pd.Series[float]) -> None:
    """Write the values `told` beside the points of `curve`, on the side where no line runs."""
    for k, value in told.items():
        at = list(curve.index).index(k)
        before = curve.iloc[at - 1] if at > 0 else -2.0
        after = curve.iloc[at + 1] if at + 1 < len(curve) else -2.0
        falling, rising = before > value >= after, before <= value < after
        valley = before > value and after > value
        axes.annotate(
            f"{value:.3f}", (int(str(k)), float(value)),
            xytext=(6 if falling else -6 if rising else 0, -8 if valley else 6),
            textcoords="offset points", ha="left" if falling else "right" if rising else "center",
            va="top" if valley else "bottom", fontsize=SMALL, color=INK,
        )  # fmt: skip


def say_silhouette_curve(scan: pd.DataFrame) -> str:
    """Return one sentence: the best k, the next best, and the worst, with their silhouettes."""
    values = scan.set_index("k")["silhouette"].dropna().sort_values(ascending=False, kind="stable")
    told = [f"k = {k} ({value:.3f})" for k, value in values.items()]
    if len(told) == 1:
        return f"The mean silhouette was computed for {told[0]} alone."
    middle = f", next at {told[1]}" if len(told) > 2 else ""
    return f"The mean silhouette is highest at {told[0]}{middle} and lowest at {told[-1]}."


@stage(packages=PACKAGES)
def draw_silhouette_curve(scan: pd.DataFrame, choice: dict[str, Any]) -> Picture:
    """Draw the mean silhouette (-1 to 1) against k; `scan` has the columns k and silhouette."""
    return picture(plot_silhouette_curve(scan, choice), say_silhouette_curve(scan))
