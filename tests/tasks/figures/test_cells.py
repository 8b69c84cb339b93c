from __future__ import annotations

from tasks.figures.cells import (
    cell_looks,
    count_seeds,
    list_places,
    name_algorithm,
    name_cells,
    name_scaling,
    name_space,
)
from tests.tasks.figures.digit_frames import make_means


def test_names_are_words() -> None:
    assert name_scaling("standard-normalise") == "standard → normalise"
    assert [name_space(s) for s in ("raw", "pca1", "pca40", "pca0.95", "ae16", "other")] == [
        "all pixels", "1 component", "40 components", "components for 95 %",
        "16 latent numbers", "other",
    ]  # fmt: skip
    assert name_algorithm("kmeans") == "KMeans" and name_algorithm("other") == "other"


def test_a_name_holds_what_differs_and_the_rest_is_told_once() -> None:
    names, fixed = name_cells(make_means(scalings=("normalise",)))
    assert fixed == "normalise"
    assert names["normalise", "pca40", "kmeans"] == "40 components · KMeans"
    names, fixed = name_cells(make_means(scalings=("unit",), spaces=("pca15",)))
    assert names == {("unit", "pca15", "minibatch"): "MiniBatch"}
    assert fixed == "unit · 15 components"


def test_small_spaces_come_first_and_kmeans_before_minibatch() -> None:
    places = list_places(make_means(scalings=("normalise",)))
    assert [place[1:] for place in places] == [
        ("pca15", "minibatch"), ("pca40", "kmeans"), ("pca40", "minibatch"), ("raw", "minibatch"),
    ]  # fmt: skip
    assert list_places(make_means().iloc[::-1])[0][0] == "standard-normalise"
    assert list_places(make_means(scalings=("unit",)).drop(columns="dimensions"))


def test_colour_tells_the_space_and_the_dash_the_algorithm() -> None:
    looks = cell_looks(make_means(scalings=("normalise",)))
    kmeans, minibatch = (looks["normalise", "pca40", a] for a in ("kmeans", "minibatch"))
    assert kmeans.colour == minibatch.colour and kmeans.dash == "-" != minibatch.dash
    assert len({look.colour for look in looks.values()}) == 3


def test_seeds_are_counted_as_a_range() -> None:
    assert count_seeds(make_means(seeds=1)) == "1 seed"
    several = make_means()
    several.loc[0, "seeds"] = 5
    assert count_seeds(several) == "3 to 5 seeds"
