"""All cells of a sweep in one table, and their means over the seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

# What a cell is, and what was counted in it.
PLACE = ["scaling", "space", "algorithm", "clusters"]
COUNTED = ["accuracy", "purity", "empty", "unmapped", "ari", "nmi", "v_measure"]
COLUMNS = [
    "algorithm",
    "clusters",
    "dimensions",
    "seed",
    *COUNTED,
    "inertia",
    "iterations",
    "backend",
]


class SweepSummary(NamedTuple):
    """means: scaling, space, algorithm, clusters, dimensions, seeds, accuracy, accuracy_sd, purity,
    empty, unmapped, ari, nmi, v_measure, inertia · summary: cells, best (a row), finding."""

    means: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("pandas",))
def collect_sweep(scores: dict[str, dict[str, dict[str, Any]]]) -> pd.DataFrame:
    """One row a cell, in the order of scaling, space, algorithm, clusters and seed.

    The columns: scaling, space, algorithm, clusters, dimensions, seed, what `rate_cell` counted,
    inertia, iterations, backend.

    Arguments:
        scores: scaling → space → any name of the cell → what `rate_cell` returned.

    Raises:
        InputError: there is no cell.
    """
    import pandas as pd

    rows = [
        {"scaling": scaling, "space": space, **{name: score[name] for name in COLUMNS}}
        for scaling, by_space in scores.items()
        for space, cells in by_space.items()
        for score in cells.values()
    ]
    if not rows:
        raise InputError("a sweep without a cell: there is nothing to collect")
    table = pd.DataFrame(rows)
    return table.sort_values([*PLACE, "seed"], kind="stable", ignore_index=True)


@stage(packages=("pandas",))
def summarise_sweep(table: pd.DataFrame) -> SweepSummary:
    """Means over the seeds, with the standard deviation of the accuracy (0 of a single seed)."""
    by = table.groupby(PLACE, sort=False, observed=True)
    means = by[[*COUNTED, "inertia"]].mean()
    means.insert(0, "dimensions", by["dimensions"].first())
    means.insert(1, "seeds", by.size())
    deviation = by["accuracy"].std(ddof=1).fillna(0.0)
    means.insert(3, "accuracy_sd", deviation)
    means = means.reset_index()
    best = means.iloc[int(means["accuracy"].to_numpy().argmax())]
    told = {
        name: best[name].item() if hasattr(best[name], "item") else best[name]
        for name in (*PLACE, "seeds", "accuracy", "accuracy_sd")
    }
    cells, seeds = len(table), told["seeds"]
    spread = "one seed"
    if seeds > 1:
        spread = f"sd {100 * told['accuracy_sd']:.1f} over {seeds} seeds"
    return SweepSummary(
        means,
        {
            "cells": cells,
            "best": told,
            "finding": f"The best of {counted(cells, 'clustering')} is {_say_place(told)}: "
            f"{percent(told['accuracy'])} of the test images ({spread})"
            + _say_scalings(means)
            + ".",
        },
    )


def _say_place(best: Mapping[str, Any]) -> str:
    algorithm = "KMeans" if best["algorithm"] == "kmeans" else "MiniBatchKMeans"
    space = "all pixels" if best["space"] == "raw" else f"space {best['space']}"
    return f"{algorithm} with {best['clusters']:,} clusters, scaling {best['scaling']}, {space}"


def _say_scalings(means: pd.DataFrame) -> str:
    """Which scaling is ahead where all were tried on the same cells."""
    others = ["space", "algorithm", "clusters"]
    wide = means.pivot_table(index=others, columns="scaling", values="accuracy").dropna()
    if wide.shape[1] < 2 or not len(wide):
        return ""
    mean = wide.mean().sort_values(ascending=False, kind="stable")
    return (
        f"; of {counted(wide.shape[1], 'scaling')} {mean.index[0]} is ahead "
        f"({percent(float(mean.iloc[0]))} on average), {mean.index[-1]} last "
        f"({percent(float(mean.iloc[-1]))})"
    )
