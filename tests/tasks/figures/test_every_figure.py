"""What holds for every picture: valid PNG, same bytes twice, one sentence, no text over another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from engine import Picture
from tasks.figures import (
    classifier,
    clusters,
    criteria,
    elbow,
    overlay,
    pairs,
    pca,
    planes,
    signals,
)
from tests.tasks.figures.sheets import assert_fitting, assert_readable, assert_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Frames = dict[str, Any]


def centroids(f: Frames) -> Figure:
    both = {4: f["centroids4"], 5: f["centroids5"]}
    return planes.plot_centroids(f["features"], f["labels"], both, f["pairs"], f["about"])


PLOTS: dict[str, Callable[[Frames], Figure]] = {
    "densities": lambda f: signals.plot_densities(f["curves"], f["peaks"], f["about"]),
    "forest": lambda f: classifier.plot_forest(f["forest_scores"], f["importances"]),
    "elbow": lambda f: elbow.plot_elbow(f["scan"], f["uniform"], f["choice"]),
    "criteria": lambda f: criteria.plot_criteria(f["scan"], f["choice"], f["stability"]),
    "silhouette_curve": lambda f: criteria.plot_silhouette_curve(f["scan"], f["choice"]),
    "silhouettes": lambda f: clusters.plot_silhouettes(f["profiles"]),
    "crosstab": lambda f: clusters.plot_crosstab(f["counts"], f["about"]),
    "pairs": lambda f: pairs.plot_pairs(f["features"], f["assignment"], f["about"]),
    "best_pairs": lambda f: planes.plot_best_pairs(
        f["features"], f["assignment"], f["pairs"], f["about"]
    ),
    "centroids": centroids,
    "overlay": lambda f: overlay.plot_overlay(
        f["features"], f["labels"], f["assignment"], f["counts"], f["pairs"], f["about"]
    ),
    "pca": lambda f: pca.plot_pca(
        f["variance"], f["loadings"], f["scores"], f["labels"], f["about"]
    ),
    "classifier": lambda f: classifier.plot_classifier(f["results"], 0.98),
}
STAGES: dict[str, tuple[Any, str]] = {
    "densities": (signals.draw_densities, "curves peaks about"),
    "forest": (classifier.draw_forest, "forest_scores importances"),
    "elbow": (elbow.draw_elbow, "scan uniform choice"),
    "criteria": (criteria.draw_criteria, "scan choice stability"),
    "silhouette_curve": (criteria.draw_silhouette_curve, "scan choice"),
    "silhouettes": (clusters.draw_silhouettes, "profiles"),
    "crosstab": (clusters.draw_crosstab, "counts about"),
    "pairs": (pairs.draw_pairs, "features assignment about"),
    "best_pairs": (planes.draw_best_pairs, "features assignment pairs about"),
    "centroids": (planes.draw_centroids, "features labels centroids4 centroids5 pairs about"),
    "overlay": (overlay.draw_overlay, "features labels assignment counts pairs about"),
    "pca": (pca.draw_pca, "variance loadings scores labels about"),
    "classifier": (classifier.draw_classifier, "results"),
}
DATA: dict[str, dict[str, Any]] = {
    "wifi": {},
    "two features, a lone point": {"features": 2, "classes": 2, "clusters": 3, "lone": True},
    "30 features, 12 long names": {
        "features": 30, "classes": 12, "clusters": 12, "names": "long", "unit": "",
    },
    "odd names": {"features": 4, "names": "odd", "unit": "$", "lone": True},
    "20 classes": {"features": 9, "classes": 20, "clusters": 20, "rows": 400, "unit": "cm"},
}  # fmt: skip
OF_K_ALONE = {"elbow", "criteria", "silhouette_curve", "classifier", "silhouettes"}
CASES = [
    (figure, data)
    for figure in PLOTS
    for data in DATA
    if data == "wifi" or figure not in OF_K_ALONE
]


def draw(name: str, frames: Frames) -> Picture:
    stage, inputs = STAGES[name]
    made = stage.fn(*(frames[key] for key in inputs.split()))
    assert isinstance(made, Picture)
    return made


@pytest.mark.parametrize(("name", "data"), CASES)
def test_texts_are_readable_and_every_panel_shows_something(
    name: str, data: str, framed: Callable[..., Frames]
) -> None:
    figure = PLOTS[name](framed(**DATA[data]))
    assert_readable(figure, within=False)
    for axes in figure.get_axes():
        assert axes.has_data() or not axes.axison


@pytest.mark.parametrize("name", STAGES)
def test_a_picture_is_a_png_of_fitting_size_and_one_sentence(
    name: str, framed: Callable[..., Frames]
) -> None:
    assert_fitting(lambda: draw(name, framed()))


def test_pictures_drawn_at_once_are_those_drawn_one_by_one(frames: Frames) -> None:
    names = ["elbow", "pca", "crosstab", "overlay"]
    alone = [draw(name, frames) for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: draw(name, frames), names))
    assert together == alone


@pytest.mark.parametrize("name", ["densities", "crosstab", "centroids", "overlay", "pairs"])
def test_odd_names_stay_one_plain_sentence(name: str, framed: Callable[..., Frames]) -> None:
    assert_sentence(draw(name, framed(**DATA["odd names"])).alt)
