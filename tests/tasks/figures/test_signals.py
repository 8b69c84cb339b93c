from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tasks.figures.signals import MOST_PANELS, plot_densities, say_densities

Frames = dict[str, Any]


def test_a_panel_a_signal_and_a_curve_a_room(frames: Frames) -> None:
    figure = plot_densities(frames["curves"], frames["peaks"], frames["about"])
    panels = [axes for axes in figure.get_axes() if axes.axison]
    assert [axes.get_title(loc="left") for axes in panels] == frames["about"]["features"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == frames["about"]["classes"]
    for axes in panels:
        curves = [line for line in axes.lines if line.get_marker() in ("None", "")]
        assert len(curves) == 4
        assert len({(line.get_color(), str(line.get_linestyle())) for line in curves}) == 4
    drawn = np.asarray(panels[2].lines[0].get_ydata(), dtype=float)
    part = frames["curves"].query("feature == 'WLAN-2' and label == 'room 01'")
    assert np.allclose(drawn, part["density"])


def test_second_peaks_are_marked_where_they_are(frames: Frames) -> None:
    figure = plot_densities(frames["curves"], frames["peaks"], frames["about"])
    marked = {
        axes.get_title(loc="left"): float(np.asarray(line.get_xdata())[0])
        for axes in figure.get_axes()
        for line in axes.lines
        if line.get_marker() == "v"
    }
    assert marked == {"WLAN-0": -20.0, "WLAN-1": -19.0}
    assert any("second peak" in text.get_text() for text in figure.texts)


def test_the_unit_is_named_below_the_lowest_panels(frames: Frames) -> None:
    figure = plot_densities(frames["curves"], frames["peaks"], frames["about"])
    labels = [axes.get_xlabel() for axes in figure.get_axes() if axes.axison]
    assert labels == [""] * 3 + ["signal strength [dBm]"] * 4


def test_of_many_features_the_first_are_shown_and_the_rest_counted(
    framed: Callable[..., Frames],
) -> None:
    frames = framed(features=30, unit="")
    figure = plot_densities(frames["curves"], frames["peaks"], frames["about"])
    assert sum(axes.axison for axes in figure.get_axes()) == MOST_PANELS
    assert any("24 of 30 features" in text.get_text() for text in figure.texts)


def test_the_sentence_names_the_signals_with_two_peaks(frames: Frames) -> None:
    curves, peaks, about = frames["curves"], frames["peaks"], frames["about"]
    told = say_densities(curves, peaks, about)
    assert "28 density curves of 7 signals 2 have" in told
    assert "WLAN-0 in room 02 (-66.0 and -20.0 dBm)" in told
    moved = peaks.assign(value=peaks["value"].where(peaks["rank"] == 1, -30.0))
    assert "-30.0 dBm" in say_densities(curves, moved, about)
    one = peaks[(peaks["rank"] == 1) | (peaks["feature"] == "WLAN-0")]
    assert "1 has a second peak: WLAN-0" in say_densities(curves, one, about)


def test_far_peaks_are_told_before_near_ones(frames: Frames) -> None:
    peaks = frames["peaks"].copy()
    near = (peaks["rank"] == 2) & (peaks["feature"] == "WLAN-0")
    peaks.loc[near, "value"] = -60.0
    told = say_densities(frames["curves"], peaks, frames["about"])
    assert told.index("WLAN-1") < told.index("WLAN-0")


def test_no_second_peak_is_said_and_nothing_marked(frames: Frames) -> None:
    first = frames["peaks"].query("rank == 1")
    assert say_densities(frames["curves"], first, frames["about"]).startswith("None of the 28")
    figure = plot_densities(frames["curves"], first, frames["about"])
    assert not any(line.get_marker() == "v" for axes in figure.get_axes() for line in axes.lines)


@pytest.mark.parametrize("classes", [2, 12, 20])
def test_any_number_of_classes(classes: int, framed: Callable[..., Frames]) -> None:
    frames = framed(features=2, classes=classes)
    figure = plot_densities(frames["curves"], frames["peaks"], frames["about"])
    assert len(figure.legends[0].get_texts()) == classes
