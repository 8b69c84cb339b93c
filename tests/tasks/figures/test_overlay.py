from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.figures.overlay import extra_cluster, plot_overlay, say_overlay

Frames = dict[str, Any]


def plot(frames: Frames) -> Any:
    return plot_overlay(
        frames["features"], frames["labels"], frames["assignment"], frames["counts"],
        frames["pairs"], frames["about"],
    )  # fmt: skip


def test_clusters_lie_over_labels_shifted_by_the_same_little_step(frames: Frames) -> None:
    for axes in plot(frames).get_axes():
        filled = [c for c in axes.collections if len(c.get_facecolor())]
        rims = [c for c in axes.collections if not len(c.get_facecolor())]
        below = np.concatenate([np.asarray(c.get_offsets()) for c in filled])
        above = np.concatenate([np.asarray(c.get_offsets()) for c in rims])
        assert len(below) == len(above) == len(frames["features"])
        step = np.sort(above, axis=0) - np.sort(below, axis=0)
        assert np.allclose(step, step[0])
        width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
        assert 0 < step[0][0] < 0.02 * width and 0 < step[0][1] < 0.02 * height
        assert all(c.get_alpha() < 1 for c in rims)


def test_labels_and_clusters_have_keys_of_their_own(frames: Frames) -> None:
    labels, clusters = plot(frames).legends
    assert [t.get_text() for t in labels.get_texts()] == frames["about"]["classes"]
    assert [t.get_text() for t in clusters.get_texts()] == [f"cluster {i}" for i in range(5)]


def test_the_extra_cluster_shares_its_class_with_a_larger_one(frames: Frames) -> None:
    extra = extra_cluster(frames["counts"])
    assert extra["cluster"] == 4 and extra["size"] == 20 and extra["majority"] == "room 01"
    for axes in plot(frames).get_axes():
        assert [t.get_text() for t in axes.texts] == ["cluster 4: 20 points,\n100 % room 01"]


def test_where_every_class_has_one_cluster_the_smallest_is_named(frames: Frames) -> None:
    four = frames["counts"].head(4)
    assert extra_cluster(four)["cluster"] == 0  # 40 points where the others have 60
    empty = four.assign(size=[0, 60, 60, 50])
    assert extra_cluster(empty)["cluster"] == 3


def test_a_lone_point_is_named_too(framed: Callable[..., Frames]) -> None:
    frames = framed(lone=True)
    assert plot(frames).get_axes()[0].texts[0].get_text().startswith("cluster 4: 1 point,\n100 %")
    assert say_overlay(frames["counts"]).startswith("Cluster 4 (1 point) lies 100 % in")


def test_the_sentence_follows_the_numbers(frames: Frames) -> None:
    told = say_overlay(frames["counts"])
    assert told.startswith(
        "Cluster 4 (20 points) lies 100 % in room 01, the main class of cluster 0"
    )
    mixed = frames["counts"].copy()
    mixed.loc[1, ["room 01", "size", "purity"]] = [20, 80, 0.75]
    told = say_overlay(mixed)
    assert "75.0 % to 100 %" in told and "92.3 % of all points" in told
    assert "no other cluster" in say_overlay(frames["counts"].head(1))
