from __future__ import annotations

import numpy as np
import pytest

from engine import InputError
from tasks.autoencoder.probes import probe_latents

ABOUT = {"classes": ["inner", "outer"]}


def rings(rows: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Two rings, one in the other, and a third axis that says nothing."""
    rng = np.random.default_rng(seed)
    codes = np.arange(rows) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, rows), 1 + 2 * codes + rng.normal(0, 0.1, rows)
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(rows, 7.0)], axis=1)
    return flat.astype(np.float32), {"y": codes.astype(np.int64)}


def test_neighbours_see_what_no_plane_parts_and_a_constant_axis_is_not_active() -> None:
    points, train = rings(400, 0)
    unseen, test = rings(100, 1)
    found = probe_latents.fn(points, unseen, train, test, ABOUT)
    assert found.summary["knn"] == 1.0
    assert found.summary["linear"] < 0.7
    assert found.summary["active"] == 2
    assert found.units["active"].tolist() == [True, True, False]
    assert (found.predicted == test["y"]).all()
    right = found.confusion[found.confusion["truth"] == found.confusion["predicted"]]
    assert right["rows"].sum() == 100


def test_planes_part_what_lies_apart() -> None:
    rng = np.random.default_rng(2)
    codes = np.arange(300) % 2
    points = (rng.normal(size=(300, 4)) + 8 * codes[:, None]).astype(np.float32)
    found = probe_latents.fn(
        points[:200], points[200:], {"y": codes[:200]}, {"y": codes[200:]}, ABOUT, rows=50
    )
    assert found.summary["linear"] == 1.0


def test_a_diverged_model_and_a_single_class_are_named() -> None:
    points, labels = rings(40, 0)
    broken = points.copy()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="not all finite"):
        probe_latents.fn(broken, points, labels, labels, ABOUT)
    one = {"y": np.zeros(40, np.int64)}
    with pytest.raises(InputError, match="of one class"):
        probe_latents.fn(points, points, one, one, ABOUT)


def test_the_finding_names_as_many_neighbours_as_there_were() -> None:
    points, train = rings(20, 0)
    for asked, told in ((1000, "20 training points tell"), (1, "training point tells")):
        found = probe_latents.fn(points, points, train, train, ABOUT, neighbours=asked)
        assert found.summary["neighbours"] == min(asked, 20)
        assert found.summary["finding"].startswith(f"The nearest {told} ")
