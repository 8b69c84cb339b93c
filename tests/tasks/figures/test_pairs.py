from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import InputError
from tasks.figures.pairs import TOP_PAIRS, plot_pairs, say_pairs, separation
from tasks.figures.style import ACCENT

Frames = dict[str, Any]


@pytest.fixture
def told_apart_by_b_and_d() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four clusters at the corners of a square in the plane of b and d; a and c are noise."""
    rng = np.random.default_rng(3)
    corner = np.arange(200) % 4
    values = rng.normal(0, 1, (200, 4))
    values[:, 1] += 20 * (corner % 2)
    values[:, 3] += 20 * (corner // 2)
    features = pd.DataFrame(values, columns=list("abcd"))
    return features, pd.DataFrame({"cluster": corner})


def test_the_best_pair_is_found_framed_and_told(
    told_apart_by_b_and_d: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    features, assignment = told_apart_by_b_and_d
    shares = separation(features, assignment["cluster"].to_numpy())
    assert next(iter(shares)) == ("b", "d") and shares["b", "d"] == 1
    assert shares["a", "c"] < 0.5
    figure = plot_pairs(features, assignment, {"unit": ""})
    framed = [
        axes for axes in figure.get_axes() if axes.axison and axes.spines["top"].get_visible()
    ]
    assert len(framed) == 1
    assert framed[0].spines["top"].get_edgecolor()[:3] == pytest.approx(
        tuple(int(ACCENT[i : i + 2], 16) / 255 for i in (1, 3, 5))
    )
    assert framed[0].get_title(loc="right") == "100 %"
    told = say_pairs(features, assignment, {"unit": ""})
    assert told.startswith("In the plane of b / d 100 % of the 200 points")
    shuffled = assignment.sample(frac=1, random_state=0).reset_index(drop=True)
    assert say_pairs(features, shuffled, {"unit": ""}) != told


def test_seven_signals_are_a_triangle_of_21_panels(frames: Frames) -> None:
    figure = plot_pairs(frames["features"], frames["assignment"], frames["about"])
    panels = [axes for axes in figure.get_axes() if axes.axison]
    assert len(panels) == 21
    left = [axes.get_ylabel() for axes in panels if axes.get_ylabel()]
    low = [axes.get_xlabel() for axes in panels if axes.get_xlabel()]
    assert left == [f"WLAN-{i}" for i in range(1, 7)]
    assert low == [f"WLAN-{i}" for i in range(6)]
    points = sum(len(np.asarray(layer.get_offsets())) for layer in panels[0].collections)
    assert points == len(frames["features"])
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        f"cluster {i}" for i in range(5)
    ]
    # Panels of a column share their axis, so that a signal can be followed down.
    first = [axes for axes in panels if axes.get_position().x0 == panels[0].get_position().x0]
    assert len(first) == 6 and len({axes.get_xlim() for axes in first}) == 1


def test_of_many_features_the_best_pairs_are_shown(framed: Callable[..., Frames]) -> None:
    frames = framed(features=30, unit="")
    figure = plot_pairs(frames["features"], frames["assignment"], frames["about"])
    panels = [axes for axes in figure.get_axes() if axes.axison]
    assert len(panels) == TOP_PAIRS
    shares = [int(axes.get_title(loc="right").strip(" >%.<")[:3]) for axes in panels]
    assert shares == sorted(shares, reverse=True)


def test_two_features_are_one_panel_with_units(framed: Callable[..., Frames]) -> None:
    frames = framed(features=2)
    figure = plot_pairs(frames["features"], frames["assignment"], frames["about"])
    (axes,) = figure.get_axes()
    assert axes.get_xlabel() == "signal strength of WLAN-0 [dBm]"
    assert not axes.spines["top"].get_visible()


def test_one_feature_has_no_plane(frames: Frames) -> None:
    with pytest.raises(InputError, match=r"two signals, found 1: \['WLAN-0'\]"):
        plot_pairs(frames["features"][["WLAN-0"]], frames["assignment"], frames["about"])


def test_the_seed_moves_only_the_spread(frames: Frames) -> None:
    arguments = frames["features"].iloc[:, :2], frames["assignment"], frames["about"]
    one, other = (plot_pairs(*arguments, seed=seed).get_axes()[0] for seed in (0, 1))
    a, b = (np.asarray(axes.collections[0].get_offsets()) for axes in (one, other))
    assert 0 < np.abs(a - b).max() <= 0.7
