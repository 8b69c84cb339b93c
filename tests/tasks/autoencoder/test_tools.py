from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.autoencoder import sampling, tools
from tasks.autoencoder.encoding import encode
from tasks.autoencoder.sampling import MIXTURE, sample_latents
from tasks.autoencoder.tools import decode_grid, interpolate, traverse
from tests.tasks.autoencoder.made import noise, plain_decoder, sigmoid, untrained

ABOUT = {"classes": ["zero", "one", "two"]}


@pytest.fixture
def points() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.uniform([-3, -1], [2, 4], (4000, 2)).astype(np.float32)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many points each call of the decoder took."""
    taken: list[int] = []
    decode = tools.decode_points

    def counted(model: Any, rows: np.ndarray) -> np.ndarray:
        taken.append(len(rows))
        return decode(model, rows)

    monkeypatch.setattr(tools, "decode_points", counted)
    monkeypatch.setattr(sampling, "decode_points", counted)
    return taken


def test_the_plane_of_two_axes_is_z_itself_across_and_up(
    points: np.ndarray, calls: list[int]
) -> None:
    grid = decode_grid.fn(plain_decoder(), points, side=7, outside=0)
    assert calls == [49]
    across, up = grid.plane["across"], grid.plane["up"]
    assert across[[0, -1]] == pytest.approx([points[:, 0].min(), points[:, 0].max()])
    assert up[[0, -1]] == pytest.approx([points[:, 1].max(), points[:, 1].min()])
    images = grid.images.reshape(7, 7, 4, 4)
    assert images[:, :, 0, 0] == pytest.approx(np.tile(sigmoid(across), (7, 1)), abs=1)
    assert images[:, :, 0, 3] == pytest.approx(np.tile(sigmoid(up)[:, None], (1, 7)), abs=1)
    assert grid.summary["explained"] == 1


@pytest.mark.parametrize(("z", "rows"), [(1, 1), (5, 4)])
def test_any_number_of_axes_has_a_plane_or_a_line(z: int, rows: int) -> None:
    _, decoder = untrained(8, 8, z=z)
    flat = np.random.default_rng(0).normal(size=(50, z)).astype(np.float32)
    flat[:, 0] *= 5
    grid = decode_grid.fn(decoder, flat, side=4)
    assert grid.images.shape == (4 * rows, 8, 8)
    assert (grid.summary["columns"], grid.summary["rows"]) == (4, rows)
    assert grid.plane["axes"] @ grid.plane["axes"].T == pytest.approx(np.eye(min(z, 2)), abs=1e-9)
    assert np.abs(grid.plane["axes"][0]).argmax() == 0
    assert 0.5 < grid.summary["explained"] <= 1


def test_a_walk_moves_one_axis_and_keeps_the_others(points: np.ndarray, calls: list[int]) -> None:
    test = {"x": np.zeros((2, 4, 4), np.uint8), "y": np.array([2, 1])}
    unseen = np.array([[0, 0], [1.5, -0.5]], np.float32)
    found = traverse.fn(plain_decoder(), points, unseen, test, ABOUT, start=1, steps=5, outside=0)
    assert calls == [11]
    assert found.images.shape == (2, 5, 4, 4)
    assert found.summary["label"] == "one"
    for walk, axis in zip(found.images, found.axes["axis"], strict=True):
        moving, still = (0, 3) if axis == 1 else (3, 0)
        assert (np.diff(walk[:, 0, moving].astype(int)) > 0).all()
        kept = sigmoid(unseen[1, 1 if axis == 1 else 0])
        assert walk[:, 0, still] == pytest.approx(np.full(5, kept), abs=1)
    assert (np.diff(found.axes["effect"]) <= 0).all()
    assert found.start[1] == pytest.approx(
        np.repeat(sigmoid(unseen[1])[None, [0, 0, 1, 1]], 4, axis=0), abs=1
    )
    with pytest.raises(InputError, match="start = 2: there are 2 test images, from 0 on"):
        traverse.fn(plain_decoder(), points, unseen, test, ABOUT, start=2)


def test_ways_lead_from_image_to_image_of_another_class(calls: list[int]) -> None:
    encoder, decoder = untrained(8, 8)
    test = noise(60, 8, 8)
    unseen = encode.fn(encoder, test, test).test
    found = interpolate.fn(decoder, unseen, test, ABOUT, pairs=7, steps=6)
    assert calls == [42]
    rows = found.pairs[["first", "second"]].to_numpy()
    assert (test["y"][rows[:, 0]] != test["y"][rows[:, 1]]).all()
    assert set(test["y"][rows[:3, 0]]) == {0, 1, 2}
    assert (found.ends == test["x"][rows]).all()
    ends = tools.decode_points(tools.load_part(decoder), unseen[rows[:, 1]])
    assert np.abs(found.images[:, -1] - 255 * ends).max() <= 0.51
    again = interpolate.fn(decoder, unseen, test, ABOUT, pairs=7, steps=6)
    assert found.images.tobytes() == again.images.tobytes()
    one = {**test, "y": np.zeros(60, np.int64)}
    with pytest.raises(InputError, match="of one class"):
        interpolate.fn(decoder, unseen, one, ABOUT)


def test_a_mixture_draws_where_the_points_are_and_a_normal_around_the_origin(
    calls: list[int],
) -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[6.0, 6.0], [-6.0, 5.0]])
    points = (centres[np.arange(600) % 2] + 0.3 * rng.normal(size=(600, 2))).astype(np.float32)
    found = sample_latents.fn(plain_decoder(), points, samples=80, components=2, scales=(0.5, 1.0))
    assert calls == [240]
    source = found.table["source"].to_numpy()
    assert list(dict.fromkeys(source)) == [MIXTURE, "normal, deviation 0.5", "normal, deviation 1"]
    mixture = found.points[source == MIXTURE]
    apart = np.linalg.norm(mixture[:, None] - centres, axis=2).min(axis=1)
    assert apart.max() < 1.5
    assert 20 < (mixture[:, 0] > 0).sum() < 60
    assert found.points[source == "normal, deviation 0.5"].std() == pytest.approx(0.5, rel=0.15)
    assert found.images[:, 0, 0] == pytest.approx(sigmoid(found.points[:, 0]), abs=1)
    again = sample_latents.fn(plain_decoder(), points, samples=80, components=2, scales=(0.5, 1.0))
    assert found.images.tobytes() == again.images.tobytes()


def test_more_components_than_half_the_points_are_refused() -> None:
    with pytest.raises(InputError, match="components = 20: expected at most 15"):
        sample_latents.fn(plain_decoder(), np.zeros((30, 2), np.float32))


def test_the_mixture_has_no_more_components_than_different_points() -> None:
    points = np.repeat(np.array([[0, 0], [1, 0], [0, 1]], np.float32), 20, axis=0)
    found = sample_latents.fn(plain_decoder(), points, samples=20, components=9, scales=(1.0,))
    assert found.summary["components"] == 3
    assert found.summary["finding"] == (
        "40 images: 20 from a mixture of 3 Gaussians, 20 with deviation 1 around the origin."
    )
