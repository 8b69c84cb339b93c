from __future__ import annotations

import numpy as np
import pytest

from tasks.autoencoder.encoding import decode
from tasks.autoencoder.sample import rebuild_sample, vote_sample
from tasks.training.model_file import pack_model


def test_each_point_is_told_by_its_neighbours_and_never_by_itself() -> None:
    points = np.array(
        [[0, 0], [0.1, 0], [0, 0.1], [5, 5], [5.1, 5], [5, 5.1], [0.05, 0.05]], np.float32
    )
    train = {"y": np.array([0, 0, 0, 1, 1, 1, 1])}
    rows = np.array([0, 3, 6])
    assert vote_sample.fn(points, rows, train, neighbours=2).tolist() == [0, 1, 0]


def test_points_in_one_place_do_not_vote_for_themselves() -> None:
    points = np.zeros((6, 2), np.float32)
    train = {"y": np.array([1, 0, 0, 0, 0, 0])}
    assert vote_sample.fn(points, np.arange(6), train, neighbours=3).shape == (6,)
    assert vote_sample.fn(points[:2], np.array([0, 1]), {"y": np.array([1, 0])}).tolist() == [0, 1]


@pytest.mark.parametrize("count", [1, 7])
def test_a_sample_is_rebuilt_as_all_would_be(count: int) -> None:
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(16, activation="sigmoid"), keras.layers.Reshape((4, 4, 1))]
    decoder = pack_model(keras.Sequential([keras.Input((2,)), *layers]))
    points = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    rows = np.arange(20)[::-1][:count].copy()
    whole = decode.fn(decoder, points)
    assert np.array_equal(rebuild_sample.fn(decoder, points, rows), whole[rows])
