from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine import InputError
from tasks.sweep import COLUMNS, PLACE, collect_sweep, summarise_sweep

if TYPE_CHECKING:
    import pandas as pd


def score(
    clusters: int, seed: int, accuracy: float, algorithm: str = "minibatch"
) -> dict[str, Any]:
    return {
        "algorithm": algorithm, "clusters": clusters, "dimensions": 40, "seed": seed,
        "accuracy": accuracy, "purity": accuracy, "empty": 0, "unmapped": seed, "ari": 0.1,
        "nmi": 0.2, "v_measure": 0.2, "inertia": 5.0, "iterations": 3, "backend": "scikit-learn",
        "per_class": {"0": 1.0}, "finding": "not a column",
    }  # fmt: skip


def cells(*scores: dict[str, Any]) -> dict[str, Any]:
    return {f"{one['algorithm']} {one['clusters']} {one['seed']}": one for one in scores}


@pytest.fixture
def table() -> pd.DataFrame:
    return collect_sweep.fn(
        {
            "unit": {"pca40": cells(score(100, 1, 0.80), score(100, 0, 0.82), score(10, 0, 0.5))},
            "normalise": {
                "pca40": cells(score(100, 0, 0.88), score(10, 0, 0.6), score(100, 0, 0.9, "kmeans"))
            },
        }
    )


def test_each_cell_is_a_row_with_its_place(table: pd.DataFrame) -> None:
    assert list(table.columns) == ["scaling", "space", *COLUMNS]
    assert len(table) == 6
    assert not table.duplicated([*PLACE, "seed"]).any()
    row = table[(table["scaling"] == "unit") & (table["seed"] == 1)].iloc[0]
    assert (row["clusters"], row["accuracy"], row["unmapped"]) == (100, 0.80, 1)


def test_the_order_does_not_depend_on_who_came_first(table: pd.DataFrame) -> None:
    turned = collect_sweep.fn(
        {
            "normalise": {
                "pca40": cells(score(100, 0, 0.9, "kmeans"), score(10, 0, 0.6), score(100, 0, 0.88))
            },
            "unit": {"pca40": cells(score(10, 0, 0.5), score(100, 0, 0.82), score(100, 1, 0.80))},
        }
    )
    assert turned.equals(table)
    assert table["clusters"].iloc[0] == 100  # kmeans comes before minibatch


def test_seeds_are_averaged(table: pd.DataFrame) -> None:
    means = summarise_sweep.fn(table).means
    assert len(means) == 5
    row = means[(means["scaling"] == "unit") & (means["clusters"] == 100)].iloc[0]
    assert row["seeds"] == 2
    assert row["accuracy"] == pytest.approx(0.81)
    assert row["accuracy_sd"] == pytest.approx(0.02 / 2**0.5)
    assert row["unmapped"] == 0.5
    assert (means.loc[means["seeds"] == 1, "accuracy_sd"] == 0).all()


def test_the_best_and_the_scalings_are_told(table: pd.DataFrame) -> None:
    summary = summarise_sweep.fn(table).summary
    json.dumps(summary)
    assert summary["best"]["algorithm"] == "kmeans"
    assert summary["finding"] == (
        "The best of 6 clusterings is KMeans with 100 clusters, scaling normalise, space pca40: "
        "90.0 % of the test images (one seed); of 2 scalings normalise is ahead "
        "(74.0 % on average), unit last (65.5 %)."
    )


def test_one_scaling_is_not_compared() -> None:
    one = collect_sweep.fn({"unit": {"raw": cells(score(10, 0, 0.5))}})
    assert "all pixels" in summarise_sweep.fn(one).summary["finding"]
    assert "ahead" not in summarise_sweep.fn(one).summary["finding"]


def test_an_empty_sweep_is_refused() -> None:
    with pytest.raises(InputError, match="without a cell"):
        collect_sweep.fn({})
