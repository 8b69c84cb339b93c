from __future__ import annotations

import logging
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.image_arrays import check_rows, to_squares
from tasks.image_files import BadImages, to_square


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def squares(x: Any, **options: Any) -> np.ndarray:
    return to_squares({"x": np.asarray(x)}, **{"size": 8, "invert": False, **options})["x"]


def test_bytes_of_the_size_are_not_copied() -> None:
    pixels = noise(6, 8, 8)
    assert squares(pixels) is pixels
    np.testing.assert_array_equal(squares(pixels, invert=True), 255 - pixels)


@pytest.mark.parametrize("dtype", ["u1", "i4", ">i8", "f4", "f8", "<f2", "u2"])
def test_the_kind_of_number_does_not_matter(dtype: str) -> None:
    pixels = noise(6, 8, 8)
    np.testing.assert_array_equal(squares(pixels.astype(dtype)), pixels)


def test_values_up_to_1_are_scaled_and_others_rounded() -> None:
    pixels = noise(6, 8, 8)
    np.testing.assert_array_equal(squares(pixels / 255), pixels)
    np.testing.assert_array_equal(squares(pixels > 100), (pixels > 100) * 255)
    np.testing.assert_array_equal(squares((pixels > 100).astype(int)), (pixels > 100) * 255)
    np.testing.assert_array_equal(squares(pixels.clip(0, 254) + 0.4), pixels.clip(0, 254))
    np.testing.assert_array_equal(
        squares(pixels // 16, white=16), np.rint((pixels // 16) * 15.9375)
    )
    assert squares(np.zeros((2, 8, 8))).max() == 0


def test_one_rule_holds_for_both_parts() -> None:
    parts = {"x": np.full((2, 8, 8), 200.0), "x_test": np.full((2, 8, 8), 1.0)}
    found = to_squares(parts, size=8, invert=False)
    assert set(found["x_test"].ravel()) == {1}


def test_dim_images_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        squares(noise(3, 8, 8) // 16)
    assert "brightest value is 15 of 255" in caplog.text


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(
            st.integers(1, 4), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 3, 4])
        ),
    ),
    st.booleans(),
)
def test_arrays_follow_the_rule_of_pictures(x: np.ndarray, invert: bool) -> None:
    from PIL import Image

    found = squares(x, invert=invert, white=255)
    for pixels, square in zip(x, found, strict=True):
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        np.testing.assert_array_equal(square, to_square(image, 8, invert))


def test_colours_are_kept_where_asked() -> None:
    pixels = noise(6, 8, 8, 3)
    assert squares(pixels, colour=True) is pixels
    np.testing.assert_array_equal(squares(pixels / 255, colour=True), pixels)
    np.testing.assert_array_equal(squares(pixels, colour=True, invert=True), 255 - pixels)
    repeated = np.repeat(pixels[..., :1], 3, axis=3)
    np.testing.assert_array_equal(squares(pixels[..., 0], colour=True), repeated)
    opaque = np.concatenate([pixels, np.full((6, 8, 8, 1), 255, np.uint8)], axis=3)
    np.testing.assert_array_equal(squares(opaque, colour=True), pixels)


def test_rows_of_pixels_are_square_unless_said_otherwise() -> None:
    x = noise(5, 64)
    np.testing.assert_array_equal(squares(x), x.reshape(5, 8, 8))
    wide = squares(x, height=4)
    np.testing.assert_array_equal(wide, squares(x.reshape(5, 4, 16)))
    np.testing.assert_array_equal(wide, squares(x, width=16))


BAD_PIXELS: dict[str, tuple[Any, str]] = {
    "nan": (np.where(np.arange(192).reshape(3, 8, 8) == 70, np.nan, 0), "x: image 2 holds NaN"),
    "inf": (np.full((3, 8, 8), np.inf), "x: image 1 holds NaN or infinity"),
    "negative": (np.r_[np.zeros(128), [-3.0] * 64].reshape(3, 8, 8), "x: image 3 holds -3"),
    "too much": (
        np.r_[np.zeros(128), [300] * 64].reshape(3, 8, 8),
        "x: image 3 holds 300; pixels are",
    ),
    "neither": (np.full((3, 8, 8), 1.3), "1.3: neither 0 to 1 nor 0 to 255"),
    "text": (np.full((3, 8, 8), "a"), "pixels are numbers, not <U1"),
    "complex": (np.full((3, 8, 8), 1j), "not complex128"),
    "dates": (np.zeros((3, 8, 8), "M8[D]"), "not datetime"),
    "channels first": (noise(3, 3, 8, 8), r"channels come last.*transpose\(0, 2, 3, 1\)"),
    "two channels": (noise(3, 8, 8, 2), "expected, found shape"),
    "one image": (noise(8), "expected, found shape"),
    "five dimensions": (noise(1, 1, 8, 8, 1), "expected, found shape"),
    "no images": (noise(0, 8, 8), "no pixels, found shape"),
    "no pixels": (noise(8, 0, 8), "no pixels, found shape"),
    "no square": (noise(3, 65), "65 pixels an image make no rectangle; name height and width"),
    "no columns": (noise(3, 0), "no rectangle"),
}


@pytest.mark.parametrize("name", BAD_PIXELS)
def test_pixels_that_cannot_be_are_refused(name: str) -> None:
    x, says = BAD_PIXELS[name]
    with pytest.raises(BadImages, match=says):
        squares(x)


def test_a_wrong_side_is_told_with_the_product() -> None:
    with pytest.raises(BadImages, match="height 5 × width 12 is 60"):
        squares(noise(3, 64), height=5)
    with pytest.raises(BadImages, match="no rectangle"):
        squares(noise(3, 64), height=100)


def test_the_fault_is_found_in_a_later_block() -> None:
    x = np.zeros((3_000, 2, 2))
    x[2_500, 1, 1] = np.nan
    with pytest.raises(BadImages, match="image 2501 holds NaN"):
        squares(x)


def test_images_and_labels_must_be_as_many() -> None:
    with pytest.raises(BadImages, match="x has 100 images and y 99 labels"):
        check_rows(noise(100, 2, 2), np.arange(99), "x", "y")
