from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import make_blobs

from engine import InputError
from tasks import criteria
from tasks.criteria import measure_stability, scan_clusters, scan_uniform, silhouette_profile
from tasks.kmeans import fit_kmeans
from tasks.silhouette import sample_rows


@pytest.fixture(scope="module")
def heaps() -> pd.DataFrame:
    """Three clear heaps of 50 rows in two features."""
    points, _ = make_blobs(150, 2, centers=[[0, 0], [20, 0], [0, 20]], random_state=0)
    return pd.DataFrame(points, columns=["x", "y"])


def test_criteria_find_the_heaps(heaps: pd.DataFrame) -> None:
    scan = scan_clusters.fn(heaps, k_max=6).set_index("k")
    assert list(scan.index) == [2, 3, 4, 5, 6]
    assert scan["silhouette"].idxmax() == 3
    assert scan["calinski_harabasz"].idxmax() == 3
    assert scan["davies_bouldin"].idxmin() == 3
    assert scan["inertia"].is_monotonic_decreasing


def test_the_scan_measures_the_clusters_of_fit_kmeans(heaps: pd.DataFrame) -> None:
    scan = scan_clusters.fn(heaps, k_min=4, k_max=4).iloc[0]
    fit = fit_kmeans.fn(heaps, clusters=4)
    assert scan["inertia"] == pytest.approx(fit.summary["inertia"])
    silhouette = metrics.silhouette_score(heaps, fit.assignment["cluster"])
    assert scan["silhouette"] == pytest.approx(silhouette)


def test_uniform_noise_fills_the_box_of_the_data(heaps: pd.DataFrame) -> None:
    uniform = scan_uniform.fn(heaps, k_max=4, references=3)
    assert len(uniform) == 9
    assert uniform["reference"].nunique() == 3
    total = ((heaps.max() - heaps.min()) ** 2 / 12).sum() * len(heaps)
    assert (uniform["inertia"] < total * 1.2).all()
    assert (uniform["inertia"] > total / 10).all()


def test_the_box_of_the_components_follows_the_data() -> None:
    rng = np.random.default_rng(0)
    along = rng.normal(0, 10, 300)
    diagonal = pd.DataFrame({"x": along, "y": along + rng.normal(0, 0.1, 300)})
    along_features = scan_uniform.fn(diagonal, k_max=2, references=1)["inertia"][0]
    along_components = scan_uniform.fn(diagonal, k_max=2, references=1, box="components")
    assert along_components["inertia"][0] < along_features / 1.5


def test_the_true_number_is_found_again_and_others_are_not(heaps: pd.DataFrame) -> None:
    stability = measure_stability.fn(heaps, k_max=6, resamples=6, n_init=5)
    mean = stability.groupby("k")["ari"].mean()
    assert mean[3] > 0.99
    assert mean.idxmax() == 3
    assert mean[6] < 0.9
    assert len(stability) == 5 * 6


def test_a_profile_is_ordered_within_clusters(heaps: pd.DataFrame) -> None:
    profile = silhouette_profile.fn(heaps, clusters=3)
    assert list(profile.columns) == ["cluster", "order", "silhouette"]
    for _, part in profile.groupby("cluster"):
        assert part["silhouette"].is_monotonic_decreasing
        assert list(part["order"]) == list(range(len(part)))
    fit = fit_kmeans.fn(heaps, clusters=3)
    silhouettes = metrics.silhouette_samples(heaps, fit.assignment["cluster"])
    assert np.sort(profile["silhouette"]) == pytest.approx(np.sort(silhouettes))


def test_large_tables_are_sampled_from_every_cluster(
    heaps: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scan_clusters.fn(heaps, k_max=3)["silhouette"]
    monkeypatch.setattr(criteria, "SILHOUETTE_ROWS", 60)
    sampled = scan_clusters.fn(heaps, k_max=3)["silhouette"]
    assert sampled.to_numpy() == pytest.approx(whole.to_numpy(), abs=0.05)
    profile = silhouette_profile.fn(heaps, clusters=3)
    assert profile["cluster"].value_counts().to_dict() == {0: 20, 1: 20, 2: 20}


def test_a_sample_keeps_small_clusters() -> None:
    cluster = np.repeat([0, 1], [997, 3])
    rows = sample_rows(cluster, 100, 0)
    assert (cluster[rows] == 1).sum() == 2
    assert len(rows) == 102


@pytest.mark.parametrize(
    ("k_min", "k_max", "words"),
    [
        (1, 4, "k_min = 1"),
        (5, 4, "2 <= k_min <= k_max"),
        (2, 9, "k_max = 9.*distinct"),
        (2, 8, "k_max = 8.*below 8"),
    ],
)
@pytest.mark.parametrize("scan", [scan_clusters, scan_uniform, measure_stability])
def test_an_impossible_range_is_named(scan: Any, k_min: int, k_max: int, words: str) -> None:
    features = pd.DataFrame({"x": np.arange(8.0), "y": np.arange(8.0) ** 2})
    with pytest.raises(InputError, match=words):
        scan.fn(features, k_min=k_min, k_max=k_max)


def test_repeated_rows_limit_k() -> None:
    features = pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0, 2.0], "y": 0.0})
    with pytest.raises(InputError, match=r"k_max = 4.*3 of them distinct"):
        scan_clusters.fn(features, k_max=4)
    assert len(scan_clusters.fn(features, k_max=3)) == 2
    # A bootstrap sample may hold fewer distinct rows than k: it is left out.
    measure_stability.fn(features, k_max=3, resamples=3)


def test_minibatch_scans_as_well(heaps: pd.DataFrame) -> None:
    scan = scan_clusters.fn(heaps, k_max=4, algorithm="minibatch").set_index("k")
    assert scan["silhouette"].idxmax() == 3
