from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tasks.autoencoder.spread import join_pairs, measure_spread, rank_pairs
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
def test_classes_are_ranked_by_how_far_they_reach(size: int) -> None:
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
    assert found.classes["variance"][1] == pytest.approx(squares.mean(), rel=1e-5)
    assert (squares <= found.classes["reach"][1] ** 2).mean() == pytest.approx(0.95, abs=0.005)
    assert found.shapes["covariance"].shape == (6, size, size)
    assert np.isnan(found.shapes["mean"][5]).all() and found.classes["reach"][5] == 0
    assert found.summary["groups"] == [["a", "b"]]
    assert "b spreads widest (95 % within" in found.summary["finding"]


def test_a_few_images_that_went_astray_do_not_make_a_class_wide() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 400)
    points = rng.normal(size=(800, 2)) * np.array([1, 2])[codes][:, None]
    points[:8] *= 100
    found = measure_spread.fn(
        points.astype("f4"), {"y": codes}, confusion_of({}), {"classes": NAMES}
    )
    assert found.summary["widest"] == ["b", "a"]
    assert found.classes["variance"][0] > found.classes["variance"][1]
