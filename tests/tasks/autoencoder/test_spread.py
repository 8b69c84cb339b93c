from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tasks.autoencoder.spread import (
    join_pairs,
    measure_spread,
    measure_territories,
    rank_pairs,
)
from tasks.scores import confuse

if TYPE_CHECKING:
    import pandas as pd

NAMES = list("abcdef")


def confusion_of(mistakes: dict[tuple[str, str], int]) -> pd.DataFrame:
    """100 rows of each class, some of them taken for others."""
    truth, told = [], []
    for code, name in enumerate(NAMES):
        own = [NAMES.index(b) for (a, b), n in mistakes.items() if a == name for _ in range(n)]
        truth += [code] * 100
        told += own + [code] * (100 - len(own))
    return confuse(np.array(truth), np.array(told), NAMES)


def test_a_pair_is_confused_in_both_directions_together() -> None:
    table = rank_pairs(confusion_of({("a", "b"): 10, ("b", "a"): 20, ("c", "a"): 16}), NAMES)
    first, second = table.iloc[0], table.iloc[1]
    assert (first["first"], first["second"], first["rows"]) == ("a", "b", 30)
    assert first["share"] == pytest.approx(0.15)
    assert (second["first"], second["second"], second["strong"]) == ("a", "c", True)
    assert not table["strong"][2:].any()


def test_groups_hang_together_by_strong_pairs_the_worst_first() -> None:
    pairs = rank_pairs(
        confusion_of({("a", "d"): 30, ("b", "c"): 20, ("e", "b"): 18, ("a", "b"): 5}), NAMES
    )
    assert join_pairs(pairs, NAMES) == [["a", "d"], ["b", "c", "e"]]
    joined = rank_pairs(
        confusion_of({("a", "d"): 30, ("b", "c"): 20, ("e", "b"): 18, ("c", "d"): 16}), NAMES
    )
    assert join_pairs(joined, NAMES) == [["a", "b", "c", "d", "e"]]


def test_without_mistakes_there_is_no_group() -> None:
    pairs = rank_pairs(confusion_of({}), NAMES)
    assert join_pairs(pairs, NAMES) == []
    assert not pairs["strong"].any()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_classes_are_ranked_by_their_deviation(size: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(6), [300, 300, 300, 300, 300, 0])
    width = np.array([1.0, 4.0, 2.0, 1.5, 3.0, 9.9])
    noise = rng.normal(size=(1500, size))
    points = (5 * codes[:, None] + width[codes][:, None] * noise).astype("f4")
    found = measure_spread.fn(
        points, {"y": codes}, confusion_of({("a", "b"): 3}), {"classes": NAMES}
    )
    assert found.summary["widest"] == ["b", "e", "c", "d", "a"]
    assert found.classes["rank"].tolist() == [5, 1, 3, 4, 2, 6]
    own = points[codes == 1]
    squares = np.square(own - own.mean(axis=0)).sum(axis=1)
    assert found.classes["deviation"][1] == pytest.approx(np.sqrt(squares.mean()), rel=1e-5)
    assert found.shapes["covariance"].shape == (6, size, size)
    assert np.isnan(found.shapes["mean"][5]).all() and found.classes["deviation"][5] == 0
    assert found.summary["groups"] == [["a", "b"]]
    assert "b spreads widest (deviation " in found.summary["finding"]


def test_a_class_holds_the_share_of_the_plane_where_most_of_it_lies() -> None:
    # Even rectangles side by side, and a class that is everywhere and thin.
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [1, 0], [3, 0], [0, 0]])
    sides = np.array([[1, 1], [2, 1], [1, 1], [4, 1]])
    codes = np.repeat(range(4), [80_000, 200_000, 80_000, 60_000])
    points = corners[codes] + sides[codes] * rng.random((len(codes), 2))
    rows = np.bincount(codes)
    held = measure_territories(points, codes, rows)
    assert held.sum() == pytest.approx(1)
    assert held == pytest.approx([0.25, 0.5, 0.25, 0], abs=0.02)
    # Neither the axes' units nor a few points far away change it.
    away = np.vstack([points, np.full((5, 2), 900)]) * [1, 50]
    again = measure_territories(away, np.append(codes, [3] * 5), rows + np.array([0, 0, 0, 5]))
    assert again == pytest.approx(held, abs=0.02)


def test_a_territory_is_told_of_planes_alone_and_of_one_that_has_collapsed() -> None:
    codes = np.arange(90) % 3
    for size, held in ((2, [1.0, 0, 0, 0, 0, 0]), (3, [np.nan] * 6)):
        flat = np.zeros((90, size), dtype="f4")
        found = measure_spread.fn(flat, {"y": codes}, confusion_of({}), {"classes": NAMES})
        np.testing.assert_array_equal(found.classes["territory"], held)
