from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from engine import InputError
from engine.store import project_root
from tasks.figures.latent_map import pack_images, pack_map

ABOUT = {"classes": ["zero", "one", "two"]}


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """The first 500 of MNIST's training images, uint8 (500, 28, 28)."""
    with np.load(project_root() / "data" / "mnist.npz") as file:
        images: np.ndarray = file["x_train"][:500]
    return images


def _tiles(data: bytes, count: int, side: int) -> np.ndarray:
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    columns = math.ceil(math.sqrt(count))
    lines = sheet.reshape(-1, side, columns, side).swapaxes(1, 2)
    return lines.reshape(-1, side, side)[:count]


def test_every_image_of_the_sample_is_in_its_place_in_the_sheet(digits: np.ndarray) -> None:
    rows = np.array([3, 50, 51, 499, 7])
    file = pack_images.fn(rows, {"x": digits})
    found = _tiles(file.read_bytes(), 5, 28)
    assert np.abs(found.astype(int) - digits[rows]).max() <= 9  # half of a sixteenth


def test_what_is_given_for_the_sample_alone_is_taken_in_its_order(digits: np.ndarray) -> None:
    rows = np.array([400, 401])
    bright = (digits[:2] / 255).astype(np.float32)[..., None]
    file = pack_images.fn(rows, bright)
    assert np.abs(_tiles(file.read_bytes(), 2, 28).astype(int) - digits[:2]).max() <= 9


def test_digits_take_few_bytes_each(digits: np.ndarray) -> None:
    file = pack_images.fn(np.arange(500), digits)
    assert len(file.read_bytes()) < 500 * 180


def test_colours_stay_and_a_large_sheet_is_made_smaller() -> None:
    images = np.zeros((70 * 70, 64, 64, 3), np.uint8)
    images[:, :, :, 2] = 200
    file = pack_images.fn(np.arange(len(images)), images)
    sheet = Image.open(io.BytesIO(file.read_bytes()))
    assert sheet.size == (70 * 58, 70 * 58)
    assert np.asarray(sheet)[5, 5].tolist() == [0, 0, 200]


@pytest.mark.parametrize("shape", [(4, 28), (4, 5, 5, 2), (2, 28, 28)])
def test_what_is_no_image_of_the_sample_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="image"):
        pack_images.fn(np.arange(4), np.zeros(shape, np.uint8))


def test_points_of_the_sample_are_cut_from_what_is_said_of_all() -> None:
    rows = np.array([1, 4, 5])
    xy = np.array([[0.123456789, 100], [1, 200], [2, -300.0]], np.float32)
    labels = np.array([0, 1, 2, 0, 2, 1])
    plane = np.arange(12.0).reshape(6, 2)
    points = pack_map.fn(
        {"xy": xy, "rows": rows},
        {"y": labels},
        ABOUT,
        {"z = 2": plane, "sample's own": {"xy": plane[:3], "rows": rows}},
        {"KMeans": labels, "chance": np.array([1, 0, 1])},
    )
    assert points["labels"] == [1, 2, 1] and points["numbers"] == [1, 4, 5]
    views = {view["name"]: view for view in points["views"]}
    assert list(views) == ["t-SNE", "z = 2", "sample's own"]
    assert views["z = 2"]["x"] == [2, 8, 10] and views["sample's own"]["y"] == [1, 3, 5]
    assert views["t-SNE"]["x"][0] == pytest.approx(0.1235)
    assert [p["mistakes"] for p in points["predictions"]] == [0, 1]
    assert points["finding"] == (
        "3 images in the plane; 0 of them (0 %) are taken for another class by KMeans, 1 of them "
        "(33.3 %) are taken for another class by chance."
    )


def test_arrays_of_another_length_are_refused() -> None:
    sample = {"xy": np.zeros((3, 2)), "rows": np.array([0, 1, 5])}
    with pytest.raises(InputError, match="z = 2: 4 rows fit neither the 6 images nor"):
        pack_map.fn(sample, {"y": np.zeros(6, int)}, ABOUT, {"z = 2": np.zeros((4, 2))}, {})


def test_a_plane_without_extent_is_a_point() -> None:
    sample = {"xy": np.ones((2, 2)), "rows": np.array([0, 1])}
    points = pack_map.fn(sample, {"y": np.zeros(2, int)}, ABOUT, {}, {})
    assert points["views"][0]["x"] == [1.0, 1.0]
    assert points["finding"] == "2 images in the plane."
