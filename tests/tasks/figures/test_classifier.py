from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.figures.classifier import (
    draw_classifier,
    plot_classifier,
    plot_forest,
    say_classifier,
    say_forest,
)

Frames = dict[str, Any]


def test_the_forest_shows_every_split_and_ranks_the_features(frames: Frames) -> None:
    scores = frames["forest_scores"]
    importances = frames["importances"].iloc[::-1]
    left, right = plot_forest(scores, importances).get_axes()
    (dots,) = [line for line in left.lines if line.get_linestyle() == "None"]
    assert np.allclose(dots.get_ydata(), scores["accuracy"])
    assert left.get_title(loc="left") == "mean 98.3 %, sd 0.5"
    widths = [float(bar.get_extents().width) for bar in right.patches]
    assert widths == sorted(widths, reverse=True) and widths[-1] > 0
    assert right.get_yticklabels()[0].get_text() == "WLAN-0"


def test_the_forests_sentence_follows_the_numbers(frames: Frames) -> None:
    scores, importances = frames["forest_scores"], frames["importances"]
    told = say_forest(scores, importances)
    assert "98.3 % of unseen rows" in told and "sd 0.5 points over 5 splits" in told
    assert "97.8 % to 99.0 %" in told and "WLAN-0" in told
    one = say_forest(scores.head(1), importances)
    assert "98.0 %" in one and "over 1 split," in one


def test_a_line_and_a_band_for_each_space(frames: Frames) -> None:
    results = frames["results"]
    figure = plot_classifier(results, 0.98)
    (axes,) = figure.get_axes()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "all features", "3 principal components", "all features, standardised",
    ]  # fmt: skip
    curves = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 7]
    assert len(curves) == len(axes.collections) == 3
    means = results[results["space"] == "pca3"].groupby("clusters")["accuracy"].mean()
    assert np.allclose(curves[1].get_ydata(), means)
    assert len({(c.get_marker(), str(c.get_linestyle())) for c in curves}) == 3
    assert [t.get_text() for t in axes.texts] == ["reference 98.0 %"]
    assert not plot_classifier(results).get_axes()[0].texts


def test_the_classifiers_sentence_follows_the_numbers(frames: Frames) -> None:
    results = frames["results"]
    told = say_classifier(results, 0.98)
    assert told.startswith(
        "Mean accuracy peaks at 99.0 % (sd 0.2) with 30 clusters in 3 principal components"
    )
    assert told.endswith("98.0 % is first reached with 5 clusters in 3 principal components.")
    assert say_classifier(results, 0.999).endswith("99.9 % is reached nowhere.")
    lower = results.assign(accuracy=results["accuracy"] - 0.1)
    assert "89.0 %" in say_classifier(lower)


def test_one_split_and_one_k_are_drawn(frames: Frames) -> None:
    results = frames["results"].query("split == 0 and clusters == 5")
    plot_classifier(results, 0.98)
    assert "(sd 0.0)" in say_classifier(results)


def test_a_reference_that_is_no_share_is_an_error(frames: Frames) -> None:
    with pytest.raises(InputError, match=r"reference is 98, expected a share from 0 to 1"):
        draw_classifier.fn(frames["results"], reference=98)
