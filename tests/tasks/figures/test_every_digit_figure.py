"""What holds for every picture of the digits: valid PNG, same bytes twice, one sentence, no text over another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine import Picture
from tasks.figures import (
    accuracy,
    confusion,
    digit_centroids,
    digit_components,
    embedding,
    prototypes,
    samples,
    scaling,
    sweep,
)
from tests.tasks.figures.digit_frames import Frames, make_digits
from tests.tasks.figures.sheets import assert_fitting, assert_readable, assert_sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: dict[str, tuple[Callable[..., Figure], Any, str]] = {
    "samples": (samples.plot_samples, samples.draw_samples, "train about"),
    "scaling": (scaling.plot_scaling, scaling.draw_scaling, "means"),
    "variance": (digit_components.plot_variance, digit_components.draw_variance, "curve"),
    "components": (
        digit_components.plot_components, digit_components.draw_components, "basis about",
    ),
    "sweep": (sweep.plot_sweep, sweep.draw_sweep, "means"),
    "accuracy": (accuracy.plot_accuracy, accuracy.draw_accuracy, "means"),
    "confusion": (confusion.plot_confusion, confusion.draw_confusion, "confusion about"),
    "digit_centroids": (
        digit_centroids.plot_digit_centroids, digit_centroids.draw_digit_centroids,
        "images mapping about",
    ),
    "tsne": (
        embedding.plot_tsne, embedding.draw_tsne, "points assignment train mapping about quality",
    ),
    "prototypes": (
        prototypes.plot_prototypes, prototypes.draw_prototypes, "prototypes images labels about",
    ),
}  # fmt: skip
DATA: dict[str, dict[str, Any]] = {
    "digits": {},
    "two classes of tall images": {
        "classes": 2, "height": 48, "width": 20, "clusters": 3, "names": "odd",
    },
    "30 long names, wide images": {
        "classes": 30, "height": 16, "width": 40, "clusters": 130, "names": "long", "rows": 900,
    },
    "8 × 8 in one cluster": {
        "classes": 4, "height": 8, "width": 8, "clusters": 1, "rows": 300, "names": "odd",
    },
}  # fmt: skip
OF_THE_SWEEP = {"scaling", "sweep", "accuracy"}
CASES = [
    (name, data)
    for name in FIGURES
    for data in DATA
    if data == "digits" or name not in OF_THE_SWEEP
]


def plot(name: str, frames: Frames) -> Figure:
    builder, _, inputs = FIGURES[name]
    return builder(*(frames[key] for key in inputs.split()))


def draw(name: str, frames: Frames) -> Picture:
    _, stage, inputs = FIGURES[name]
    made = stage.fn(*(frames[key] for key in inputs.split()))
    assert isinstance(made, Picture)
    return made


@pytest.mark.parametrize(("name", "data"), CASES)
def test_texts_are_readable_and_every_panel_shows_something(name: str, data: str) -> None:
    figure = plot(name, make_digits(**DATA[data]))
    assert_readable(figure)
    for axes in figure.get_axes():
        assert axes.has_data()


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_a_png_of_fitting_size_and_one_sentence(name: str) -> None:
    assert_fitting(lambda: draw(name, make_digits()))


def test_a_hundred_noisy_photos_are_no_heavy_picture() -> None:
    rng = np.random.default_rng(0)
    frames = make_digits(clusters=100)
    noise = rng.integers(0, 255, (100, 28, 28)).astype(np.uint8)
    made = digit_centroids.draw_digit_centroids.fn(noise, frames["mapping"], frames["about"])
    assert len(made.data) < 400_000


def test_pictures_drawn_at_once_are_those_drawn_one_by_one() -> None:
    frames = make_digits(clusters=5)
    names = ["samples", "tsne", "confusion"]
    alone = [draw(name, frames) for name in names]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda name: draw(name, frames), names)) == alone


@pytest.mark.parametrize("name", sorted(set(FIGURES) - OF_THE_SWEEP - {"components", "variance"}))
def test_odd_names_stay_one_plain_sentence(name: str) -> None:
    frames = make_digits(classes=4, names="odd", clusters=4, rows=60)
    assert_sentence(draw(name, frames).alt)
