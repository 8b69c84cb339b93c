from __future__ import annotations

import numpy as np
import pytest

from tasks.dreams.resizing import resize, resize_matrix


@pytest.mark.parametrize(
    ("found", "wanted"),
    [((560, 560), (28, 28)), ((28, 28), (280, 280)), ((427, 213), (28, 28)), ((28, 28), (37, 101))],
)
def test_resizing_is_tensorflows_bicubic_with_antialias(
    found: tuple[int, int], wanted: tuple[int, int]
) -> None:
    import tensorflow as tf

    picture = np.random.default_rng(0).normal(size=found).astype(np.float32)
    theirs = tf.image.resize(picture[..., None], wanted, "bicubic", antialias=True)
    np.testing.assert_allclose(resize(picture, *wanted), theirs[..., 0], atol=2e-5)


def test_the_same_size_changes_nothing_and_flat_stays_flat() -> None:
    picture = np.random.default_rng(1).normal(size=(31, 17)).astype(np.float32)
    np.testing.assert_array_equal(resize(picture, 31, 17), picture)
    flat = np.full((31, 17), 3.5, np.float32)
    np.testing.assert_allclose(resize(flat, 5, 90), 3.5, rtol=1e-6)


def test_several_pictures_are_resized_as_one() -> None:
    pictures = np.random.default_rng(2).normal(size=(3, 20, 30)).astype(np.float32)
    for one, found in zip(pictures, resize(pictures, 7, 9), strict=True):
        np.testing.assert_allclose(resize(one, 7, 9), found, atol=1e-6)


def test_matrices_are_shared_and_cannot_be_changed() -> None:
    assert resize_matrix(40, 9) is resize_matrix(40, 9)
    with pytest.raises(ValueError, match="read-only"):
        resize_matrix(40, 9)[0, 0] = 1
