from __future__ import annotations

import numpy as np
import pytest

from tasks.figures.images import (
    BREADTH,
    LARGEST_IMAGE,
    SMALLEST_IMAGE,
    ClassRow,
    draw_class_rows,
    fit_image,
    fit_names,
    new_plate,
    plan_rows,
    row_capacity,
    text_width,
    tone,
    tone_note,
)
from tasks.figures.style import DPI, LABEL


def rows(classes: int, each: int, height: int = 28, width: int = 28) -> list[ClassRow]:
    images = np.arange(each, dtype=np.uint8)[:, None, None] + np.zeros((height, width), np.uint8)
    return [ClassRow(f"class {i}", f"{each} images", images) for i in range(classes)]


def test_strokes_on_black_become_ink_and_photos_stay_as_they_are() -> None:
    strokes = np.zeros((2, 10, 10), dtype=np.uint8)
    strokes[:, 4:6] = 255
    photos = np.full((2, 10, 10), 90, dtype=np.uint8)
    assert tone(strokes) == "Greys" and "dark on white" in tone_note("Greys")
    assert tone(photos) == tone(255 - strokes) == "gray" and not tone_note("gray")
    assert tone(np.repeat(strokes[..., None], 3, axis=3)) == "gray"  # it has colours of its own


@pytest.mark.parametrize("shape", [(28, 28), (60, 20), (16, 90)])
def test_an_image_keeps_its_proportions_and_stays_in_its_box(shape: tuple[int, int]) -> None:
    width, height = fit_image(shape, 0.8, 0.6)
    assert np.isclose(width / height, shape[1] / shape[0])
    assert width <= 0.8 + 1e-9 and height <= 0.6 + 1e-9
    assert np.isclose(width, 0.8) or np.isclose(height, 0.6)


def test_the_width_of_type_is_what_is_drawn() -> None:
    figure, axes = new_plate(1, "plate")
    for text, bold in (("5,923 images", False), ("Ankle boot", True), (r"\$5 and \$6", True)):
        drawn = axes.text(0, 0.5, text, fontsize=LABEL, fontweight="bold" if bold else "normal")
        figure.draw_without_rendering()
        inches = drawn.get_window_extent().width / DPI
        assert text_width(text, LABEL, bold) == pytest.approx(inches, abs=0.04)


def test_names_are_cut_until_they_fit_and_stay_different() -> None:
    names = ["the first long name", "the second long name", "a", "a"]
    short = fit_names(names, 0.8, LABEL)
    assert list(short) == ["the first long name", "the second long name", "a"]
    assert len(set(short.values())) == 3 and short["a"] == "a"
    assert all(text_width(text, LABEL, bold=True) <= 0.8 for text in short.values())
    assert fit_names(["name"], 0.01, LABEL) == {"name": "name"}


@pytest.mark.parametrize(
    ("classes", "each"), [(1, 1), (2, 12), (10, 12), (10, 1), (16, 6), (30, 4), (30, 1)]
)
def test_rows_fill_the_sheet_without_running_over(classes: int, each: int) -> None:
    every = rows(classes, each)
    plan = plan_rows(every)
    assert plan.blocks * plan.lines >= classes > (plan.blocks - 1) * plan.lines
    assert SMALLEST_IMAGE - 0.01 <= plan.size[0] <= LARGEST_IMAGE + 1e-9
    figure, axes = new_plate(plan.height, "rows")
    draw_class_rows(axes, every, plan, "gray")
    assert figure.get_size_inches()[1] < 12
    places = [image.get_extent() for image in axes.images]
    assert len(places) == classes * each
    assert all(left >= 0 and right <= BREADTH + 1e-6 for left, right, _, _ in places)
    assert all(top >= 0 and below <= plan.height + 1e-6 for _, _, below, top in places)
    corners = {(round(left, 6), round(top, 6)) for left, _, _, top in places}
    assert len(corners) == len(places)
    assert [t.get_text() for t in axes.texts][::2] == [row.name for row in every]


def test_more_classes_show_fewer_images_each() -> None:
    capacities = [row_capacity(classes) for classes in (2, 12, 13, 24, 25, 60)]
    assert capacities == sorted(capacities, reverse=True) and capacities[-1] >= 4


def test_a_plate_is_measured_in_inches_with_room_kept_below() -> None:
    figure, axes = new_plate(3, "plate", ["a note", ""], below=2)
    box = axes.get_window_extent()
    assert np.isclose(box.width / DPI, BREADTH) and np.isclose(box.height / DPI, 3)
    assert box.y0 / DPI > 2
    assert axes.get_xlim() == (0, BREADTH) and axes.get_ylim() == (3, 0)
    assert figure.texts[-1].get_text() == "a note"
