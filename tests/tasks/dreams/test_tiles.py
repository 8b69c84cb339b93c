from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InputError
from tasks.dreams.levels import lay_out
from tasks.dreams.tiles import (
    Grid,
    blended_grid,
    check_grid,
    cut,
    exact_grid,
    read_grid,
    read_places,
)

SIDES = st.integers(56, 300)


def added_weights(grid: Grid) -> np.ndarray:
    total = np.zeros(grid.shape)
    height, width = grid.shape
    for row, rows in zip(grid.rows, grid.row_weights, strict=True):
        for column, columns in zip(grid.columns, grid.column_weights, strict=True):
            part = np.outer(rows, columns)[row.seen(height), column.seen(width)]
            total[row.inside(height), column.inside(width)] += part
    return total


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(1, 9), st.integers(1, 9), st.floats(0, 1), st.floats(0.4, 2.5))
def test_weights_of_blended_windows_add_up_to_one_everywhere(
    height: int, width: int, rows: int, columns: int, overlap: float, aspect: float
) -> None:
    grid = blended_grid((height, width), rows, columns, overlap=overlap, aspect=aspect)
    np.testing.assert_allclose(added_weights(grid), 1, atol=1e-5)


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(1, 9), st.floats(0, 1), st.floats(0.4, 2.5))
def test_windows_hold_their_tiles_and_have_the_networks_shape(
    height: int, width: int, count: int, overlap: float, aspect: float
) -> None:
    rows, columns = read_grid(count, (height, width), aspect)
    grid = blended_grid((height, width), rows, columns, overlap=overlap, aspect=aspect)
    for spans in (grid.rows, grid.columns):
        assert spans[0].start == 0
        for span in spans:
            assert span.window_start <= span.start < span.stop <= span.window_stop
            assert span.length == spans[0].length
    high, wide = grid.rows[0].length, grid.columns[0].length
    assert abs(wide - high * aspect) <= 1 + aspect


@settings(max_examples=30)
@given(SIDES, SIDES, st.integers(1, 8), st.integers(1, 8))
def test_exact_tiles_cover_every_pixel_once(
    height: int, width: int, rows: int, columns: int
) -> None:
    grid = exact_grid((height, width), rows, columns)
    np.testing.assert_array_equal(added_weights(grid), 1)
    assert len(grid.places) == rows * columns
    assert grid.rows[-1].stop == height
    assert grid.columns[-1].stop == width


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("2x3", (100, 100), (2, 3)), (" 2 × 3 ", (100, 100), (2, 3)), ("2", (100, 300), (2, 6)),
        ("2", (300, 100), (6, 2)), ("1", (427, 640), (1, 1)), ("3", (560, 560), (3, 3)),
    ],
)  # fmt: skip
def test_a_grid_of_one_number_has_tiles_like_the_network(
    text: str, shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert read_grid(text, shape) == expected


def test_tiles_follow_a_network_that_is_not_square() -> None:
    assert read_grid("2", (100, 200), aspect=2.0) == (2, 2)
    assert read_grid("2", (100, 100), aspect=0.5) == (2, 4)


@pytest.mark.parametrize("text", ["", "0", "x2", "2x", "-1", "2.5", "100", "65x1", "2x3x4", "all"])
def test_what_is_no_grid_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="is no grid"):
        check_grid(text)


def test_more_tiles_than_pixels_can_bear_are_refused() -> None:
    with pytest.raises(InputError, match="at least 2 pixels"):
        read_grid("40", (60, 60))


def test_beyond_the_rims_a_window_sees_the_picture_mirrored() -> None:
    picture = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    grid = blended_grid((20, 30), 1, 1, overlap=0.5)
    span = grid.rows[0]
    padding = [
        (-each.window_start, each.window_stop - pixels)
        for each, pixels in ((span, 20), (grid.columns[0], 30))
    ]
    expected = np.pad(picture, padding, mode="symmetric")
    np.testing.assert_array_equal(cut(picture, span, grid.columns[0]), expected)


def test_a_window_inside_is_no_copy() -> None:
    picture = np.zeros((40, 40), np.float32)
    grid = exact_grid((40, 40), 2, 2)
    assert np.shares_memory(cut(picture, grid.rows[1], grid.columns[0]), picture)


def test_places_count_from_either_end() -> None:
    assert read_places("all", 2, 2) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert read_places([(-1, -1), (0, 1), (1, 1)], 2, 2) == [(0, 1), (1, 1)]
    for wrong, why in (([(2, 0)], "rows 0 to 1"), ([], "at least one"), ("some", '"all"')):
        with pytest.raises(InputError, match=why):
            read_places(wrong, 2, 2)


def test_levels_are_checked_before_anything_is_cut() -> None:
    one = [{"grid": "1"}]
    with pytest.raises(InputError, match="corrected, seed"):
        lay_out(one, (60, 60), (28, 28), mode="post")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="overlap"):
        lay_out(one, (60, 60), (28, 28), overlap=2)
    with pytest.raises(InputError, match="whole picture"):
        lay_out([{"grid": "2"}], (60, 60), (28, 28), mode="seed")
    with pytest.raises(InputError, match="levels"):
        lay_out([], (60, 60), (28, 28))


def test_stretched_windows_have_their_tiles_shape() -> None:
    grid = lay_out([{"grid": "2x2"}], (100, 200), (28, 28), overlap=0, stretch=True)[0].grid
    assert (grid.rows[0].length, grid.columns[0].length) == (50, 100)
