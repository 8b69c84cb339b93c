from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tasks.figures.scatter import draw_groups, mark_centroid, plane_points, set_limits
from tasks.figures.style import label_looks


@pytest.mark.parametrize("hollow", [False, True])
def test_every_point_is_drawn_once_in_its_groups_colour(hollow: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 101))
    groups = np.array(["a", "b"], dtype=object)[(rng.random(101) < 0.2).astype(int)]
    looks = label_looks(["a", "b", "none of these"])
    axes = Figure().subplots()
    draw_groups(axes, x, y, groups, looks, 9, 0.5, hollow)
    drawn = {"a": 0, "b": 0}
    for layer in axes.collections:
        for px, py in np.asarray(layer.get_offsets()):
            (place,) = np.flatnonzero((x == px) & (y == py))
            colours = layer.get_edgecolor() if hollow else layer.get_facecolor()
            assert to_hex(np.asarray(colours)[0]) == looks[groups[place]].colour.lower()
            drawn[groups[place]] += 1
    assert drawn == {"a": (groups == "a").sum(), "b": (groups == "b").sum()}


def test_a_constant_feature_still_has_an_axis() -> None:
    axes = Figure().subplots()
    set_limits(axes, np.zeros(5), np.arange(5.0))
    low, high = axes.get_xlim()
    assert low < 0 < high


def test_the_note_tells_what_was_done_to_the_points() -> None:
    whole = pd.DataFrame(np.zeros((20, 2)), columns=["a", "b"])
    rows, points, note = plane_points(whole, seed=0)
    assert len(rows) == len(points) == 20 and "spread" in note and "drawn" not in note
    _, same, note = plane_points(whole + 0.5, seed=0)
    assert note == "" and (same == 0.5).all(axis=None)
    many = pd.DataFrame(np.full((7_000, 2), 0.5), columns=["a", "b"])
    rows, points, note = plane_points(many, seed=0)
    assert len(rows) == len(points) == 6_000 and note == "6,000 of 7,000 points drawn"


def test_a_centroid_is_a_cross_with_a_white_rim() -> None:
    axes = Figure().subplots()
    mark_centroid(axes, 1.0, 2.0, 3)
    rim, cross = axes.lines
    assert rim.get_markeredgewidth() > cross.get_markeredgewidth()
    assert to_hex(rim.get_color()) == "#ffffff"
    assert axes.texts[0].get_text() == "3"
