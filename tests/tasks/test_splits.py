from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import InputError
from tasks.splits import stratified_splits

sizes = st.lists(st.integers(2, 40), min_size=2, max_size=8)


@given(sizes, st.floats(0.05, 0.9), st.integers(0, 5))
def test_each_row_is_in_exactly_one_part(sizes: list[int], fraction: float, seed: int) -> None:
    labels = np.repeat([f"class {number}" for number in range(len(sizes))], sizes)
    for train, test in stratified_splits(labels, 2, fraction, seed):
        assert sorted([*train, *test]) == list(range(len(labels)))
        assert len(test) >= len(sizes)
        assert len(train) >= len(sizes)


def test_classes_keep_their_proportions_where_rows_are_sorted() -> None:
    labels = np.repeat(["a", "b"], [300, 100])
    for train, test in stratified_splits(labels, 3, 0.25, 0):
        assert (labels[test] == "b").sum() == 25
        assert (labels[train] == "b").sum() == 75


def test_splits_differ() -> None:
    labels = np.repeat(["a", "b"], 50)
    (_, first), (_, second) = stratified_splits(labels, 2, 0.25, 0)
    assert list(first) != list(second)


@pytest.mark.parametrize(
    ("labels", "splits", "fraction", "words"),
    [
        (["a", "a", "b"], 2, 0.25, "class b has 1 row"),
        (["a", "a"], 0, 0.25, "splits = 0"),
        (["a", "a"], 1, 1.0, "test_fraction = 1.0"),
    ],
)
def test_what_cannot_be_split_is_named(
    labels: list[str], splits: int, fraction: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        next(stratified_splits(np.array(labels), splits, fraction, 0))
