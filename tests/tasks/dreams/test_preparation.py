from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import File
from tasks.dreams.preparation import LOSSLESS, prepare_picture
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import small_cnn


@pytest.fixture(scope="module")
def model() -> File:
    return pack_model(small_cnn())


def photo(height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / 15
    waves = 120 + 60 * np.sin(x)[..., None] + 30 * np.cos(y + x)[..., None]
    return (waves + random.normal(0, 10, (height, width, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("mode", ["corrected", "seed"])
@pytest.mark.parametrize("shape", [(112, 112), (90, 151)])
def test_small_tiles_and_their_details_give_the_picture_back(
    model: File, mode: Any, shape: tuple[int, int]
) -> None:
    levels: list[dict[str, Any]] = [{"grid": "1x1"}, {"grid": "5x3"}]
    levels.insert(1, {"grid": "2x2", "tiles": [(-1, -1)]})
    found = prepare_picture.fn(model, photo(*shape), levels=levels, mode=mode)
    for level in found.summary["levels"]:
        assert level["loss"] <= LOSSLESS
    assert found.summary["lossless"]
    np.testing.assert_allclose(found.restored, found.grey, atol=LOSSLESS)
    assert abs(found.grey.mean()) < 1e-5 and abs(found.grey.std() - 1) < 1e-5
    assert {name: tiles.shape for name, tiles in found.small.items()} == {
        "0": (1, 28, 28), "1": (1, 28, 28), "2": (15, 28, 28),
    }  # fmt: skip


def test_a_flat_photo_is_prepared_too(model: File) -> None:
    flat = np.full((60, 60, 3), 200, np.uint8)
    found = prepare_picture.fn(model, flat, levels=[{"grid": "2x2"}])
    assert not found.grey.any()
    assert found.summary["lossless"]
