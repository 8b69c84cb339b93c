from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from tasks.figures.clusters import (
    _apart,
    plot_crosstab,
    plot_silhouettes,
    say_crosstab,
    say_silhouettes,
)

Frames = dict[str, Any]


def test_a_panel_for_each_k_with_its_mean(frames: Frames) -> None:
    profiles = frames["profiles"]
    figure = plot_silhouettes(dict(reversed(profiles.items())))
    titles = [axes.get_title(loc="left") for axes in figure.get_axes()]
    assert [title.split(":")[0] for title in titles] == ["k = 3", "k = 4", "k = 5", "k = 6"]
    for axes, (key, profile) in zip(figure.get_axes(), profiles.items(), strict=True):
        assert len(axes.collections) == int(key)
        mean = np.asarray(axes.lines[0].get_xdata())[0]
        assert np.isclose(mean, profile["silhouette"].mean())
        written = [text.get_text() for text in axes.texts]
        assert written[::2] == [str(i) for i in range(int(key))]
        assert sum(map(int, written[1::2])) == len(profile)


def test_a_block_is_as_high_as_its_cluster_and_ordered(frames: Frames) -> None:
    axes = plot_silhouettes(frames["profiles"]).get_axes()[0]
    corners = axes.collections[0].get_paths()[0].vertices
    assert np.ptp(np.asarray(corners)[:, 1]) == 40


def test_a_cluster_of_one_point_has_a_bar_and_a_number() -> None:
    profile = pd.DataFrame(
        {"cluster": [0] * 99 + [1], "order": range(100), "silhouette": [0.5] * 99 + [-0.2]}
    )
    axes = plot_silhouettes({"2": profile}).get_axes()[0]
    corners = np.asarray(axes.collections[1].get_paths()[0].vertices)
    assert np.ptp(corners[:, 1]) == 1 and corners[:, 0].min() == -0.2
    assert axes.get_xlim()[0] < -0.2
    assert [text.get_text() for text in axes.texts] == ["0", "99", "1", "1"]


def test_numbers_of_small_clusters_are_moved_apart() -> None:
    moved = _apart([10, 50, 51, 52], 5)
    assert all(after - before >= 5 for before, after in pairwise(moved))
    assert moved[-1] <= 52 + 2.5
    assert _apart([10, 50], 5) == [10, 50]


def test_the_sentence_of_the_silhouettes_follows_the_numbers(frames: Frames) -> None:
    profiles = frames["profiles"]
    told = say_silhouettes(profiles)
    for key, profile in profiles.items():
        assert f"{profile['silhouette'].mean():.3f} for k = {key}" in told
    worse = {key: p.assign(silhouette=p["silhouette"] - 1) for key, p in profiles.items()}
    assert say_silhouettes(worse) != told


def test_the_table_shows_every_count(frames: Frames) -> None:
    counts, about = frames["counts"], frames["about"]
    table, purity = plot_crosstab(counts, about).get_axes()
    written = [text.get_text().replace("·", "0").replace(",", "") for text in table.texts]
    assert [int(t) for t in written] == counts[about["classes"]].to_numpy().ravel().tolist()
    shade = np.asarray(table.images[0].get_array())
    assert np.allclose(shade.max(axis=1), counts["purity"])
    assert [t.get_text() for t in purity.texts] == ["100 %"] * 5


def test_a_cluster_without_points_is_shown_and_does_not_count(frames: Frames) -> None:
    counts = frames["counts"].copy()
    counts.loc[4, [*frames["about"]["classes"], "size", "purity"]] = 0
    plot_crosstab(counts, frames["about"])
    assert "cluster 4" not in say_crosstab(counts)


def test_the_sentence_of_the_table_follows_the_numbers(
    frames: Frames, framed: Callable[..., Frames]
) -> None:
    assert say_crosstab(frames["counts"]) == (
        "100 % of the 240 points belong to the majority class of their cluster; "
        "room 01 is the main class of clusters 0 and 4."
    )
    mixed = frames["counts"].copy()
    mixed.loc[1, ["room 01", "size", "purity"]] = [20, 80, 0.75]
    assert "least in cluster 1 (75.0 % room 02)" in say_crosstab(mixed)
    few = framed(classes=5, clusters=2)["counts"]
    assert "no cluster is mostly room 03, room 04 and room 05" in say_crosstab(few)
