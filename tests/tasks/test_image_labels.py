from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import InputError
from tasks.image_files import BadImages
from tasks.image_labels import Division, divide, draw, listing, to_texts

counts = st.lists(st.integers(2, 40), min_size=2, max_size=6)


def texts(*labels: object) -> np.ndarray:
    return np.array([str(label) for label in labels])


def split(train: np.ndarray, test: np.ndarray | None = None, **options: Any) -> Division:
    defaults = {"class_names": {}, "test_fraction": 0.25, "seed": 0, "limit": None}
    return divide(train, test, **{**defaults, **options})


@pytest.mark.parametrize(
    "values",
    [
        np.array([3, 10, 0]),
        np.array([3, 10, 0], np.uint8),
        np.array([3.0, 10.0, 0.0]),
        np.array([[3], [10], [0]]),
        np.array(["3", " 10", "0 "]),
        np.array([b"3", b"10", b"0"]),
    ],
)
def test_labels_of_any_kind_are_text(values: np.ndarray) -> None:
    assert to_texts(values, "y").tolist() == ["3", "10", "0"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.eye(3), r"y: one label an image.*y\.argmax\(1\)"),
        (np.zeros((3, 1, 1)), "found shape"),
        (np.array([1.0, np.nan]), "label 2 is nan"),
        (np.array([0.5, 1.0]), "label 1 is 0.5; whole numbers or text"),
        (np.array(["a", " "]), "label 2 is empty"),
        (np.array(["a", "b" * 256]), "a label has 256 characters, limit 255"),
        (np.array([b"\xff"]), "UTF-8, not so b"),
        (np.array([1j]), "not complex"),
        (np.array(["2020-01-01"], "M8[D]"), "not datetime"),
        (np.array([1, None], object), "not object"),
    ],
)
def test_labels_that_cannot_be_are_refused(values: np.ndarray, says: str) -> None:
    with pytest.raises(BadImages, match=says):
        to_texts(values, "y")


def test_classes_stand_in_natural_order_and_stay_text() -> None:
    labels = texts(10, 9, "<b>&", 9, 10, "<b>&", "00", "00")
    division = split(labels)
    assert division.classes == ["00", "9", "10", "<b>&"]
    both = np.concatenate([division.train, division.test])
    codes = np.concatenate([division.train_codes, division.test_codes])
    assert [division.classes[code] for code in codes] == labels[both].tolist()
    assert division.train_codes.dtype == np.int64


def test_names_take_the_order_of_the_labels_and_may_merge() -> None:
    labels = texts(*[0, 1, 2] * 4)
    names = {"0": "zebra", "1": "ape", "2": "zebra"}
    division = split(labels, class_names=names)
    assert division.classes == ["zebra", "ape"]
    assert np.bincount(np.r_[division.train_codes, division.test_codes]).tolist() == [8, 4]
    with pytest.raises(BadImages, match="no name for the label '2'"):
        split(labels, class_names={"0": "a", "1": "b"})


@given(counts, st.floats(0.01, 0.99), st.integers(0, 5), st.integers(0, 99))
def test_a_division_is_stratified_and_complete(
    sizes: list[int], fraction: float, seed: int, shuffle: int
) -> None:
    labels = np.random.default_rng(shuffle).permutation(np.repeat(np.arange(len(sizes)), sizes))
    division = split(labels.astype(str), test_fraction=fraction, seed=seed)
    rows = np.concatenate([division.train, division.test])
    assert sorted(rows) == list(range(len(labels)))
    for part, codes in (
        (division.train, division.train_codes),
        (division.test, division.test_codes),
    ):
        assert (np.diff(part) > 0).all()
        np.testing.assert_array_equal(codes, labels[part])
        assert set(codes) == set(range(len(sizes)))
    tested = np.bincount(division.test_codes)
    wanted = min(max(round(fraction * len(labels)), len(sizes)), len(labels) - len(sizes))
    assert tested.sum() == wanted
    again = split(labels.astype(str), test_fraction=fraction, seed=seed)
    for one, other in zip(division, again, strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 5), st.data())
def test_what_is_drawn_keeps_the_proportions(
    sizes: list[int], seed: int, data: st.DataObject
) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    count = data.draw(st.integers(len(sizes), len(codes)))
    drawn = np.bincount(codes[draw(codes, count, seed)], minlength=len(sizes))
    assert drawn.sum() == count
    for size, got in zip(sizes, drawn, strict=True):
        assert got >= 1
        assert abs(got - count * size / len(codes)) <= 1 + len(sizes)
        if size > 1 and count <= len(codes) - len(sizes):
            assert got < size


def test_seeds_draw_other_images() -> None:
    labels = texts(*[0, 1] * 50)
    assert split(labels, seed=0).test.tolist() != split(labels, seed=1).test.tolist()


def test_the_datas_own_division_is_kept_in_its_order() -> None:
    division = split(texts(1, 0, 1, 2), texts(2, 1))
    assert division.train.tolist() == [0, 1, 2, 3]
    assert division.train_codes.tolist() == [1, 0, 1, 2]
    assert division.test.tolist() == [0, 1]
    assert division.test_codes.tolist() == [2, 1]


def test_a_limit_cuts_both_parts_in_proportion() -> None:
    train, test = texts(*[0, 1, 2] * 100), texts(*[0, 1, 2] * 20)
    division = split(train, test, limit=60)
    assert np.bincount(division.train_codes).tolist() == [20, 20, 20]
    assert np.bincount(division.test_codes).tolist() == [4, 4, 4]
    whole = split(train, test, limit=300)
    assert len(whole.train) == 300
    own = split(train, limit=60)
    assert set(own.test) <= set(split(train).test)
    assert set(own.train) <= set(split(train).train)
    with pytest.raises(InputError, match="limit = 2: expected at least one image for 3 classes"):
        split(train, limit=2)


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        (texts(1, 1, 1), None, r"one class only \('1'\)"),
        (texts(1, 1, 2), None, r"1 of 2 classes have one image only \('2'\)"),
        (texts(*range(30)), None, "30 of 30 classes .* and 20 more"),
        (texts(1, 2, 2), texts(3), "no training image has the class '3'"),
        (texts(1, 2), texts(), "the test part has no images"),
    ],
)
def test_too_few_images_are_refused(train: np.ndarray, test: Any, says: str) -> None:
    with pytest.raises(BadImages, match=says):
        split(train, test)


def test_names_in_messages_stay_short() -> None:
    assert listing(["a\nb", "x" * 99]) == f"'a\\nb', '{'x' * 39}…'"
