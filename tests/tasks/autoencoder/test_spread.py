from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tasks.autoencoder.spread import join_pairs, measure_areas, measure_spread, rank_pairs
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


def normal_classes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Five normal distributions of different width, and a sixth class without a point."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(6), [300, 300, 300, 300, 300, 0])
    width = np.array([1.0, 4.0, 2.0, 1.5, 3.0, 9.9])
    noise = rng.normal(size=(1500, size))
    return (5 * codes[:, None] + width[codes][:, None] * noise).astype("f4"), codes


@pytest.mark.parametrize(("size", "measure"), [(2, "area"), (3, "distance"), (1, "distance")])
def test_the_widest_class_is_the_first_by_either_measure(size: int, measure: str) -> None:
    points, codes = normal_classes(size)
    found = measure_spread.fn(
        points, {"y": codes}, confusion_of({("a", "b"): 3}), {"classes": NAMES}
    )
    assert found.summary["measure"] == measure
    assert found.summary["widest"] == ["b", "e", "c", "d", "a"]
    assert found.classes["rank"].tolist() == [5, 1, 3, 4, 2, 6]
    own = points[codes == 1]
    expected = np.square(own - own.mean(axis=0)).sum(axis=1).mean()
    assert found.classes["distance"][1] == pytest.approx(expected, rel=1e-5)
    assert found.classes["area"].notna().all() == (size == 2)
    assert found.shapes["covariance"].shape == (6, size, size)
    assert np.isnan(found.shapes["mean"][5]).all() and found.classes["distance"][5] == 0
    assert found.summary["groups"] == [["a", "b"]]
    words = "b takes the most room" if size == 2 else "b spreads widest"
    assert words in found.summary["finding"]


def test_the_room_of_a_class_is_the_area_that_it_fills() -> None:
    rng = np.random.default_rng(0)
    square = rng.uniform(0, 10, (6000, 2))
    angle = rng.uniform(0, 3, 6000)
    ring = 9 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.2, (6000, 2))
    points, codes = np.concatenate([square, ring]), np.repeat([0, 1], 6000)
    area = measure_areas(points, codes, 3)
    assert area[0] == pytest.approx(90, rel=0.1)  # nine tenths of it
    # A bent line reaches farther than the square and fills much less.
    assert np.trace(np.cov(ring.T)) > np.trace(np.cov(square.T)) and area[1] < area[0] / 3
    assert area[2] == 0
    stretched = measure_areas(points * [1, 50] + 7, codes, 3)
    np.testing.assert_allclose(stretched, 50 * area, rtol=0.02)


def test_a_collapsed_plane_has_no_room() -> None:
    assert measure_areas(np.ones((20, 2)), np.arange(20) % 2, 2).tolist() == [0, 0]
