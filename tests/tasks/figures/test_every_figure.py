"""What holds for every picture: valid PNG, same bytes twice, one sentence, no text over another."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

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
from tasks.figures.style import WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Frames = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]


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


def outer_texts(figure: Figure) -> Iterator[Text]:
    """Titles, axis and tick labels, legends and notes: all that must never overlap."""
    yield from figure.texts
    for part in (figure, *figure.subfigs):
        for legend in part.legends:
            yield from legend.get_texts()
    for axes in figure.get_axes():
        if not axes.axison:
            continue
        yield from (axes.title, axes._left_title, axes._right_title)  # type: ignore[attr-defined]
        for axis in (axes.xaxis, axes.yaxis):
            yield axis.label
            low, high = sorted(axis.get_view_interval())
            room = 1e-6 * (high - low)
            for tick in axis.get_major_ticks():
                if low - room <= tick.get_loc() <= high + room:
                    yield from (tick.label1, tick.label2)


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    figure.draw_without_rendering()
    return [
        (text.get_text(), text.get_window_extent())
        for text in outer_texts(figure)
        if text.get_visible() and text.get_text().strip()
    ]


@pytest.mark.parametrize(("name", "data"), CASES)
def test_no_text_covers_another_or_leaves_the_sheet(
    name: str, data: str, framed: Callable[..., Frames]
) -> None:
    figure = PLOTS[name](framed(**DATA[data]))
    found = boxes(figure)
    assert found
    sheet = figure.bbox
    for text, box in found:
        assert box.x0 >= -1 and box.y0 >= -1, f"{text!r} leaves the sheet"
        assert box.x1 <= sheet.x1 + 1 and box.y1 <= sheet.y1 + 1, f"{text!r} leaves the sheet"
    slanted = name == "crosstab"  # the boxes of slanted names overlap, the names do not
    for i, (text, box) in enumerate(found):
        for other, its_box in found[i + 1 :]:
            shared = Bbox.intersection(box, its_box)
            if shared is None or slanted:
                continue
            assert min(shared.width, shared.height) < 2, f"{text!r} covers {other!r}"


@pytest.mark.parametrize("name", PLOTS)
def test_every_panel_shows_something_and_has_text_large_enough(name: str, frames: Frames) -> None:
    figure = PLOTS[name](frames)
    assert figure.get_size_inches()[0] == WIDTH
    for axes in figure.get_axes():
        if axes.axison:
            assert axes.has_data()
    for text in figure.findobj(Text):
        # Shown at 900 px an inch of the sheet is 100 px, and 100 px are 75 points on the page.
        assert float(text.get_fontsize()) * 75 / 72 >= 9 or not text.get_text()


@pytest.mark.parametrize("name", STAGES)
def test_a_picture_is_a_png_of_fitting_size_and_one_sentence(name: str, frames: Frames) -> None:
    made = draw(name, frames)
    assert made.format == "png"
    assert len(made.data) < 400_000
    with Image.open(io.BytesIO(made.data)) as image:
        image.verify()
    with Image.open(io.BytesIO(made.data)) as image:
        assert 1000 <= image.width <= 1600
        assert 300 <= image.height <= 2000
        assert not {"Software", "Creation Time", "date"} & set(image.info)
        pixels = np.asarray(image.convert("RGB"))
    assert (pixels[0] == 255).all() and (pixels[:, 0] == 255).all()
    assert 0.02 < (pixels != 255).any(axis=2).mean() < 0.9
    assert made.alt.endswith(".")
    assert ". " not in made.alt and "\n" not in made.alt
    assert made.alt[0].isupper() or made.alt[0].isdigit()
    assert any(sign.isdigit() for sign in made.alt)


@pytest.mark.parametrize("name", STAGES)
def test_the_same_tables_give_the_same_bytes(name: str, framed: Callable[..., Frames]) -> None:
    assert draw(name, framed()) == draw(name, framed())


def test_pictures_drawn_at_once_are_those_drawn_one_by_one(frames: Frames) -> None:
    names = ["densities", "elbow", "pca", "crosstab", "forest", "overlay"]
    alone = [draw(name, frames) for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: draw(name, frames), names))
    assert together == alone


@pytest.mark.parametrize("name", ["densities", "crosstab", "centroids", "overlay", "pairs"])
def test_odd_names_stay_one_plain_sentence(name: str, framed: Callable[..., Frames]) -> None:
    made = draw(name, framed(**DATA["odd names"]))
    assert made.alt.count(". ") == 0 and "\n" not in made.alt
    assert "\\$" not in made.alt


def test_importing_the_figures_loads_no_heavy_library() -> None:
    modules = ", ".join(sorted({stage.fn.__module__ for stage, _ in STAGES.values()}))
    heavy = "{'numpy', 'pandas', 'matplotlib', 'PIL', 'sklearn', 'prefect'}"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
