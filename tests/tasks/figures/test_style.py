from __future__ import annotations

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from tasks.figures.style import (
    CLUSTER_COLOURS,
    DPI,
    LABEL_COLOURS,
    LARGEST,
    WIDTH,
    cluster_looks,
    encode,
    label_looks,
    line_key,
    new_sheet,
    point_key,
    sample_rows,
    spread_ties,
)

# Machado, Oliveira & Fernandes 2009: linear RGB as seen without red or green cones.
SIGHT = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
}  # fmt: skip
# Ottosson 2020, OKLab: distances there are about as large as they look.
TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


def seen(colour: str, sight: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(TO_LAB @ np.cbrt(TO_CONES @ np.clip(SIGHT[sight] @ linear, 0, 1)))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", [LABEL_COLOURS, CLUSTER_COLOURS])
def test_colours_differ_for_colour_blind_readers(colours: tuple[str, ...], sight: str) -> None:
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) > 0.07, (one, other)


@pytest.mark.parametrize("colour", [*LABEL_COLOURS, *CLUSTER_COLOURS])
def test_colours_stand_out_from_the_white_card(colour: str) -> None:
    assert seen(colour, "full")[0] < 0.83


def test_twenty_classes_look_different_even_without_colour_names() -> None:
    looks = label_looks([f"class {i}" for i in range(20)])
    assert len({(look.colour, look.marker) for look in looks.values()}) == 20
    assert len({(look.colour, str(look.dash)) for look in looks.values()}) == 20


def test_a_cluster_looks_the_same_whichever_others_there_are() -> None:
    assert cluster_looks([4])[4] == cluster_looks(range(8))[4]


def test_a_longer_key_makes_the_sheet_higher_not_the_panels_smaller() -> None:
    names = [f"a class with a long name {i}" for i in range(20)]
    looks = label_looks(names)
    key = line_key(looks, {name: name for name in names})
    low, high = new_sheet(3, "title"), new_sheet(3, "title", "note", key)
    assert low.get_size_inches()[0] == high.get_size_inches()[0] == WIDTH
    assert high.get_size_inches()[1] > low.get_size_inches()[1] + 0.5
    legend = high.legends[0]
    assert legend.get_window_extent().x1 <= WIDTH * DPI
    assert [text.get_text() for text in legend.get_texts()] == names


def test_a_long_note_is_broken_into_lines() -> None:
    figure = new_sheet(3, "title", "a few words " * 20)
    assert all(t.get_window_extent().x1 < WIDTH * DPI for t in figure.texts)


def test_keys_show_rims_where_the_plot_does() -> None:
    looks = cluster_looks([0])
    (filled,), (rim,) = point_key(looks, {0: "a"}), point_key(looks, {0: "a"}, hollow=True)
    assert filled.get_markerfacecolor() == looks[0].colour
    assert rim.get_markerfacecolor() == "none"


def test_few_rows_are_all_drawn_and_many_sampled() -> None:
    assert sample_rows(10, seed=0).tolist() == list(range(10))
    some = sample_rows(50_000, seed=0, most=100)
    assert len(set(some.tolist())) == 100 and (np.diff(some) > 0).all() and some.max() < 50_000
    assert (some == sample_rows(50_000, seed=0, most=100)).all()
    assert (some != sample_rows(50_000, seed=1, most=100)).any()


def test_whole_numbers_are_spread_and_others_left() -> None:
    whole = np.zeros((50, 2))
    spread = spread_ties(whole, seed=0)
    assert len(np.unique(spread)) == 100 and np.abs(spread).max() <= 0.35
    assert (spread == spread_ties(whole, seed=0)).all()
    parts = np.array([[0.5, 1.0]])
    assert spread_ties(parts, seed=0) is parts


def test_a_heavy_picture_is_quantised_and_a_light_one_kept_as_it_is() -> None:
    light = new_sheet(1, "light")
    with Image.open(io.BytesIO(encode(light))) as image:
        assert image.mode != "P"
    heavy = new_sheet(5, "heavy")
    axes = heavy.subplots()
    axes.imshow(np.random.default_rng(0).random((400, 800, 3)), aspect="auto")
    data = encode(heavy)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert len(data) < 4 * LARGEST
