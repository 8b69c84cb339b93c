"""The numbers of the posts and of plain scikit-learn, on the bundled UCI set, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine import File
from flows.wifi import NAMES, PAIRS, ROOMS
from flows.wifi_parameters import PRESETS
from tasks.choice import choose_k
from tasks.classifier import classify_by_clusters, collect_tables
from tasks.criteria import measure_stability, scan_clusters, scan_uniform
from tasks.density import estimate_densities
from tasks.findings import tabulate_findings
from tasks.forest import score_forest
from tasks.kmeans import cross_tabulate, fit_kmeans, pick_pairs
from tasks.pca import fit_pca
from tasks.tables import Table, read_table

if TYPE_CHECKING:
    import pandas as pd

HALL = ROOMS["2"]


@pytest.fixture(scope="module")
def table() -> Table:
    data = Path(__file__).parents[2] / "data" / "wifi_localization.txt"
    raw = File(data=data.read_bytes(), suffix=".txt")
    return read_table.fn(raw, label="room", names=NAMES, unit="dBm", class_names=ROOMS)


@pytest.fixture(scope="module")
def scan(table: Table) -> pd.DataFrame:
    return scan_clusters.fn(table.features)


@pytest.fixture(scope="module")
def choice(table: Table, scan: pd.DataFrame) -> dict[str, Any]:
    uniform = scan_uniform.fn(table.features, references=3, n_init=3)
    stability = measure_stability.fn(table.features, resamples=3, n_init=5)
    return choose_k.fn(scan, uniform, stability)


@pytest.fixture(scope="module")
def results(table: Table) -> pd.DataFrame:
    cells = [(space, k) for space in ("raw", "pca3", "standardised") for k in (4, 5, 10, 11)]
    return collect_tables.fn(
        [
            classify_by_clusters.fn(
                table.features, table.labels, clusters=k, space=space, splits=5, n_init=5
            )
            for space, k in cells
        ]
    )


def test_signals_0_and_3_have_a_second_peak_in_the_hall(table: Table) -> None:
    peaks = estimate_densities.fn(table.features, table.labels).peaks
    second = peaks[(peaks["rank"] == 2) & (peaks["label"] == HALL)].set_index("feature")["value"]
    assert sorted(second.index) == ["WLAN-0", "WLAN-3"]
    assert second.between(-20, -12).all()


def test_the_forest_reaches_98_percent(table: Table) -> None:
    forest = score_forest.fn(table.features, table.labels, splits=5)
    assert forest.summary["mean"] >= 0.978
    assert forest.summary["train_rows"] == 1500


def test_inertia(scan: pd.DataFrame) -> None:
    inertia = scan.set_index("k")["inertia"] / 1000
    assert inertia[4] == pytest.approx(246.8, abs=0.1)
    assert inertia[5] == pytest.approx(204.3, abs=0.1)
    assert inertia.is_monotonic_decreasing


def test_criteria_disagree_between_4_and_5(scan: pd.DataFrame, choice: dict[str, Any]) -> None:
    by_k = scan.set_index("k")
    assert by_k["silhouette"][5] == pytest.approx(0.418, abs=0.003)
    assert by_k["silhouette"].idxmax() == 5
    assert by_k["silhouette"].drop([2, 5]).idxmax() == 4
    assert by_k["silhouette"][3] == pytest.approx(0.355, abs=0.003)
    assert by_k["calinski_harabasz"].idxmax() == 4
    assert by_k["calinski_harabasz"][4] == pytest.approx(1855, abs=3)
    assert by_k["davies_bouldin"].idxmin() == 5
    assert by_k["davies_bouldin"][5] == pytest.approx(0.897, abs=0.003)
    assert choice["agreement"] is False
    assert "Calinski-Harabasz (1,855) prefers 4 clusters" in choice["sentence"] or (
        "Calinski-Harabasz (1,855) and" in choice["sentence"]
    )


def test_the_knee_is_sharper_than_that_of_noise(choice: dict[str, Any]) -> None:
    assert choice["knee"] in (4, 5)
    assert choice["null_knee"] is not None
    assert choice["sharpness"] > choice["null_sharpness"] + 0.1
    assert choice["best"]["gap"] == 5
    assert choice["best"]["stability"] in (4, 5)


def test_the_fifth_cluster_lies_in_the_hall_alone(table: Table) -> None:
    fit = fit_kmeans.fn(table.features, clusters=5)
    counts = cross_tabulate.fn(fit.assignment, table.labels).counts.set_index("cluster")
    assert fit.summary["sizes"] == [545, 501, 499, 388, 67]
    assert counts.loc[4, "size"] == 67
    assert counts.loc[4, "majority"] == HALL
    assert counts.loc[4, "purity"] == 1
    assert counts.loc[3, "majority"] == HALL


def test_the_planes_of_the_posts_show_the_clusters_best(table: Table) -> None:
    fit = fit_kmeans.fn(table.features, clusters=5)
    ranked = pick_pairs.fn(table.features, fit.assignment)
    assert list(ranked[["x", "y"]].itertuples(index=False, name=None)) == PAIRS


def test_components(table: Table) -> None:
    fit = fit_pca.fn(table.features)
    assert list(fit.variance["ratio"][:3]) == pytest.approx([0.656, 0.199, 0.049], abs=1e-3)
    assert fit.variance["cumulative"][2] == pytest.approx(0.904, abs=0.002)
    loadings = fit.loadings.set_index("component")
    assert loadings.loc[1, "WLAN-0"] == pytest.approx(0.62, abs=0.01)
    assert loadings.loc[1, "WLAN-3"] == pytest.approx(0.63, abs=0.01)
    assert loadings.loc[2, "WLAN-4"] == pytest.approx(0.85, abs=0.01)


@pytest.mark.parametrize(
    ("space", "clusters", "expected", "margin"),
    [
        ("raw", 4, 95.5, 1.0),
        ("raw", 5, 97.0, 1.0),
        ("raw", 10, 97.8, 1.0),
        ("raw", 11, 98.0, 1.0),
        ("pca3", 10, 98.5, 1.0),
        ("pca3", 11, 98.5, 1.0),
        ("standardised", 10, 95.0, 1.5),
        ("standardised", 11, 95.0, 1.5),
    ],
)
def test_clusters_as_a_classifier(
    results: pd.DataFrame, space: str, clusters: int, expected: float, margin: float
) -> None:
    cell = results[(results["space"] == space) & (results["clusters"] == clusters)]
    assert 100 * cell["accuracy"].mean() == pytest.approx(expected, abs=margin)
    assert cell["empty_clusters"].sum() == 0


def test_every_finding_lies_in_its_band(
    table: Table, scan: pd.DataFrame, choice: dict[str, Any], results: pd.DataFrame
) -> None:
    components = fit_pca.fn(table.features)
    counts = {
        str(k): cross_tabulate.fn(
            fit_kmeans.fn(table.features, clusters=k).assignment, table.labels
        ).counts
        for k in (4, 5)
    }
    found = tabulate_findings.fn(
        estimate_densities.fn(table.features, table.labels).peaks,
        {"mean": 0.983},
        scan,
        choice,
        counts,
        components.variance,
        components.loadings,
        results,
        table.about,
    )
    assert found["checked"] == 28
    assert [row["name"] for row in found["findings"] if row["met"] is False] == []


def test_presets_keep_enough_splits_for_a_mean() -> None:
    for preset in PRESETS.values():
        for section in ("forest", "classifier"):
            assert preset.get(section, {}).get("splits", 8) >= 5
