from __future__ import annotations

import numpy as np
import pytest

from tasks.autoencoder.bounds import measure_bounds
from tasks.autoencoder.errors import (
    cross_entropy,
    entropy,
    noise_ratio,
    similarity,
    squared_error,
)
from tasks.training.runtime import start_tensorflow
from tests.tasks.autoencoder.made import mnist


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((20, 28, 28)).astype(np.float32)
    return x, np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1).astype(np.float32)


def test_a_perfect_copy_costs_the_entropy_of_its_grey_pixels(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    x, worse = pair
    assert cross_entropy(x, x) == pytest.approx(entropy(x), abs=1e-6)
    assert (cross_entropy(x, worse) > entropy(x)).all()
    assert entropy(np.array([[[0.0, 1.0]]])) == pytest.approx([0])
    assert entropy(np.full((1, 2, 2), 0.5)) == pytest.approx([np.log(2)])


def test_a_wrong_black_pixel_costs_what_keras_takes() -> None:
    x, wrong = np.ones((1, 1, 1), np.float32), np.zeros((1, 1, 1), np.float32)
    assert cross_entropy(x, wrong) == pytest.approx([-np.log(1e-7)])


def test_similarity_is_tensorflows(pair: tuple[np.ndarray, np.ndarray]) -> None:
    tf = start_tensorflow()
    x, y = pair
    expected = tf.image.ssim(x[..., None], y[..., None], 1.0).numpy()
    assert similarity(x, y) == pytest.approx(expected, abs=1e-5)
    coloured = [np.stack([part, part[::-1], part**2], axis=-1) for part in pair]
    expected = tf.image.ssim(coloured[0], coloured[1], 1.0).numpy()
    assert similarity(coloured[0], coloured[1]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (4, 13), (28, 28, 3), (5, 5)])
def test_equal_images_are_alike_whatever_their_size(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).random((3, *shape))
    assert similarity(x, x) == pytest.approx(np.ones(3))
    assert similarity(x, 1 - x).max() < 0.5
    assert noise_ratio(squared_error(x, x)) == pytest.approx(np.full(3, 100))


def test_a_tenth_of_the_range_is_20_db(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, _ = pair
    assert noise_ratio(squared_error(x, x - 0.1)) == pytest.approx(np.full(20, 20), abs=1e-4)


def test_the_floor_of_mnist_is_the_known_one() -> None:
    train, test, _ = mnist(5000, 10_000)
    bounds = measure_bounds.fn(train, test)
    assert bounds["test_floor"] == pytest.approx(0.0581, abs=5e-5)
    assert bounds["mean_image"] == pytest.approx(0.263, abs=1e-3)
    assert bounds["train_floor"] == pytest.approx(0.0584, abs=1e-3)
