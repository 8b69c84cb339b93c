from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from engine import File, InputError
from tasks.dreams.ascent import Climbing
from tasks.dreams.choosing import check_maps, choose_maps, map_for
from tasks.dreams.dreaming import carve_picture
from tasks.dreams.objective_text import LONGEST, read_objective
from tasks.dreams.objectives import MOST_TERMS
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import small_cnn
from tests.tasks.dreams.test_preparation import photo

USUAL = pd.DataFrame(
    [
        (m, name, 1.0 if (m % 3) == code else 0.2)
        for m in range(8)
        for code, name in enumerate("abc")
    ],
    columns=["map", "class", "mean"],
)


@pytest.fixture(scope="module")
def model() -> File:
    return pack_model(small_cnn())


def choose(model: File, maps: Any, grid: str = "2x2", **options: Any) -> pd.DataFrame:
    levels = [{"grid": grid, "maps": maps}]
    return choose_maps.fn(model, photo(90, 120), options.pop("usual", USUAL), levels=levels,
                          **options).choices  # fmt: skip


def test_auto_takes_what_the_tile_drives_most_beyond_the_usual(model: File) -> None:
    found = choose(model, "auto")
    assert found["strength"].notna().all()
    for number in range(8):
        given = choose(model, number)
        assert (given["map"] == number).all()
        assert (given["strength"] <= found["strength"] + 1e-6).all()


def test_maps_are_dealt_out_tile_by_tile(model: File) -> None:
    found = choose(model, [3, [1, 2], 'class_(9) - 0.5 * channel("Conv2D_3", 0)'])
    assert found["objective"].tolist() == [
        'channel("Conv2D_3", 3)',
        str(read_objective('0.5 * channel("Conv2D_3", 1) + 0.5 * channel("Conv2D_3", 2)')),
        str(read_objective('class_(9) - 0.5 * channel("Conv2D_3", 0)')),
        'channel("Conv2D_3", 3)',
    ]
    assert found["map"].tolist() == [3, -1, -1, 3]
    assert list(zip(found["row"], found["column"], strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_the_whole_layer_and_the_map_of_a_class(model: File) -> None:
    assert set(choose(model, -1)["objective"]) == {'layer("Conv2D_3")'} or set(
        choose(model, -1)["objective"]
    ) == {str(read_objective('channel("Conv2D_3", -1)'))}
    usual = USUAL.assign(mean=USUAL["mean"] + 0.5 * ((USUAL["map"] == 4) & (USUAL["class"] == "b")))
    assert map_for(usual, "b") == 4
    assert (choose(model, "class:b", usual=usual)["map"] == 4).all()
    with pytest.raises(InputError, match=r"class:z: there are a, b, c"):
        choose(model, "class:z")
    with pytest.raises(InputError, match="no table"):
        choose(model, "class:a", usual=None)


def test_a_guide_leads_with_what_it_shows_at_the_same_place(model: File) -> None:
    levels = [{"grid": "2x2", "maps": "guide"}]
    guide = photo(80, 80)[::-1].copy()
    guide[:40, :40] = 90
    found = choose_maps.fn(model, photo(90, 120), USUAL, guide, levels=levels).choices
    other = choose_maps.fn(model, photo(90, 120), USUAL, guide[:, ::-1].copy(), levels=levels)
    assert found["objective"].tolist() != other.choices["objective"].tolist()
    for text in found["objective"]:
        assert len(read_objective(text).atoms) >= 1
    with pytest.raises(InputError, match="set guide to a photo"):
        choose(model, "guide")


def test_without_a_table_tiles_are_compared_with_each_other(model: File) -> None:
    assert choose(model, "auto", usual=None)["map"].between(0, 7).all()


@pytest.mark.parametrize(
    ("maps", "why"),
    [
        (8, "0 to 7"), (-2, "count from 0"), ("nothing", "objective"), ([], "name a map"),
        (True, "is no map"), (1.5, "is no map"), ("evil()", "not known here"), ([[]], "name a map"),
    ],
)  # fmt: skip
def test_what_is_no_map_is_refused_by_name(model: File, maps: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        choose(model, maps)


def test_a_sum_that_the_table_holds_is_carved_however_long_and_too_long_a_one_is_refused() -> None:
    wide = pack_model(small_cnn(maps=MOST_TERMS))
    levels = [{"grid": "1", "maps": [list(range(MOST_TERMS))]}]
    choices = choose_maps.fn(wide, photo(60, 60), levels=levels).choices
    assert len(choices["objective"][0]) > LONGEST
    climbing = Climbing(steps=1)
    carve_picture.fn(wide, photo(60, 60), choices, levels=levels, loops=1, climbing=climbing)
    for maps in (list(range(MOST_TERMS + 1)), [*range(MOST_TERMS - 2), "1 + class_(1) + class_(2)"],
                 ["guide"] * 6):  # fmt: skip
        with pytest.raises(InputError, match="dreamt with at once; at most 64"):
            check_maps([maps])


def test_what_can_be_checked_without_a_network_is() -> None:
    for fine in (0, -1, "auto", "guide", "class:9", [1, "auto", [2, 3]], "class_(1)"):
        assert check_maps(fine) == fine


def test_a_table_of_another_network_is_refused(model: File) -> None:
    with pytest.raises(InputError, match="another network"):
        choose(model, "auto", usual=pd.concat([USUAL, USUAL.assign(map=USUAL["map"] + 8)]))
    assert len(choose(model, "auto", usual=USUAL[USUAL["map"] < 5])) == 4
