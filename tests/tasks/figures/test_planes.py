from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.figures.planes import (
    plot_best_pairs,
    plot_centroids,
    say_best_pairs,
    say_centroids,
)

Frames = dict[str, Any]


def test_the_given_planes_are_enlarged_with_names_and_units(frames: Frames) -> None:
    figure = plot_best_pairs(
        frames["features"], frames["assignment"], frames["pairs"], frames["about"]
    )
    names = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.get_axes()]
    of = "signal strength of WLAN-{} [dBm]".format
    assert names == [(of(0), of(1)), (of(6), of(0))]
    for axes in figure.get_axes():
        assert [text.get_text() for text in axes.texts] == ["0", "1", "2", "3", "4"]


def test_the_sentence_of_the_best_pairs_follows_the_numbers(frames: Frames) -> None:
    pairs = frames["pairs"]
    told = say_best_pairs(frames["assignment"], pairs)
    assert "5 clusters" in told and "0.520 in WLAN-0 / WLAN-1" in told
    assert "0.111" in say_best_pairs(frames["assignment"], pairs.assign(silhouette=0.111))


def test_without_a_pair_there_is_an_error_that_teaches(frames: Frames) -> None:
    none = frames["pairs"].head(0)
    with pytest.raises(InputError, match="pick at least one pair"):
        plot_best_pairs(frames["features"], frames["assignment"], none, frames["about"])


def test_centroids_lie_where_they_are_with_their_numbers(frames: Frames) -> None:
    both = {4: frames["centroids4"], 5: frames["centroids5"]}
    figure = plot_centroids(
        frames["features"], frames["labels"], both, frames["pairs"], frames["about"]
    )
    panels = figure.get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == ["k = 4", "k = 5", "", ""]
    for axes, k, (x, y) in zip(
        panels, (4, 5, 4, 5), [("WLAN-0", "WLAN-1")] * 2 + [("WLAN-6", "WLAN-0")] * 2, strict=True
    ):
        crosses = {tuple(np.concatenate(line.get_data())) for line in axes.lines}
        assert crosses == set(zip(both[k][x], both[k][y], strict=True))
        assert [text.get_text() for text in axes.texts] == [str(i) for i in range(k)]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == frames["about"]["classes"]
    assert np.allclose(panels[0].get_xlim(), panels[1].get_xlim())


def test_the_sentence_tells_which_class_holds_two_centroids(frames: Frames) -> None:
    both = {4: frames["centroids4"], 5: frames["centroids5"]}
    told = say_centroids(frames["features"], frames["labels"], both)
    assert told.startswith("With 4 centroids each class holds one, and 100 % of the points")
    assert "with 5 centroids room 01 holds 2" in told
    fewer = {3: frames["centroids4"].iloc[:3]}
    assert "room 04 holds none" in say_centroids(frames["features"], frames["labels"], fewer)
