"""What holds for every picture of the digits: valid PNG, same bytes twice, one sentence, no text over another."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

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
from tasks.figures.style import WIDTH
from tests.tasks.figures.digit_frames import Frames, make_digits, text_boxes

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
def test_no_text_covers_another_or_leaves_the_sheet(name: str, data: str) -> None:
    figure = plot(name, make_digits(**DATA[data]))
    assert figure.get_size_inches()[0] == WIDTH
    assert figure.get_size_inches()[1] < 17
    found = text_boxes(figure)
    assert found
    sheet = figure.bbox
    for text, box in found:
        assert box.x0 >= -1 and box.y0 >= -1, f"{text!r} leaves the sheet"
        assert box.x1 <= sheet.x1 + 1 and box.y1 <= sheet.y1 + 1, f"{text!r} leaves the sheet"
    for i, (text, box) in enumerate(found):
        for other, its_box in found[i + 1 :]:
            shared = Bbox.intersection(box, its_box)
            if shared is not None:
                assert min(shared.width, shared.height) < 3, f"{text!r} covers {other!r}"
    for written in figure.findobj(Text):
        # Shown at 900 px an inch of the sheet is 100 px, and 100 px are 75 points on the page.
        assert float(written.get_fontsize()) * 75 / 72 >= 9 or not written.get_text()
    for axes in figure.get_axes():
        assert axes.has_data()


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_a_png_of_fitting_size_and_one_sentence(name: str) -> None:
    made = draw(name, make_digits())
    assert made == draw(name, make_digits()), "the same tables must give the same bytes"
    assert made.format == "png"
    assert len(made.data) < 400_000
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
    alt = draw(name, make_digits(classes=4, names="odd", clusters=4, rows=60)).alt
    assert ". " not in alt and "\n" not in alt and "\\$" not in alt
