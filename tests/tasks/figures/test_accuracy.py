from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.figures.accuracy import (
    MEASURED,
    MOST_LINES,
    _apart,
    choose_lines,
    plot_accuracy,
    say_accuracy,
)
from tests.tasks.figures.digit_frames import make_means


def labels(figure) -> list[str]:
    return [t.get_text() for t in figure.legends[0].get_texts()]


def test_a_line_a_space_and_algorithm_in_its_best_scaling() -> None:
    table = choose_lines(make_means())
    assert set(table["scaling"]) == {"normalise"}
    assert len(table[["space", "algorithm"]].drop_duplicates()) == 4
    figure = plot_accuracy(make_means())
    assert labels(figure) == [
        "15 components · MiniBatch", "40 components · KMeans", "40 components · MiniBatch",
        "all pixels · MiniBatch",
    ]  # fmt: skip
    note = figure.texts[-1].get_text().replace("\n", " ")
    assert note.startswith("normalise · the best of 4 scalings · band: mean ± sd over 3 seeds")


def test_lines_are_the_shares_of_errors_on_logarithmic_axes() -> None:
    means = make_means(scalings=("normalise",))
    (axes,) = plot_accuracy(means).get_axes()
    assert axes.get_xscale() == axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low > high, "the best accuracy belongs on top"
    kmeans = means[means["algorithm"] == "kmeans"]
    curves = [np.asarray(line.get_xydata()) for line in axes.lines]
    wished = np.stack([kmeans["clusters"], 1 - kmeans["accuracy"]], axis=1)
    assert any(np.allclose(curve, wished) for curve in curves)
    assert len(axes.collections) == len(curves) == 4
    for tick, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
        assert text.get_text() == f"{100 * (1 - tick):.3g} %"


def test_of_many_lines_the_best_are_kept() -> None:
    means = make_means(scalings=("unit",), spaces=tuple(f"pca{d}" for d in range(10, 120, 10)))
    means["accuracy"] += means["dimensions"] / 10000
    table = choose_lines(means)
    assert len(table["space"].unique()) == MOST_LINES
    assert set(table["dimensions"]) == set(range(40, 120, 10))


def test_all_lines_are_of_one_scaling_where_it_has_them() -> None:
    means = make_means()
    lucky = (means["scaling"] == "unit") & (means["space"] == "raw") & (means["clusters"] == 10)
    means.loc[lucky, "accuracy"] = 0.88
    assert set(choose_lines(means)["scaling"]) == {"normalise"}
    lacking = means[~((means["scaling"] == "normalise") & (means["space"] == "raw"))]
    lines = choose_lines(lacking)
    assert set(lines.loc[lines["space"] == "raw", "scaling"]) == {"unit"}


def test_marks_far_from_all_lines_are_left_out() -> None:
    figure = plot_accuracy(make_means(ks=(10, 40)), measured=True)
    assert figure.get_axes()[0].get_xlim()[1] < 50
    assert len(figure.legends[1].get_texts()) == 1
    assert len(plot_accuracy(make_means(ks=(20, 40)), measured=True).legends) == 1


def test_what_was_measured_before_is_marked_where_it_was() -> None:
    figure = plot_accuracy(make_means(), measured=True)
    (axes,) = figure.get_axes()
    marks = [np.asarray(line.get_xydata())[0] for line in axes.lines if len(line.get_xydata()) == 1]  # type: ignore[arg-type]
    assert np.allclose(marks, [(k, 1 - accuracy) for _, k, accuracy in MEASURED])
    low, high = axes.get_xlim()
    assert all(low < k < high for _, k, _ in MEASURED)
    assert "KMeans as measured before (normalise, 40 components)" in [
        t.get_text() for t in figure.legends[1].get_texts()
    ]
    assert len(plot_accuracy(make_means()).legends) == 1


@pytest.mark.parametrize("perfect", [False, True])
def test_one_k_and_no_error_at_all_are_drawn(perfect: bool) -> None:
    means = make_means(scalings=("unit",), ks=(20,), seeds=1)
    if perfect:
        means["accuracy"] = 1.0
    figure = plot_accuracy(means)
    figure.draw_without_rendering()
    assert "20 clusters" in say_accuracy(means)


def test_tick_labels_keep_their_distance_and_both_ends() -> None:
    assert _apart([10, 20, 40, 80, 100, 160, 300, 320, 640, 1000, 2000]) == [
        10, 20, 40, 80, 160, 300, 640, 1000, 2000,
    ]  # fmt: skip
    assert _apart([10]) == [10] and _apart([10, 11]) == [10, 11]
    assert _apart(list(range(1, 100)))[-1] == 99


def test_the_sentence_follows_the_numbers() -> None:
    means = make_means(ks=(10, 100, 300))
    told = say_accuracy(means, measured=True)
    assert told.startswith("With normalise, 40 components, KMeans the accuracy goes from ")
    five = [means[(means["scaling"] == "normalise") & (means["space"] == "pca40")
                  & (means["algorithm"] == a) & (means["clusters"] == k)]["accuracy"].item() - v
            for a, k, v in MEASURED]  # fmt: skip
    assert told.endswith(
        f"; 5 values measured before are met within {100 * np.abs(five).max():.1f} points."
    )
    assert "measured" not in say_accuracy(means)
    assert "measured" not in say_accuracy(make_means(scalings=("unit",)), measured=True)
    peak = pd.concat([means.iloc[:2], means.iloc[2:3].assign(accuracy=0.2)])
    assert "at its best with 100" in say_accuracy(peak)


def test_the_sentence_names_where_ninety_percent_begin() -> None:
    means = make_means(scalings=("unit",), spaces=("raw",), ks=(10, 100, 1000))
    means["accuracy"] = [0.6, 0.91, 0.95]
    assert "and is above 90 % from 100 on" in say_accuracy(means)


def test_ninety_percent_begin_where_the_accuracy_stays_above() -> None:
    means = make_means(scalings=("unit",), spaces=("raw",), ks=(10, 20, 40, 80))
    means["accuracy"] = [0.6, 0.91, 0.89, 0.95]
    assert "and is above 90 % from 80 on" in say_accuracy(means)
    means["accuracy"] = [0.6, 0.91, 0.95, 0.89]
    assert "90 %" not in say_accuracy(means)
