"""Every figure of a network, its maps and their patterns draws what it is given and says what it shows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import Picture
from tasks.figures.cnn_maps import arrange_maps, draw_maps, say_maps
from tasks.figures.cnn_mistakes import MOST, draw_mistakes, plot_mistakes, say_mistakes
from tasks.figures.oip_atlas import HUES, draw_atlas, sort_atlas, tint
from tasks.figures.oip_scorecard import draw_scorecard, plot_scorecard, say_scorecard
from tasks.figures.oip_search import draw_search, say_search

LONG = "a class whose name is forty characters {:02d}"
DEAD = (3, 7)


def made_up(
    maps: int = 40, classes: int = 10, channels: int = 1, names: str = "{}"
) -> dict[str, Any]:
    """What the stages return, of noise; maps 3 and 7 are dead."""
    random = np.random.default_rng(0)
    text = [names.format(number) for number in range(classes)]
    own = np.array([text[each] for each in random.integers(0, classes, maps)], dtype=object)
    dead = np.isin(np.arange(maps), DEAD)
    activation = np.where(dead, 0, random.uniform(0.5, 5, maps))
    table = pd.DataFrame(
        {
            "map": np.arange(maps), "class": own, "activation": activation,
            "unsearched": np.where(np.arange(maps) % 5 == 0, 0, 0.9 * activation),
            "best_real": np.where(dead, 0, 1.0), "gain": np.where(dead, np.nan, activation),
            "called": np.roll(own, 1), "chance": 0.9, "shifted": np.where(dead, np.nan, 0.9),
            "turned": np.where(dead, np.nan, 0.95), "dead": dead,
        }
    )  # fmt: skip
    means = pd.DataFrame(
        {
            "map": np.repeat(np.arange(maps), classes), "class": np.tile(text, maps),
            "mean": np.where(np.repeat(dead, classes), 0, random.uniform(0, 1, maps * classes)),
        }
    )  # fmt: skip
    rated = pd.DataFrame(
        {"map": np.arange(maps), "class": own, "score": random.uniform(0, 1, maps), "dead": dead}
    )
    driven = {name: np.flatnonzero((own == name) & ~dead).tolist() for name in text}
    x = random.integers(0, 256, (90, 28, 28), dtype=np.uint8)
    wrong = np.arange(60)
    mistakes = pd.DataFrame(
        {
            "image": wrong, "truth": np.array(text, dtype=object)[wrong % classes],
            "predicted": np.array(text, dtype=object)[(wrong + 1) % classes],
            "chance": np.linspace(1, 0.4, 60), "chance_truth": np.linspace(0, 0.4, 60),
        }
    )  # fmt: skip
    return {
        "about": {"classes": text}, "table": table, "means": means, "maps": rated,
        "summary": {"layer": "Conv2D_3", "driven": driven, "dead": list(DEAD)},
        "images": random.normal(size=(maps, 28, 28, channels)).astype(np.float32),
        "test": {"x": x, "y": np.arange(90) % classes}, "mistakes": mistakes,
        "search": {"starts": 2048, "candidates": 3},
    }  # fmt: skip


def draw_all(made: dict[str, Any]) -> dict[str, Picture]:
    images, table, summary = made["images"], made["table"], made["summary"]
    return {
        "atlas": draw_atlas.fn(images, table, made["maps"], summary),
        "search": draw_search.fn(images, images, table, made["search"]),
        "scorecard": draw_scorecard.fn(table, made["about"]),
        "maps": draw_maps.fn(made["means"], made["maps"], summary),
        "mistakes": draw_mistakes.fn(made["mistakes"], made["test"], made["about"]),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"maps": 9, "classes": 2},
        {"maps": 130, "classes": 24, "names": LONG},
        {"maps": 12, "classes": 3, "channels": 3, "names": "$odd_{}$\n. name"},
    ],
)
def test_every_figure_is_drawn_whatever_the_data(changes: dict[str, Any]) -> None:
    for name, found in draw_all(made_up(**changes)).items():
        image = Image.open(io.BytesIO(found.data))
        assert 1000 < image.width <= 1100, name
        assert len(found.data) < 500_000, name
        assert found.alt.endswith(".") and "nan" not in found.alt.split(), name


def test_nothing_to_show_is_said_not_raised() -> None:
    made = made_up(maps=9)
    made["table"] = made["table"].assign(
        activation=0.0, unsearched=0.0, gain=np.nan, shifted=np.nan, turned=np.nan, dead=True
    )
    made["maps"] = made["maps"].assign(dead=True)
    made["mistakes"] = made["mistakes"].iloc[:0]
    found = draw_all(made)
    assert "found none" in found["atlas"].alt
    assert found["scorecard"].alt.startswith("No map has a pattern")
    assert found["mistakes"].alt.startswith("None of the 90 test images")


def test_the_atlas_sorts_by_class_then_score_and_puts_dead_maps_last() -> None:
    made = made_up()
    classes = made["about"]["classes"]
    groups = sort_atlas(made["images"], made["table"], made["maps"], classes)
    assert list(groups)[-1] == "" and {entry.map for entry in groups[""]} == set(DEAD)
    assert all(entry.pattern is None for entry in groups[""])
    assert sum(map(len, groups.values())) == 40
    score = made["maps"]["score"]
    for name, entries in groups.items():
        if name:
            assert set(made["table"]["class"][[entry.map for entry in entries]]) == {name}
            assert (np.diff([score[entry.map] for entry in entries]) <= 0).all()


def test_a_tint_grows_lighter_and_keeps_its_hue() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    for hue in HUES:
        colours = tint(ramp, hue)[0]
        light = colours @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(light) > -1e-6).all()
        assert light[0] < 0.1 and light[-1] > 0.95


def test_the_atlas_keeps_the_hues_of_rare_classes() -> None:
    made = made_up()
    drawn = draw_atlas.fn(made["images"], made["table"], made["maps"], made["summary"])
    picture = Image.open(io.BytesIO(drawn.data)).convert("RGB")
    pixels = np.asarray(picture).reshape(-1, 3).astype(float)
    for name, hue in zip(made["about"]["classes"], HUES, strict=True):
        if not made["summary"]["driven"][name]:
            continue
        middle = 255 * tint(np.array([[158]], np.uint8), hue)[0, 0]
        assert np.abs(pixels - middle).sum(axis=1).min() < 30, name


def test_the_table_of_maps_frames_the_driver() -> None:
    made = made_up()
    classes = made["about"]["classes"]
    numbers, shares, driver = arrange_maps(made["means"], made["maps"], classes)
    assert sorted(numbers) == list(range(40))
    assert (np.diff(np.where(driver < 0, 99, driver)) >= 0).all()
    assert set(numbers[driver < 0]) == set(DEAD)
    alive = shares[:, driver >= 0]
    np.testing.assert_allclose(alive.max(axis=0), 1)
    assert (shares[:, driver < 0] == 0).all()
    assert "2 maps no test image moves" in say_maps(made["means"], made["maps"], made["summary"])


def test_sentences_count() -> None:
    made = made_up()
    text = say_search(made["table"], made["search"])
    assert "30 of 40 maps end above zero, from the best of 2,048 38" in text
    assert "wakes 8 maps (0, 5, 10, 15, 20, 25, 30, 35)" in text
    assert say_scorecard(made["table"], made["about"]).count("%") == 2


def test_a_start_that_ends_next_to_zero_does_not_decide_what_a_search_is_worth() -> None:
    table = pd.DataFrame({"map": range(5), "activation": 1.1, "unsearched": [1, 1, 1, 1, 0.001]})
    assert say_search(table, {"starts": 8}) == (
        "From one random image each 5 of 5 maps end above zero, from the best of 8 5 do; the maps that "
        "end above zero without it end 10 % higher (median)."
    )


@pytest.mark.parametrize("called", ["class 3", None])
def test_a_network_of_other_classes_is_not_said_to_disagree(called: str | None) -> None:
    made = made_up()
    table = made["table"].assign(called=called)
    assert "calls" not in say_scorecard(table, made["about"])
    titles = [axes.get_title("left") for axes in plot_scorecard(table, made["about"]).get_axes()]
    what = "what the network calls the patterns" if called else "no pattern is called by a class"
    assert titles[-1] == what


def test_classes_that_tie_are_all_named_and_none_where_all_maps_are_dead() -> None:
    made = made_up(maps=9, classes=3)
    summary = {**made["summary"], "driven": {"0": [1], "1": [2], "2": []}}
    assert "0 and 1 drive the most, 1;" in say_maps(made["means"], made["maps"], summary)
    dead = made["maps"].assign(dead=True)
    none = {**summary, "driven": {"0": [], "1": []}}
    assert say_maps(made["means"], dead, none).startswith("Of 9 maps no class drives any; 9 maps")


def test_the_surest_mistakes_are_shown_first() -> None:
    made = made_up()
    figure = plot_mistakes(made["mistakes"], made["test"], made["about"])
    texts = [text.get_text() for text in figure.get_axes()[0].texts]
    assert texts[0] == "0 → 1" and texts[1] == "100 %"
    assert len(texts) == 2 * MOST
    assert "the surest one 0 taken for 1 with" in say_mistakes(made["mistakes"], made["test"])
