"""Every figure of a dream draws what it is given, says what it shows, and fits a page."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import Picture
from tasks.figures.dream_activation import draw_activation, plot_activation
from tasks.figures.dream_pictures import Plate, hang
from tasks.figures.dream_preparation import draw_preparation, plot_preparation
from tasks.figures.dream_show import LONGEST, draw_dream
from tasks.figures.dream_story import draw_comparison, draw_loops
from tasks.figures.dream_structure import draw_structure, paint_difference, risen_tile

LOOPS = 3
FINDING = "After 3 loops the patterns stand out in 5 of 5 tiles."


def made_up(height: int = 60, width: int = 90) -> dict[str, Any]:
    """What the stages of a dream return, of noise."""
    random = np.random.default_rng(0)
    rows = [
        (loop, level, row, column, 'channel("Conv2D_3", 3)', 1.0, 2.0, float(loop + column), 0.5)
        for loop in range(1, LOOPS + 1)
        for level, side in ((0, 1), (1, 2))
        for row in range(side)
        for column in range(side)
    ]
    names = ["loop", "level", "row", "column", "objective", "before", "after", "kept", "original"]
    steps = [(0, -1, 0, True)]
    steps += [(i // 2 + 1, i % 2, i + 1, i % 2 == 1) for i in range(2 * LOOPS)]
    levels = [
        {"grid": f"{side} × {side}", "tiles": side**2, "original": 0.5, "dreamt": 2.5, "loss": 1e-7,
         "window": {"height": 40, "width": 40}}
        for side in (1, 2)
    ]  # fmt: skip
    grey = random.normal(size=(height, width)).astype(np.float32)
    return {
        "photo": random.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "picture": random.normal(size=(height, width)).astype(np.float32),
        "grey": grey,
        "frames": random.integers(0, 256, (1 + 2 * LOOPS, height, width), dtype=np.uint8),
        "steps": pd.DataFrame(steps, columns=["loop", "level", "frame", "ends_loop"]),
        "trace": pd.DataFrame(rows, columns=names),
        "small": {"0": random.normal(size=(1, 28, 28)), "1": random.normal(size=(4, 28, 28))},
        "summary": {"levels": levels, "finding": FINDING, "lossless": True},
    }


def draw_all(made: dict[str, Any]) -> dict[str, Picture]:
    return {
        "preparation": draw_preparation.fn(
            made["photo"], made["grey"], made["small"], made["grey"], made["summary"]
        ),
        "loops": draw_loops.fn(made["frames"], made["steps"], made["trace"]),
        "comparison": draw_comparison.fn(made["picture"], made["photo"], made["summary"]),
        "structure": draw_structure.fn(
            made["picture"], made["photo"], made["trace"], made["summary"]
        ),
        "activation": draw_activation.fn(made["trace"], made["summary"]),
        "dream": draw_dream.fn(made["picture"], made["photo"], {"name": "x"}, made["summary"]),
    }


@pytest.mark.parametrize("shape", [(60, 90), (90, 60), (56, 300)])
def test_every_figure_is_drawn_for_any_shape_of_photo(shape: tuple[int, int]) -> None:
    for name, found in draw_all(made_up(*shape)).items():
        image = Image.open(io.BytesIO(found.data))
        assert image.width <= 1100, name
        assert found.alt.endswith("."), name
    grey = draw_dream.fn(
        made_up()["picture"], made_up()["photo"], {"name": "x"}, made_up()["summary"], colour=False
    )
    assert Image.open(io.BytesIO(grey.data)).mode == "L"


def test_captions_tell_numbers_that_stand_in_the_tables() -> None:
    made = made_up()
    found = draw_all(made)
    # kept: loop + column; the finer level's columns are 0 and 1, so the last loop's mean is 3.4
    assert found["loops"].alt == (
        "In 3 loops the mean activation of the tiles' maps goes from 0.50 to 3.40."
    )
    assert "Of the tiles of level 2, tile 1, 2 gained" in found["structure"].alt
    assert "rose by 3.50" in found["structure"].alt
    assert "0.50 to 2.50 (2 × 2)" in found["activation"].alt


def test_titles_tell_how_many_tiles_of_a_level_are_dreamt_in() -> None:
    made = made_up()
    made["summary"]["levels"][1]["tiles"] = 3
    titles = [ax.get_title("left") for ax in plot_activation(made["trace"], made["summary"]).axes]
    assert titles == ["1 × 1 tiles", "3 of 2 × 2"]


@pytest.mark.parametrize(("window", "told"), [((30, 45), False), ((40, 45), True)])
def test_overlap_is_told_where_there_is_some(window: tuple[int, int], told: bool) -> None:
    made = made_up()
    for level, rows in zip(made["summary"]["levels"], (1, 2), strict=True):
        sides = window if rows == 2 else (60, 90)
        level["window"] = dict(zip(("height", "width"), sides, strict=True))
    # A single window that keeps the network's shape reaches out of the picture, into no neighbour.
    made["summary"]["levels"][0]["window"] = {"height": 90, "width": 90}
    figure = plot_preparation(
        made["photo"], made["grey"], made["small"], made["grey"], made["summary"]
    )
    assert any("overlap" in text.get_text() for text in figure.texts) == told


def test_many_loops_are_thinned_out() -> None:
    made = made_up()
    frames = np.repeat(made["frames"][:1], 41, axis=0)
    steps = pd.DataFrame(
        {"loop": range(41), "level": 0, "frame": range(41), "ends_loop": True},
    )
    trace = pd.concat([made["trace"].assign(loop=loop) for loop in range(1, 41)])
    assert draw_loops.fn(frames, steps, trace).alt.startswith("In 40 loops")


def test_large_dreams_are_shown_no_larger_than_a_page() -> None:
    made = made_up(400, 1600)
    found = draw_dream.fn(made["picture"], made["photo"], {"name": "x"}, made["summary"])
    assert Image.open(io.BytesIO(found.data)).width == LONGEST


def test_the_risen_tile_is_found_where_it_lies() -> None:
    made = made_up()
    _, row, column, box, rise = risen_tile(made["trace"], made["summary"], (60, 90))
    assert (row, column, rise) == (0, 1, 3.5)
    assert box == (slice(0, 30), slice(45, 90))


def test_one_tile_that_falls_is_told_as_it_is_and_lies_in_its_own_quarter() -> None:
    made = made_up()
    trace = made["trace"][made["trace"][["row", "column"]].eq(0).all(axis=1)].assign(kept=0.0)
    _, _, _, box, rise = risen_tile(trace, made["summary"], (60, 90))
    assert (box, rise) == ((slice(0, 30), slice(0, 45)), -0.5)
    found = draw_structure.fn(made["picture"], made["photo"], trace, made["summary"])
    assert "tile 1, 1 gained most: the activation of its map fell by 0.50." in found.alt


def test_only_tiles_that_the_network_saw_standardised_are_called_so() -> None:
    made = made_up()
    for mode, told in (("corrected", True), ("seed", False)):
        texts = plot_activation(made["trace"], made["summary"], mode).texts  # type: ignore[arg-type]
        assert any("standardised" in text.get_text() for text in texts) == told


def test_no_difference_is_white_and_signs_have_colours() -> None:
    painted = paint_difference(np.array([[0.0, 9.0, -9.0]], np.float32))[0]
    assert painted[0].tolist() == [255, 255, 255]
    assert painted[1, 0] > painted[1, 2] and painted[2, 2] > painted[2, 0]


def test_pictures_of_a_row_share_its_width() -> None:
    wide, tall = np.zeros((50, 100), np.uint8), np.zeros((100, 50), np.uint8)
    figure, axes = hang([[Plate(wide, "a"), Plate(tall, "b", "note")]], "t")
    patches: Any = axes.patches
    first, second = (patch.get_bbox() for patch in patches)
    assert abs(first.height) == pytest.approx(abs(second.height))
    assert second.x1 == pytest.approx(axes.get_xlim()[1], abs=0.01)
    assert figure.get_size_inches()[0] == 9
