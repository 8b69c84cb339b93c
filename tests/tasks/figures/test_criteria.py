from __future__ import annotations

from typing import Any

import numpy as np

from tasks.figures.criteria import (
    CRITERIA,
    plot_criteria,
    plot_silhouette_curve,
    say_criteria,
    say_silhouette_curve,
)

Frames = dict[str, Any]


def ringed(axes: Any) -> list[int]:
    return [int(line.get_xdata()[0]) for line in axes.lines if line.get_markersize() == 11]


def test_every_criterion_has_a_panel_with_its_best_k_ringed(frames: Frames) -> None:
    figure = plot_criteria(frames["scan"], frames["choice"], frames["stability"])
    *panels, votes = figure.get_axes()
    assert [axes.get_title(loc="left") for axes in panels] == [c.name for c in CRITERIA.values()]
    assert [ringed(axes) for axes in panels] == [[5], [4], [5], [5], [4]]
    assert ringed(votes) == [5, 4, 5, 5, 4]
    names = [text.get_text() for text in votes.texts]
    assert names == [c.name for c in CRITERIA.values()]


def test_gap_and_stability_have_their_bands(frames: Frames) -> None:
    figure = plot_criteria(frames["scan"], frames["choice"], frames["stability"])
    banded = [bool(axes.collections) for axes in figure.get_axes()]
    assert banded == [False, False, False, True, True, False]
    assert any("gap(k + 1)" in text.get_text() for text in figure.texts)


def test_the_sentence_tells_who_disagrees(frames: Frames) -> None:
    told = say_criteria(frames["scan"], frames["choice"], frames["stability"])
    assert told.startswith("The criteria disagree: silhouette (0.400), Davies-Bouldin (0.900)")
    assert "Calinski-Harabasz (1,800) and bootstrap stability (0.940) prefer k = 4" in told


def test_the_sentence_tells_when_all_agree(frames: Frames) -> None:
    choice = frames["choice"] | {"best": dict.fromkeys(CRITERIA, 5)}
    told = say_criteria(frames["scan"], choice, frames["stability"])
    assert told.startswith("All criteria prefer k = 5: silhouette (0.400)")


def test_a_criterion_without_a_best_k_does_not_vote(frames: Frames) -> None:
    choice = frames["choice"] | {"best": frames["choice"]["best"] | {"gap": None}}
    figure = plot_criteria(frames["scan"], choice, frames["stability"])
    assert ringed(figure.get_axes()[3]) == []
    assert len(figure.get_axes()[-1].texts) == 4
    assert "gap" not in say_criteria(frames["scan"], choice, frames["stability"])
    none = choice | {"best": {}}
    assert say_criteria(frames["scan"], none, frames["stability"]).startswith("None of the 5")


def test_the_silhouette_curve_writes_its_values(frames: Frames) -> None:
    (axes,) = plot_silhouette_curve(frames["scan"], frames["choice"]).get_axes()
    assert np.allclose(axes.lines[0].get_ydata(), frames["scan"]["silhouette"])
    written = {text.get_text() for text in axes.texts}
    assert "k = 5: 0.400" in written and "0.380" in written
    assert len(written) < len(axes.texts) == 11  # every k once; values left and right are equal


def test_the_sentence_of_the_silhouette_curve_follows_the_numbers(frames: Frames) -> None:
    scan = frames["scan"]
    told = say_silhouette_curve(scan)
    assert told == (
        "The mean silhouette is highest at k = 5 (0.400), next at k = 4 (0.380) "
        "and lowest at k = 12 (0.260)."
    )
    assert "highest at k = 12" in say_silhouette_curve(scan.assign(silhouette=scan["k"] / 20))
    assert "k = 2 (0.340) alone" in say_silhouette_curve(scan.head(1))


def test_what_was_not_measured_has_no_panel_and_no_vote(frames: Frames) -> None:
    scan = frames["scan"].assign(davies_bouldin=np.nan)
    scan.loc[0, "calinski_harabasz"] = np.nan
    best = {"silhouette": 5, "calinski_harabasz": 4, "davies_bouldin": None, "gap": None,
            "stability": None}  # fmt: skip
    bare = frames["choice"] | {"gap": [], "best": best}
    figure = plot_criteria(scan, bare, frames["stability"].head(0))
    titles = [axes.get_title(loc="left") for axes in figure.get_axes() if axes.axison]
    assert titles == ["silhouette", "Calinski-Harabasz", "the best k of each"]
    assert "gap" not in say_criteria(scan, bare, frames["stability"].head(0))
