from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tasks.digit_findings import tabulate_digits

SHOWN = {
    "algorithm": "kmeans", "clusters": 100, "accuracy": 0.9, "purity": 0.88, "unmapped": 1,
}  # fmt: skip
QUALITY = {"knn": 0.45, "trustworthiness": 0.99, "label_accuracy": 0.95, "neighbours": 10}
PROTOTYPES = pd.DataFrame({"prototypes": [10, 500, 500], "accuracy": [0.8, 0.95, 0.97]})


def tabulate(accuracy: float, projection: dict[str, Any] | None = None, **kind: bool) -> Any:
    means = pd.DataFrame(
        {
            "scaling": ["normalise", "normalise", "unit"],
            "space": ["pca40", "pca40", "pca40"],
            "algorithm": ["kmeans", "minibatch", "minibatch"],
            "clusters": [100, 300, 100],
            "seeds": [5, 1, 1],
            "accuracy": [accuracy, 0.931, 0.5],
        }
    )
    return tabulate_digits.fn(means, SHOWN, PROTOTYPES, QUALITY, projection, **kind)


def test_numbers_within_their_bands_are_met() -> None:
    found = tabulate(0.895)
    assert (found["met"], found["checked"]) == (2, 2)
    assert found["sentence"] == "2 of 2 numbers lie in their bands."
    row = found["findings"][0]
    assert row["name"] == "KMeans, 100 clusters, unit rows, 40 components (mean of 5 seeds)"
    assert row["value"] == pytest.approx(89.5)
    assert (row["low"], row["high"], row["met"]) == (88.5, 90.5, True)
    assert "(one seed)" in found["findings"][1]["name"]


@pytest.mark.parametrize("accuracy", [0.88, 0.91])
def test_numbers_outside_are_named(accuracy: float) -> None:
    found = tabulate(accuracy)
    assert (found["met"], found["checked"]) == (1, 2)
    assert f"outside: KMeans, 100 clusters, unit rows, 40 components (mean of 5 seeds) ({100 * accuracy:g})" in (
        found["sentence"]
    )  # fmt: skip


def test_other_data_has_no_bands() -> None:
    found = tabulate(0.2, reference=False)
    assert found["checked"] == 0
    assert all(row["met"] is None and row["expected"] is None for row in found["findings"])
    assert "nothing to compare them with" in found["sentence"]


def test_the_space_of_the_pixels_has_no_components() -> None:
    assert not [row for row in tabulate(0.9)["findings"] if "components" in row["name"][:30]]
    found = tabulate(0.9, {"components": 40, "explained": 0.77})
    row = next(r for r in found["findings"] if r["source"] == "project")
    assert (row["name"], row["value"]) == ("variance explained by 40 components", 77)


def test_prototypes_are_averaged_over_their_seeds() -> None:
    row = next(r for r in tabulate(0.9)["findings"] if r["source"] == "fit_prototypes")
    assert row["value"] == pytest.approx(96)
    assert "500 prototypes" in row["name"]
