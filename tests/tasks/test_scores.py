from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

from tasks.clustering import Cell
from tasks.scores import learn_meaning, rate_cell, score_clusters

NAMES = ["a cat", "dog & co.", "7"]
SUMMARY = {
    "clusters": 0, "algorithm": "kmeans", "seed": 0, "inertia": 1.5, "iterations": 3,
    "backend": "scikit-learn",
}  # fmt: skip


def cell_of(train: list[int], test: list[int], centroids: list[list[float]]) -> Cell:
    assignment = {"train": np.array(train, np.int32), "test": np.array(test, np.int32)}
    summary = {**SUMMARY, "clusters": len(centroids)}
    return Cell(np.array(centroids, np.float32), assignment, summary)


def labels(*codes: int) -> dict[str, np.ndarray]:
    return {"y": np.array(codes, np.int64)}


ABOUT: dict[str, Any] = {"classes": NAMES}
LINE = [[0.0], [10.0], [11.0], [100.0]]


def test_a_cluster_means_what_most_of_its_training_rows_are() -> None:
    cell = cell_of([0, 0, 0, 1, 1, 2, 3], [0, 1, 2, 3], LINE)
    score = score_clusters.fn(cell, labels(0, 0, 2, 1, 1, 2, 0), labels(0, 1, 2, 1), ABOUT)
    assert list(score.mapping["label"]) == ["a cat", "dog & co.", "7", "a cat"]
    assert list(score.mapping["size"]) == [3, 2, 1, 1]
    assert score.mapping["purity"].tolist() == pytest.approx([2 / 3, 1, 1, 1])
    assert score.summary["accuracy"] == 0.75
    assert score.summary["per_class"] == {"a cat": 1.0, "dog & co.": 0.5, "7": 1.0}
    assert score.summary["purity"] == pytest.approx(6 / 7)
    assert score.summary["empty"] == score.summary["unmapped"] == 0
    assert "4 clusters tell 75.0 % of the 4 test images right" in score.summary["finding"]
    assert score.summary["dimensions"] == 1


def test_empty_and_tied_clusters_take_the_label_of_the_nearest_one_that_has_one() -> None:
    # Cluster 1 is tied, cluster 3 is empty; cluster 2 is the nearest to both.
    cell = cell_of([0, 1, 1, 2], [1, 3, 0], LINE)
    score = score_clusters.fn(cell, labels(0, 0, 1, 2), labels(2, 2, 0), ABOUT)
    assert list(score.mapping["label"]) == ["a cat", "7", "7", "7"]
    assert list(score.mapping["mapped"]) == [True, False, True, False]
    assert (score.summary["empty"], score.summary["unmapped"]) == (1, 2)
    assert score.summary["accuracy"] == 1
    assert "2 clusters had no label of their own" in score.summary["finding"]


def test_where_all_are_tied_the_most_frequent_label_answers() -> None:
    meaning = learn_meaning(
        np.array([0, 0, 1, 1]), np.array([0, 2, 2, 1]), np.zeros((2, 1), np.float32), 3
    )
    assert list(meaning.label) == [2, 2]
    assert not meaning.mapped.any()


def test_figures_of_merit_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    found, truth = rng.integers(0, 12, 400), rng.integers(0, 3, 400)
    cell = cell_of(found.tolist(), found[:200].tolist(), rng.normal(size=(12, 2)).tolist())
    score = score_clusters.fn(cell, {"y": truth}, {"y": truth[:200]}, ABOUT)
    assert score.summary["ari"] == pytest.approx(adjusted_rand_score(truth[:200], found[:200]))
    assert score.summary["nmi"] == pytest.approx(
        normalized_mutual_info_score(truth[:200], found[:200])
    )
    assert score.summary["v_measure"] == pytest.approx(score.summary["nmi"])
    meaning = learn_meaning(found, truth, cell.centroids, 3)
    matrix = confusion_matrix(truth[:200], meaning.label[found[:200]])
    table = score.confusion.pivot(index="truth", columns="predicted", values="rows")
    assert (table.loc[NAMES, NAMES].to_numpy() == matrix).all()


def test_a_sweep_rates_a_cell_as_its_full_score_does() -> None:
    cell = cell_of([0, 1, 1, 2], [1, 3, 0], LINE)
    given_: Any = (cell, labels(0, 0, 1, 2), labels(2, 2, 0), ABOUT)
    assert rate_cell.fn(*given_) == score_clusters.fn(*given_).summary


def test_a_class_without_a_test_row_has_no_accuracy() -> None:
    cell = cell_of([0, 1], [0], [[0.0], [1.0]])
    assert rate_cell.fn(cell, labels(0, 1), labels(0), ABOUT)["per_class"] == {
        "a cat": 1.0, "dog & co.": None, "7": None,
    }  # fmt: skip


@given(st.data())
def test_permuted_test_labels_cannot_change_the_mapping(data: st.DataObject) -> None:
    rows = data.draw(st.integers(4, 30))
    found = data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    codes = data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    tested = data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    shuffled = data.draw(st.permutations(tested))
    cell = cell_of(found, found, LINE)
    one = score_clusters.fn(cell, labels(*codes), labels(*tested), ABOUT)
    other = score_clusters.fn(cell, labels(*codes), labels(*shuffled), ABOUT)
    assert one.mapping.equals(other.mapping)
    assert one.summary["purity"] == other.summary["purity"]
    predicted = one.confusion.groupby("predicted")["rows"].sum()
    assert predicted.equals(other.confusion.groupby("predicted")["rows"].sum())


@given(st.data())
def test_names_of_classes_can_be_permuted(data: st.DataObject) -> None:
    """Renaming classes and clusters renames the answer and changes no score."""
    found = np.array(data.draw(st.lists(st.integers(0, 3), min_size=6, max_size=20)))
    codes = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=len(found), max_size=len(found)))
    )
    order = np.array(data.draw(st.permutations(range(4))))
    one = learn_meaning(found, codes, np.array(LINE), 3)
    other = learn_meaning(order[found], codes, np.array(LINE)[np.argsort(order)], 3)
    assert (other.size[order] == one.size).all()
    assert (other.mapped[order] == one.mapped).all()
    assert (other.label[order][one.mapped] == one.label[one.mapped]).all()


def test_one_cluster_is_spoken_of_as_one() -> None:
    one = score_clusters.fn(cell_of([0, 0], [0], LINE[:1]), labels(0, 0), labels(0), ABOUT)
    assert one.summary["finding"] == (
        "1 cluster tells 100 % of the 1 test images right; all classes are told alike (100 %)."
    )
    tied = cell_of([0, 0, 1, 1], [0, 1], LINE[:2])
    score = score_clusters.fn(tied, labels(0, 0, 1, 2), labels(0, 1), ABOUT)
    assert score.summary["finding"].endswith("; 1 cluster had no label of its own.")
