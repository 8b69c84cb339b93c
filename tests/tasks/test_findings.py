from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tasks.findings import tabulate_findings

KS = [2, 3, 4, 5]


def _inputs(**changes: Any) -> dict[str, Any]:
    """Everything that `tabulate_findings` takes, with the numbers of the UCI set."""
    signals = ["WLAN-0", "WLAN-3", "WLAN-4"]
    hall = "room 2 (hall)"
    peaks = [(s, hall, v, 0.05, r) for s in signals[:2] for r, v in ((1, -38.0), (2, -16.0))]
    counts = pd.DataFrame(
        {
            "cluster": [0, 1],
            hall: [0, 67],
            "room 1": [500, 0],
            "size": [500, 67],
            "purity": [1.0, 1.0],
            "majority": ["room 1", hall],
        }
    )
    inputs: dict[str, Any] = {
        "peaks": pd.DataFrame(peaks, columns=["feature", "label", "value", "density", "rank"]),
        "forest": {"mean": 0.983},
        "scan": pd.DataFrame(
            {
                "k": KS,
                "inertia": [499_800.0, 366_300.0, 246_770.0, 204_310.0],
                "silhouette": [0.412, 0.355, 0.410, 0.418],
            }
        ),
        "choice": {
            "best": {"silhouette": 5, "calinski_harabasz": 4, "davies_bouldin": 5, "gap": None},
            "values": {"silhouette": 0.418, "calinski_harabasz": 1855.0, "davies_bouldin": 0.897},
            "knee": 5,
        },
        "counts": {"5": counts},
        "variance": pd.DataFrame(
            {"component": [1, 2, 3], "ratio": [0.656, 0.199, 0.049], "cumulative": [0.656, 0.855, 0.904]}
        ),
        "loadings": pd.DataFrame(
            {"component": [1, 2, 3], "WLAN-0": [0.62, 0, 0], "WLAN-3": [0.63, 0, 0], "WLAN-4": [0, 0.85, 1]}
        ),
        "results": pd.DataFrame(
            {"space": "raw", "clusters": [10, 10, 20], "accuracy": [0.97, 0.99, 0.985]}
        ),
        "about": {"unit": "dBm"},
    }  # fmt: skip
    return {**inputs, **changes}


def _row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["findings"] if row["name"].startswith(name))


def test_numbers_within_their_bands_are_met() -> None:
    found = tabulate_findings.fn(**_inputs())
    assert found["met"] == found["checked"] == 20
    assert found["sentence"] == "20 of 20 numbers lie in their bands."
    forest = _row(found, "random forest")
    assert forest == {
        "name": "random forest, unseen rows",
        "value": pytest.approx(98.3),
        "unit": "%",
        "expected": "> 98 reported, 98.3 measured",
        "low": 97.8,
        "high": 100,
        "met": True,
        "source": "score_forest",
    }


def test_a_number_outside_is_named_with_its_value() -> None:
    found = tabulate_findings.fn(**_inputs(forest={"mean": 0.9}))
    assert _row(found, "random forest")["met"] is False
    assert found["sentence"].endswith("outside: random forest, unseen rows (90).")


def test_a_second_peak_that_is_missing_is_not_met() -> None:
    inputs = _inputs()
    single = inputs["peaks"][inputs["peaks"]["rank"] == 1]
    found = tabulate_findings.fn(**{**inputs, "peaks": single})
    peak = _row(found, "WLAN-0: second peak")
    assert (peak["value"], peak["met"]) == (None, False)
    assert "(none)" in found["sentence"]


def test_another_table_is_held_against_nothing() -> None:
    found = tabulate_findings.fn(**_inputs(), reference=False)
    assert {row["met"] for row in found["findings"]} == {None}
    assert {row["expected"] for row in found["findings"]} == {None}
    assert found["checked"] == 0
    assert "nothing to compare" in found["sentence"]


def test_the_classifier_rows_hold_means_over_splits_and_the_best_k() -> None:
    found = tabulate_findings.fn(**_inputs())
    assert _row(found, "10 clusters as classifier, raw")["value"] == pytest.approx(98)
    assert _row(found, "20 clusters as classifier, raw (best)")["value"] == pytest.approx(98.5)


def test_other_leading_features_have_no_band() -> None:
    inputs = _inputs()
    turned = inputs["loadings"].rename(columns={"WLAN-3": "WLAN-4", "WLAN-4": "WLAN-3"})
    found = tabulate_findings.fn(**{**inputs, "loadings": turned})
    assert _row(found, "PC1: squared loadings of WLAN-0 and WLAN-4")["met"] is None
