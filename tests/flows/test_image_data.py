"""How many images a flow will work on is known before it loads them, and own ones are looked at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flows import image_data
from flows.image_data import Counts, Data, count_images
from tasks.image_labels import divide


@pytest.mark.parametrize("fraction", [0.001, 0.15, 0.999])
@pytest.mark.parametrize("limit", [None, 20, 100, 5000])
@pytest.mark.parametrize("dataset", ["digits8x8", "mnist"])
def test_known_sets_are_counted_as_they_are_divided(
    dataset: str, limit: int | None, fraction: float
) -> None:
    sizes = {"digits8x8": (1_797, 0), "mnist": (60_000, 10_000)}[dataset]
    train, test = ((np.arange(rows) % 10).astype(str) for rows in sizes)
    made = divide(
        train, test if len(test) else None, class_names={}, test_fraction=fraction, seed=0,
        limit=limit,
    )  # fmt: skip
    told = count_images(
        Data.model_validate({"dataset": dataset, "test_fraction": fraction, "limit": limit})
    )
    assert told == Counts(
        len(made.train), len(made.test), len(made.classes), len(np.unique(made.test_codes))
    )


def test_own_images_are_looked_at_again_only_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def look(path: Path, **parameters: object) -> dict[str, object]:
        looked.append(path)
        return check(path, **parameters)

    check = image_data.check_images
    monkeypatch.setattr(image_data, "check_images", look)
    path = tmp_path / "own.npz"
    data = Data(path=str(path), size=8, test_fraction=0.25)
    for rows in (40, 60):
        x = np.random.default_rng(0).integers(0, 255, (rows, 8, 8), np.uint8)
        np.savez(path, x=x, y=np.arange(rows) % 4)
        for _ in range(2):
            assert count_images(data) == Counts(3 * rows // 4, rows // 4, 4, 4)
    assert len(looked) == 2
    count_images(data.model_copy(update={"seed": 1}))
    assert len(looked) == 3
