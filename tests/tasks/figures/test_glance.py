"""The study in one picture: every flow has its panel, and a flow that is missing leaves none."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import File
from tasks.figures.glance import PANELS, draw_glance, plot_glance


def parts(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Something small of each flow."""
    features = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"])
    photo = rng.integers(0, 255, (30, 46, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(255 - photo).save(file, "png")
    return {
        "wifi": {
            "features": features,
            "labels": pd.DataFrame({"label": ["x", "y"] * 20}),
            "assignment": pd.DataFrame({"cluster": np.arange(40) % 3}),
            "planes": pd.DataFrame({"x": ["a"], "y": ["c"]}),
            "about": {"unit": "m", "classes": ["x", "y"], "name": "own"},
        },
        "digits": {
            "points": {"xy": rng.normal(size=(60, 2)), "rows": np.arange(0, 120, 2)},
            "train": {"y": np.arange(120) % 4},
            "about": {"classes": ["0", "1", "2", "3"]},
        },
        "autoencoder": {
            "images": rng.integers(0, 255, (12, 8, 8), dtype=np.uint8),
            "plane": {"across": np.arange(4.0), "up": np.arange(3.0)},
        },
        "dreams": {"photo": photo, "dream": File(file.getvalue(), ".png")},
    }


def test_each_flow_has_a_panel_and_is_told_of() -> None:
    made = draw_glance.fn(parts(np.random.default_rng(0)))
    assert made.alt == (
        "40 rows of 2 known classes and the 3 clusters found in them; 60 images of 4 classes, mapped "
        "by likeness; 12 images that a decoder makes of the points of a plane; a photo, its right "
        "half as the network dreams it."
    )
    with Image.open(BytesIO(made.data)) as image:
        assert image.width == 1080


@pytest.mark.parametrize("name", PANELS)
def test_one_flow_alone_is_one_panel(name: str) -> None:
    figure, seen = plot_glance({name: parts(np.random.default_rng(0))[name]})
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(seen) == len(panels) == 1
    assert panels[0].get_title(loc="left").startswith(f"{name}: ")


def test_the_photo_and_its_dream_are_halves_of_one_picture() -> None:
    found = parts(np.random.default_rng(0))["dreams"]
    figure, _ = plot_glance({"dreams": found})
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert (shown[:, :23] == found["photo"][:, :23]).all()
    assert (shown[:, 23:] == 255 - found["photo"][:, 23:]).all()


def test_the_middle_of_a_tall_plane_is_shown() -> None:
    images = np.repeat(np.arange(20, dtype=np.uint8), 2)[:, None, None] + np.zeros((1, 4, 4), "u1")
    plane = {"across": np.arange(2.0), "up": np.arange(20.0)}
    figure, (seen,) = plot_glance({"autoencoder": {"images": images, "plane": plane}})
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert shown.shape == (4, 8) and set(shown.ravel()) == {9}
    assert seen.title == "2 images from a plane"


def test_colours_stay_colours() -> None:
    images = np.full((4, 4, 4, 3), (9, 99, 199), np.uint8)
    plane = {"across": np.arange(2.0), "up": np.arange(2.0)}
    figure, _ = plot_glance({"autoencoder": {"images": images, "plane": plane}})
    assert np.asarray(figure.axes[0].images[0].get_array()).shape[-1] == 3
