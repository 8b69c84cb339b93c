from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import InputError
from tasks import classifier
from tasks.classifier import (
    COLUMNS,
    classify_by_clusters,
    collect_tables,
    learn_mapping,
    learn_space,
    predict,
    summarise_accuracy,
)


@pytest.fixture(scope="module")
def heaps() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four heaps of 60 rows; two of them carry the same label."""
    rng = np.random.default_rng(0)
    heap = np.repeat([0, 1, 2, 3], 60)
    centres = np.array([[0, 0, 0], [30, 0, 0], [0, 30, 0], [30, 30, 0]])
    points = centres[heap] + rng.normal(0, 1, (240, 3))
    labels = np.array(["left", "right", "left", "top right"], dtype=object)[heap]
    return pd.DataFrame(points, columns=["x", "y", "z"]), pd.DataFrame({"label": labels})


@pytest.mark.parametrize("space", ["raw", "pca2", "pca3", "pca9", "standardised"])
def test_separate_heaps_are_told_apart(
    heaps: tuple[pd.DataFrame, pd.DataFrame], space: str
) -> None:
    table = classify_by_clusters.fn(*heaps, clusters=8, space=space, splits=3)
    assert list(table.columns) == [
        "space", "clusters", "split", "accuracy", "empty_clusters", "unmapped_clusters",
        "mean_purity",
    ]  # fmt: skip
    assert list(table["split"]) == [0, 1, 2]
    assert (table["accuracy"] == 1).all()
    assert (table["mean_purity"] == 1).all()


def test_one_cluster_a_heap_suffices(heaps: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    four = classify_by_clusters.fn(*heaps, clusters=4, splits=2)["accuracy"]
    two = classify_by_clusters.fn(*heaps, clusters=2, splits=2)["accuracy"]
    assert four.min() == 1
    assert two.max() < 0.8


def test_test_labels_and_rows_cannot_change_what_is_learned(
    heaps: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = heaps
    train, test = np.arange(0, 240, 2), np.arange(1, 240, 2)
    monkeypatch.setattr(classifier, "stratified_splits", lambda *_: iter([(train, test)]))
    learned: list[tuple[object, ...]] = []

    def remember(points: np.ndarray, centroids: np.ndarray, mapping: classifier.ClusterLabels):
        learned.append((centroids.tobytes(), *(list(part) for part in mapping)))
        return predict(points, centroids, mapping)

    monkeypatch.setattr(classifier, "predict", remember)
    rng = np.random.default_rng(0)
    shuffled = labels.copy()
    shuffled.loc[test, "label"] = rng.permutation(shuffled.loc[test, "label"])
    moved = features.copy()
    moved.loc[test] += rng.normal(0, 100, (len(test), 3))
    for space in ("raw", "pca2", "standardised"):
        learned.clear()
        for table in ((features, labels), (features, shuffled), (moved, labels)):
            classify_by_clusters.fn(*table, clusters=6, space=space)
        assert learned[0] == learned[1] == learned[2]


def test_shuffled_labels_score_like_guessing(heaps: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    labels = heaps[1].sample(frac=1, random_state=0).reset_index(drop=True)
    assert classify_by_clusters.fn(heaps[0], labels, clusters=6)["accuracy"].mean() < 0.6


def test_a_mapping_counts_sizes_ties_and_empty_clusters() -> None:
    mapping = learn_mapping(
        np.array([0, 0, 0, 1, 1, 3]), np.array(["a", "a", "b", "a", "b", "b"], dtype=object), 4
    )
    assert list(mapping.label) == ["a", None, None, "b"]
    assert list(mapping.size) == [3, 2, 0, 1]
    assert list(mapping.purity) == pytest.approx([2 / 3, 1 / 2, 0, 1])


def test_rows_of_an_unmapped_cluster_go_to_the_nearest_mapped_one() -> None:
    mapping = learn_mapping(np.array([0, 2, 2]), np.array(["a", "b", "b"], dtype=object), 3)
    centroids = np.array([[0.0], [10.0], [30.0]])
    assert list(predict(np.array([[9.0], [11.0], [21.0]]), centroids, mapping)) == ["a", "a", "b"]


def test_where_all_clusters_are_tied_the_most_frequent_label_is_answered() -> None:
    labels = np.array(["a", "b", "b", "c"], dtype=object)
    mapping = learn_mapping(np.array([0, 0, 1, 1]), labels, 2)
    assert list(mapping.label) == ["b", "b"]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=60))
def test_a_label_is_the_only_most_frequent_one(rows: list[tuple[int, str]]) -> None:
    assignment, labels = np.array([c for c, _ in rows]), [label for _, label in rows]
    mapping = learn_mapping(assignment, np.array(labels, dtype=object), 6)
    assert mapping.size.sum() == len(rows)
    if any(label is None for label in mapping.label):
        for cluster, label in enumerate(mapping.label):
            inside = [name for c, name in rows if c == cluster]
            counts = sorted((inside.count(name) for name in set(inside)), reverse=True)
            alone = bool(counts) and counts[:2].count(counts[0]) == 1
            assert (label is not None) == alone
            if alone:
                assert inside.count(label) == counts[0]


def test_minibatch_reports_empty_clusters(heaps: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = classify_by_clusters.fn(*heaps, clusters=60, algorithm="minibatch", splits=2, n_init=1)
    assert (table["unmapped_clusters"] >= table["empty_clusters"]).all()
    assert table["accuracy"].min() > 0.9


def test_a_constant_feature_does_not_spoil_standardised_space() -> None:
    project = learn_space(np.array([[1.0, 5.0], [3.0, 5.0]]), "standardised")
    assert project(np.array([[2.0, 5.0]])).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("space", ["pca", "pca0", "polar", ""])
def test_an_unknown_space_is_named(heaps: tuple[pd.DataFrame, pd.DataFrame], space: str) -> None:
    with pytest.raises(InputError, match=f"space = '{space}'"):
        classify_by_clusters.fn(*heaps, space=space)


def test_more_clusters_than_training_rows_are_named(
    heaps: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    with pytest.raises(InputError, match=r"clusters = 200.*180 rows"):
        classify_by_clusters.fn(*heaps, clusters=200)


def test_the_same_seed_gives_the_same_table(heaps: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    one, two = (classify_by_clusters.fn(*heaps, clusters=9, splits=2) for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_tables_are_joined_in_order() -> None:
    parts = [pd.DataFrame({"k": [number]}) for number in (3, 1, 2)]
    joined = collect_tables.fn(parts)
    assert joined["k"].tolist() == [3, 1, 2]
    assert joined.index.tolist() == [0, 1, 2]


def test_tables_of_other_columns_are_refused() -> None:
    with pytest.raises(InputError, match="different columns"):
        collect_tables.fn([pd.DataFrame({"k": [1]}), pd.DataFrame({"n": [1]})])
    with pytest.raises(InputError, match="no table"):
        collect_tables.fn([])


def test_the_summary_has_one_row_a_space_and_k_with_the_spread_over_splits() -> None:
    rows = [("raw", 4, s, a, 0, 1, 0.9) for s, a in enumerate((0.9, 0.7))]
    rows += [("pca3", 4, 0, 0.8, 0, 0, 0.8)]
    table = summarise_accuracy.fn(pd.DataFrame(rows, columns=list(COLUMNS)))
    assert table[["space", "clusters", "splits"]].to_numpy().tolist() == [
        ["raw", 4, 2],
        ["pca3", 4, 1],
    ]
    assert table["accuracy_mean"].tolist() == pytest.approx([0.8, 0.8])
    assert table["accuracy_sd"].tolist() == pytest.approx([0.2 / 2**0.5, 0.0])
