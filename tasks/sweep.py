"""All cells of a sweep in one table, and their means over the seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

# What a cell is, and what was counted in it.
PLACE = ["scaling", "space", "algorithm", "clusters"]
COUNTED = ["accuracy", "purity", "empty", "unmapped", "ari", "nmi", "v_measure"]

Nested = dict[str, Any]  # scaling → space → algorithm → clusters → seed, all as text


class SweepSummary(NamedTuple):
    """means: scaling, space, algorithm, clusters, dimensions, seeds, accuracy, accuracy_sd, purity,
    empty, unmapped, ari, nmi, v_measure, inertia · summary: cells, best (a row), finding."""

    means: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("pandas",))
def collect_sweep(fits: Nested, scores: Nested, dimensions: Nested) -> pd.DataFrame:
    """One row a cell: scaling, space, algorithm, clusters, dimensions, seed, what `rate_cell`
    counted, inertia, iterations, backend; in a fixed order.

    Arguments:
        fits, scores: of each cell the summary of `cluster_digits` and what `rate_cell` returned,
            as dicts nested by scaling, space, algorithm, clusters and seed.
        dimensions: scaling → space → the summary of `project`; none for the space of the pixels.

    Raises:
        InputError: there is no cell, or `fits` and `scores` have different ones.
    """
    import pandas as pd

    known, rows = dict(_walk(scores)), []
    found = dict(_walk(fits))
    if not found or found.keys() != known.keys():
        raise InputError(
            f"a sweep needs as many scores as fits, and at least one; there are {len(found)} fits "
            f"and {len(known)} scores"
        )
    for (scaling, space, algorithm, clusters, seed), fit in found.items():
        score = known[scaling, space, algorithm, clusters, seed]
        size = dimensions.get(scaling, {}).get(space)
        rows.append(
            {
                "scaling": scaling,
                "space": space,
                "algorithm": algorithm,
                "clusters": int(clusters),
                "dimensions": None if size is None else int(size["components"]),
                "seed": int(seed),
                **{name: score[name] for name in COUNTED},
                **{name: fit[name] for name in ("inertia", "iterations", "backend")},
            }
        )
    table = pd.DataFrame(rows).astype({"dimensions": "Int64"})
    # By algorithm and space first, as they were given: equal sweeps then give equal tables.
    return table.sort_values(["clusters", "seed"], kind="stable", ignore_index=True).sort_values(
        ["scaling", "space", "algorithm"], kind="stable", ignore_index=True
    )


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
    cells = len(table)
    return SweepSummary(
        means,
        {
            "cells": cells,
            "best": told,
            "finding": f"The best of {counted(cells, 'clustering')} is {_say_place(told)}: "
            f"{percent(told['accuracy'])} of the test images (sd {100 * told['accuracy_sd']:.1f} "
            f"over {counted(told['seeds'], 'seed')})" + _say_scalings(means) + ".",
        },
    )


def _walk(nested: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Yield (place, cell); a cell stands five levels deep."""
    for name, value in nested.items():
        if len(place) == 4:
            yield (*place, name), value
        else:
            yield from _walk(value, (*place, name))


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
