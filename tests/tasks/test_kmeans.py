from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from engine import InputError
from tasks.kmeans import cross_tabulate, fit_kmeans, pick_pairs
from tasks.partition import Algorithm, assign, partition


@pytest.fixture(scope="module")
def blobs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three heaps of 60, 90 and 120 rows in the first two of three features; the third is noise."""
    points, heap = make_blobs(
        [60, 90, 120], 2, centers=[[0, 0], [20, 0], [0, 20]], cluster_std=1.0, random_state=0
    )
    noise = np.random.default_rng(0).normal(0, 5, len(points))
    features = pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "noise": noise})
    return features, pd.DataFrame({"label": [f"heap {number}" for number in heap]})


@pytest.mark.parametrize("algorithm", ["kmeans", "minibatch"])
def test_clusters_are_numbered_by_falling_size(
    blobs: tuple[pd.DataFrame, pd.DataFrame], algorithm: Algorithm
) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=3, algorithm=algorithm)
    assert fit.summary["sizes"] == [120, 90, 60]
    assert list(fit.centroids["cluster"]) == [0, 1, 2]
    assert fit.assignment["cluster"].value_counts().to_dict() == {0: 120, 1: 90, 2: 60}


def test_each_row_belongs_to_its_nearest_centroid(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=7)
    centroids = fit.centroids.drop(columns="cluster").to_numpy()
    points = blobs[0].to_numpy()
    assert (assign(points, centroids) == fit.assignment["cluster"]).all()
    squares = ((points - centroids[fit.assignment["cluster"]]) ** 2).sum()
    assert fit.summary["inertia"] == pytest.approx(squares)


def test_the_same_seed_gives_the_same_bits(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    one, two = (fit_kmeans.fn(blobs[0], clusters=6, seed=5) for _ in range(2))
    assert one.centroids.to_numpy().tobytes() == two.centroids.to_numpy().tobytes()
    assert one.summary == two.summary


def test_the_order_of_rows_does_not_renumber_clear_clusters(
    blobs: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    shuffled = blobs[0].sample(frac=1, random_state=1)
    there = fit_kmeans.fn(shuffled, clusters=3).centroids.to_numpy()
    assert there == pytest.approx(fit_kmeans.fn(blobs[0], clusters=3).centroids.to_numpy())


def test_a_weight_is_a_repetition() -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    weights = np.arange(40) % 3 + 1.0
    weighted = partition(points, 3, n_init=20, seed=0, weights=weights)
    repeated = partition(np.repeat(points, weights.astype(int), axis=0), 3, n_init=20, seed=0)
    assert weighted.inertia == pytest.approx(repeated.inertia)
    assert weighted.centroids == pytest.approx(repeated.centroids)


@pytest.mark.parametrize("clusters", [0, 4, 50])
def test_more_clusters_than_distinct_rows_are_refused(clusters: int) -> None:
    features = pd.DataFrame({"x": [1.0, 1.0, 2.0, 3.0, 3.0], "y": 0.0})
    with pytest.raises(InputError, match=rf"clusters = {clusters}.*5 rows, 3 of them distinct"):
        fit_kmeans.fn(features, clusters=clusters)


def test_an_unknown_algorithm_is_named(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with pytest.raises(InputError, match="algorithm = 'dbscan'"):
        fit_kmeans.fn(blobs[0], algorithm="dbscan")  # type: ignore[arg-type]


def test_counts_add_up_and_purity_is_the_majority_share() -> None:
    assignment = pd.DataFrame({"cluster": [0, 0, 0, 1, 1, 2]})
    labels = pd.DataFrame({"label": ["a", "a", "b", "b", "b", "b"]})
    table = cross_tabulate.fn(assignment, labels)
    assert list(table.counts.columns) == ["cluster", "a", "b", "size", "purity", "majority"]
    assert table.counts[["a", "b"]].to_numpy().tolist() == [[2, 1], [0, 2], [0, 1]]
    assert table.counts["purity"].tolist() == pytest.approx([2 / 3, 1, 1])
    assert table.counts["majority"].tolist() == ["a", "b", "b"]
    assert table.summary["agreement"] == pytest.approx(5 / 6)
    assert "b falls into 2 clusters, the smallest with 1 row" in table.summary["finding"]


def test_a_perfect_match_scores_one(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=3)
    summary = cross_tabulate.fn(fit.assignment, blobs[1]).summary
    assert [summary[name] for name in ("ari", "nmi", "v_measure")] == pytest.approx([1, 1, 1])
    assert summary["pure_clusters"] == 3


def test_a_label_without_a_cluster_is_named() -> None:
    table = cross_tabulate.fn(
        pd.DataFrame({"cluster": [0] * 5}), pd.DataFrame({"label": ["a", "a", "a", "b", "b"]})
    )
    assert "no cluster belongs to b" in table.summary["finding"]


def test_the_plane_without_noise_comes_first(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=3)
    pairs = pick_pairs.fn(blobs[0], fit.assignment, count=3)
    assert pairs[["x", "y"]].iloc[0].tolist() == ["x", "y"]
    assert pairs["silhouette"].is_monotonic_decreasing
    assert len(pairs) == 3


def test_pairs_asked_for_keep_their_order(blobs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=3)
    pairs = pick_pairs.fn(blobs[0], fit.assignment, pairs=[("noise", "y"), ("x", "y")])
    assert pairs[["x", "y"]].to_numpy().tolist() == [["noise", "y"], ["x", "y"]]


@pytest.mark.parametrize("pair", [("x", "z"), ("x", "x")])
def test_a_pair_that_is_none_is_named(
    blobs: tuple[pd.DataFrame, pd.DataFrame], pair: tuple[str, str]
) -> None:
    fit = fit_kmeans.fn(blobs[0], clusters=3)
    with pytest.raises(InputError, match=f"pairs: {pair[0]} / {pair[1]}"):
        pick_pairs.fn(blobs[0], fit.assignment, pairs=[pair])


def test_of_many_features_only_telling_ones_are_paired(
    blobs: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    rng = np.random.default_rng(0)
    extra = {f"noise {number}": rng.normal(size=len(blobs[0])) for number in range(60)}
    wide = blobs[0].assign(flat=1.0, **extra)
    pairs = pick_pairs.fn(wide, fit_kmeans.fn(blobs[0], clusters=3).assignment, rows=100)
    assert pairs[["x", "y"]].iloc[0].tolist() == ["x", "y"]
