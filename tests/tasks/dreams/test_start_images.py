from __future__ import annotations

import numpy as np
import pytest

from tasks.dreams.pixels import show_contrast, standardise
from tasks.dreams.start_images import draw_starts
from tests.tasks.dreams.networks import noise


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (40, 24, 3)])
def test_starts_are_standardised_and_their_own(shape: tuple[int, int, int]) -> None:
    starts = draw_starts(20, shape, seed=0)
    assert starts.shape == (20, *shape) and starts.dtype == np.float32
    np.testing.assert_allclose(starts.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(starts.std(axis=(1, 2, 3)), 1, atol=1e-4)
    flat = starts.reshape(20, -1)
    assert np.abs(np.corrcoef(flat) - np.eye(20)).max() < 0.95
    assert not np.array_equal(starts, draw_starts(20, shape, seed=1))


def test_more_starts_begin_with_the_same() -> None:
    few, many = draw_starts(5, (28, 28, 1), 3), draw_starts(50, (28, 28, 1), 3)
    np.testing.assert_allclose(few, many[:5], atol=1e-6)


def test_starts_hold_all_length_scales() -> None:
    power = np.abs(np.fft.fft2(draw_starts(200, (28, 28, 1), 0)[..., 0])) ** 2
    mean = power.mean(axis=0)
    white = np.abs(np.fft.fft2(noise(200)[..., 0])) ** 2
    assert mean[0, 1] > 10 * white.mean(axis=0)[0, 1]  # as large as the image
    assert mean[0, 14] > 0.02 * white.mean(axis=0)[0, 14]  # as small as a pixel


def test_standardise_is_that_of_tensorflow() -> None:
    import tensorflow as tf

    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28, 1), dtype=np.uint8)
    images[3] = 77
    expected = tf.image.per_image_standardization(images).numpy()
    np.testing.assert_allclose(standardise(images), expected, atol=1e-5)
    assert not standardise(images)[3].any()


def test_contrast_is_spec_s_formula() -> None:
    image = 5 + 3 * noise(1)
    shown = show_contrast(image, centre=0.33, spread=1.0)
    z = (image - image.mean()) / image.std()
    np.testing.assert_allclose(shown, 255 * np.clip(z + 0.33, 0, 1), atol=0.6)
    assert set(np.unique(show_contrast(np.full((1, 4, 4, 1), 7.0)))) == {round(0.33 * 255)}
