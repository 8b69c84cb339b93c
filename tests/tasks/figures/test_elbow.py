from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.figures.elbow import plot_elbow, say_elbow

Frames = dict[str, Any]


def plot(frames: Frames, **choice: Any) -> Any:
    return plot_elbow(frames["scan"], frames["uniform"], frames["choice"] | choice)


def test_both_curves_are_drawn_and_the_knee_is_ringed(frames: Frames) -> None:
    left, right = plot(frames).get_axes()
    assert np.allclose(left.lines[0].get_ydata(), frames["scan"]["inertia"])
    ring = [line for line in left.lines if line.get_markerfacecolor() == "none"]
    assert [list(line.get_xdata()) for line in ring] == [[5]]
    assert [t.get_text() for t in left.texts] == ["knee at k = 5"]
    data, noise = right.lines[:2]
    assert data.get_ydata()[0] == noise.get_ydata()[0] == 1
    # Both curves start at the scan's first k, though noise was measured from k = 1 on.
    assert list(noise.get_xdata()) == list(frames["scan"]["k"])
    assert np.allclose(noise.get_ydata(), (2 / frames["scan"]["k"]) ** 0.4)


def test_without_a_knee_that_is_written(frames: Frames) -> None:
    left, _ = plot(frames, knee=None).get_axes()
    assert [t.get_text() for t in left.texts] == ["no clear knee"]
    told = say_elbow(frames["scan"], frames["uniform"], frames["choice"] | {"knee": None})
    assert told.startswith("Inertia has no clear knee: from k = 2 to 12")


def test_the_sentence_follows_the_numbers(frames: Frames) -> None:
    scan, uniform, choice = frames["scan"], frames["uniform"], frames["choice"]
    told = say_elbow(scan, uniform, choice)
    assert "knee at k = 5 (80,000)" in told and "falls to 3 %" in told and "against 49 %" in told
    flat = scan.assign(inertia=scan["inertia"].max())
    assert "falls to 100 %" in say_elbow(flat, uniform, choice)
    assert "knee at k = 3 as well" in say_elbow(scan, uniform, choice | {"null_knee": 3})


def test_curves_without_a_common_k_are_an_error_that_teaches(frames: Frames) -> None:
    apart = frames["uniform"].assign(k=frames["uniform"]["k"] + 50)
    with pytest.raises(InputError, match=r"no k in common.*compute both for the same k"):
        plot_elbow(frames["scan"], apart, frames["choice"])


def test_without_uniform_references_the_data_stands_alone(frames: Frames) -> None:
    none = frames["uniform"].head(0)
    (axes,) = plot_elbow(frames["scan"], none, frames["choice"]).get_axes()
    assert axes.get_title(loc="left") == "the data"
    told = say_elbow(frames["scan"], none, frames["choice"])
    assert told == "Inertia has its knee at k = 5 (80,000): from k = 2 to 12 it falls to 3 %."
