from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import File, InputError
from engine.work import Work
from tasks.dreams.ascent import Climbing
from tasks.dreams.choosing import choose_maps
from tasks.dreams.colour import dreamt_luma, keep_colour
from tasks.dreams.dreaming import FRAME, Carved, _summarise, carve_picture
from tasks.dreams.finishing import animate_growth, finish_picture
from tasks.dreams.levels import lay_out
from tasks.dreams.tones import clip_contrast, moments, standardise_picture, to_luma
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import small_cnn
from tests.tasks.dreams.test_preparation import photo

LEVELS: list[dict[str, Any]] = [{"grid": "1"}, {"grid": "2x2", "tiles": [(-1, -1), (0, 0)]}]
ABOUT = {"name": "waves"}


@pytest.fixture(scope="module")
def model() -> File:
    return pack_model(small_cnn())


def dream(model: File, pixels: np.ndarray, **options: Any) -> Carved:
    levels = options.pop("levels", LEVELS)
    choices = choose_maps.fn(model, pixels, levels=levels).choices
    how = {"loops": 2, "climbing": Climbing(steps=5, rate=0.05), **options}
    return carve_picture.fn(model, pixels, choices, levels=levels, **how)


@pytest.fixture(scope="module")
def carved(model: File) -> Carved:
    return dream(model, photo(90, 120))


def test_every_step_has_a_frame_and_every_climb_a_row(carved: Carved) -> None:
    assert carved.frames.shape == (1 + 2 * 2, 90, 120)
    assert carved.frames.dtype == np.uint8
    assert carved.steps["ends_loop"].tolist() == [True, False, True, False, True]
    assert carved.steps["frame"].tolist() == list(range(5))
    assert len(carved.trace) == 2 * (1 + 2)
    assert (carved.trace["after"] > carved.trace["before"]).all()
    assert abs(carved.picture.mean()) < 1e-4 and abs(carved.picture.std() - 1) < 1e-4
    last = carved.trace[carved.trace["loop"] == 2]
    assert (last["kept"] > last["original"]).all()
    assert carved.summary["rose"] == 3


def test_growth_begins_with_the_photo_as_it_looks_and_in_seed_mode_as_the_post_shows_it(
    model: File, carved: Carved
) -> None:
    luma = to_luma(photo(90, 120))
    seen = carved.frames[0].astype(float)
    middle = (luma > 45) & (luma < 210)
    assert middle.mean() > 0.5
    assert np.abs(seen - luma)[middle].max() <= 1
    choices = choose_maps.fn(model, photo(90, 120), levels=LEVELS, mode="seed").choices
    posted = carve_picture.fn(
        model, photo(90, 120), choices, levels=LEVELS, mode="seed", loops=1,
        climbing=Climbing(steps=2),
    )  # fmt: skip
    grey = standardise_picture(luma)
    np.testing.assert_array_equal(posted.frames[0], clip_contrast(grey, grey))


def test_the_same_dream_twice_is_the_same_to_the_bit(model: File, carved: Carved) -> None:
    again = dream(model, photo(90, 120))
    np.testing.assert_array_equal(again.picture, carved.picture)
    pd.testing.assert_frame_equal(again.trace, carved.trace)


def test_strength_scales_what_comes_back(model: File) -> None:
    pixels = photo(60, 60)
    level = {"grid": "1"}
    grey = dream(model, pixels, levels=[level], loops=1, climbing=Climbing(1, 1e-9)).picture
    moved = [
        np.abs(
            dream(model, pixels, levels=[{**level, "strength": s}], loops=1).picture - grey
        ).mean()
        for s in (0.5, 1.0)
    ]
    assert moved[0] < 0.7 * moved[1]


@pytest.mark.parametrize(
    ("original", "kept", "told"),
    [
        (2.0, 5.0, "2.5 times as strong as in the photo"),
        (-4.0, 3.0, "which moves their activation from -4.00 to 3.00 on average"),
        (-4.0, -1.0, "which moves their activation from -4.00 to -1.00 on average"),
        (0.001, 3.0, "which moves their activation from 0.00 to 3.00 on average"),
    ],
)
def test_growth_is_a_ratio_only_where_there_was_something(
    original: float, kept: float, told: str
) -> None:
    trace = pd.DataFrame({"loop": [1], "level": [0], "original": [original], "kept": [kept]})
    flat = np.zeros((4, 4), np.float32)
    laid = lay_out([{"grid": "1"}], (40, 40), (28, 28))
    finding = _summarise(trace, laid, flat, flat)["finding"]
    assert finding.startswith(f"After 1 loop the patterns stand out in 1 of 1 tile, {told};")


def test_large_pictures_have_small_frames(model: File) -> None:
    found = dream(model, photo(70, FRAME + 200), levels=[{"grid": "1"}], loops=1)
    assert max(found.frames.shape[1:]) == FRAME
    assert found.picture.shape == (70, FRAME + 200)


def test_maps_of_other_tiles_are_refused(model: File) -> None:
    pixels = photo(60, 60)
    choices = choose_maps.fn(model, pixels, levels=[{"grid": "2x2"}]).choices
    with pytest.raises(InputError, match="other tiles"):
        carve_picture.fn(model, pixels, choices, levels=[{"grid": "3x3"}])
    with pytest.raises(InputError, match="loops"):
        carve_picture.fn(model, pixels, choices, levels=[{"grid": "2x2"}], loops=0)


def test_a_network_of_another_shape_and_three_channels_dreams_too() -> None:
    other = pack_model(small_cnn((20, 36, 3)))
    pixels = photo(80, 90)
    found = dream(other, pixels, levels=[{"grid": "1"}, {"grid": "2"}])
    assert found.picture.shape == (80, 90)
    assert found.summary["levels"][1]["grid"] == "3 × 2"  # tiles wider than high
    assert found.summary["rose"] >= 6


# Colours and files


def test_colours_keep_luma_and_hue() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (50, 70, 3), dtype=np.uint8)
    luma = random.uniform(-40, 300, (50, 70)).astype(np.float32)
    found = keep_colour(luma, pixels)
    np.testing.assert_allclose(to_luma(found), luma.clip(0, 255), atol=1.0)
    before = pixels - to_luma(pixels)[..., None]
    after = found - to_luma(found)[..., None]
    strong = np.abs(after).max(axis=2) > 8
    cosine = (before * after).sum(axis=2) / (
        np.linalg.norm(before, axis=2) * np.linalg.norm(after, axis=2) + 1e-9
    )
    assert cosine[strong].min() > 0.97
    assert (np.abs(after).max(axis=2) <= np.abs(before).max(axis=2) + 2).all()


def test_the_photo_itself_comes_back_in_its_colours() -> None:
    pixels = photo(60, 80)
    np.testing.assert_allclose(keep_colour(to_luma(pixels), pixels), pixels, atol=1)
    grey = keep_colour(to_luma(pixels), pixels, vividness=0)
    assert np.ptp(grey, axis=2).max() == 0


def test_dreamt_luma_bends_before_it_clips() -> None:
    pixels = photo(40, 40)
    mean, deviation = moments(to_luma(pixels))
    ramp = np.linspace(-6, 6, 1600, dtype=np.float32).reshape(40, 40)
    luma = dreamt_luma(ramp, pixels)
    assert (np.diff(luma.ravel()) >= 0).all() and luma.min() >= 0 and luma.max() <= 255
    middle = np.abs(ramp) < 1
    np.testing.assert_allclose(luma[middle], mean + deviation * ramp[middle], atol=0.5)


def test_full_size_files_know_their_recipe(carved: Carved) -> None:
    with Work(key="finish_picture-0123").active():
        found = finish_picture.fn(carved.picture, photo(90, 120), ABOUT, carved.summary)
    assert found.summary["recipe"] == "finish_picture-0123"
    assert "120 × 90 pixels: latentflow show 'dream_file[waves]'" in found.summary["finding"]
    for file, mode in ((found.colour, "RGB"), (found.clip, "L"), (found.contrast, "L")):
        image: Any = Image.open(io.BytesIO(file.read_bytes()))
        assert (image.size, image.mode) == ((120, 90), mode)
        assert image.text["Recipe"] == "finish_picture-0123"
        assert image.text["Title"] == "A dream of waves"
        assert image.text["Description"] == carved.summary["finding"]


@pytest.mark.parametrize("colour", [True, False])
def test_growth_is_a_film_of_all_frames(carved: Carved, colour: bool) -> None:
    found = animate_growth.fn(
        carved.frames, carved.steps, photo(90, 120), ABOUT, width=100, colour=colour
    )
    film: Any = Image.open(io.BytesIO(found.data))
    assert film.n_frames == 5
    assert film.size == (100, 75)
    film.seek(4)
    rgb = np.asarray(film.convert("RGB")).astype(int)
    assert (np.ptp(rgb, axis=2).mean() > 3) == colour
    assert found.alt == "Waves turns into the dream in 2 loops and 4 steps."
