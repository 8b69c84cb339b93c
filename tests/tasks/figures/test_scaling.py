from __future__ import annotations

import numpy as np
import pandas as pd

from tasks.figures.scaling import comparable, order_scalings, plot_scaling, say_scaling
from tasks.figures.style import CARD
from tests.tasks.figures.digit_frames import make_means


def test_only_what_all_scalings_share_is_compared() -> None:
    means = make_means()
    table = comparable(means)
    assert set(table["algorithm"]) == {"minibatch"}
    assert sorted(set(table["clusters"])) == [10, 100, 300]
    lacking = means[~((means["scaling"] == "unit") & (means["space"] == "raw"))]
    assert set(comparable(lacking)["space"]) == {"pca15", "pca40"}


def test_scalings_that_share_nothing_are_drawn_all_the_same() -> None:
    means = make_means(scalings=("unit", "standard"))
    apart = means[(means["scaling"] == "unit") == (means["space"] == "raw")]
    assert len(comparable(apart)) and plot_scaling(apart).get_axes()
    assert say_scaling(apart)


def test_the_best_scaling_stands_on_top() -> None:
    means = make_means()
    assert order_scalings(means) == ["normalise", "unit", "standard-normalise", "standard"]
    panels = plot_scaling(means).get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == [
        "10 clusters", "100 clusters", "300 clusters",
    ]  # fmt: skip
    assert [t.get_text() for t in panels[0].get_yticklabels()] == [
        "normalise", "unit", "standard → normalise", "standard",
    ]  # fmt: skip
    assert panels[0].get_ylim()[0] > panels[0].get_ylim()[1]


def test_points_are_the_means_with_bars_of_one_sd() -> None:
    means = make_means(spaces=("pca40",))
    means = means[means["algorithm"] == "minibatch"]
    axes = plot_scaling(means).get_axes()[0]
    ten = means[means["clusters"] == 10].set_index("scaling")
    found = {}
    for line, _, (bar,) in axes.containers:
        found[int(line.get_ydata()[0])] = line.get_xdata()[0]
        (segment,) = bar.get_segments()
        assert np.isclose(np.ptp(segment[:, 0]), 2 * 0.008)
    accuracies = ten["accuracy"]
    assert [found[row] for row in range(4)] == [accuracies[s] for s in order_scalings(means)]
    assert f"{100 * accuracies['normalise']:.1f} %" in [t.get_text() for t in axes.texts]


def test_hollow_markers_tell_a_second_algorithm_only() -> None:
    both = make_means(spaces=("pca40",))
    kmeans = both[both["algorithm"] == "minibatch"].assign(algorithm="kmeans")
    both = pd.concat([both[both["algorithm"] == "minibatch"], kmeans])
    faces = [h.get_markerfacecolor() for h in plot_scaling(both).legends[0].get_lines()]
    assert len(set(faces)) == 2 and faces[1] == CARD
    one = plot_scaling(make_means()).legends[0].get_lines()
    assert CARD not in [h.get_markerfacecolor() for h in one]


def test_the_sentence_follows_the_numbers() -> None:
    told = say_scaling(make_means())
    assert told.startswith("Scaling normalise tells most test images right, ")
    assert "over 9 kinds of clustering and the best in 9 of them, before unit (" in told
    assert told.index("unit") < told.index("standard → normalise")
    alone = say_scaling(make_means(scalings=("unit",)))
    assert alone.startswith("With scaling unit ") and "before" not in alone
