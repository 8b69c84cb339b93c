from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import File
from tasks.dreams import atlas
from tasks.dreams.atlas import Patterns, Starts, grow_patterns, search_starts
from tasks.dreams.maps import measure_maps
from tasks.dreams.scorecard import Scorecard, score_patterns, shift_images, turn_images
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import CLASSES, bars, edge_network, noise, small_cnn

ABOUT = {"classes": CLASSES}
POST: dict[str, Any] = {
    "steps": 20,
    "rate": 0.01,
    "total_variation": 0.0,
    "jitter": 0,
    "hold": False,
}


@pytest.fixture(scope="module")
def model() -> File:
    return pack_model(edge_network())


@pytest.fixture(scope="module")
def starts(model: File) -> Starts:
    return search_starts.fn(model, layer="edges", starts=200, seed=1)


@pytest.fixture(scope="module")
def grown(model: File, starts: Starts) -> tuple[Patterns, Patterns]:
    found = grow_patterns.fn(model, starts.searched, layer="edges", steps=30)
    return found, grow_patterns.fn(model, starts.plain, layer="edges", **POST)


@pytest.fixture(scope="module")
def scorecard(model: File, grown: tuple[Patterns, Patterns]) -> Scorecard:
    maps = measure_maps.fn(model, bars(60), ABOUT, layer="edges")
    return score_patterns.fn(
        model, grown[0].images, grown[1].images, maps.maps, ABOUT, layer="edges"
    )


def test_the_search_wakes_maps_that_a_random_start_leaves_at_zero(
    starts: Starts, grown: tuple[Patterns, Patterns]
) -> None:
    searched, plain = grown
    assert plain.values[3, -1] == 0 and 3 in plain.summary["dead"]
    assert searched.values[3, -1] > 0
    assert starts.summary["silent"] == [2]  # dead for good: no start helps
    assert searched.summary["dead"] == [2]


def test_the_best_of_many_starts_is_taken(model: File, starts: Starts) -> None:
    from tasks.dreams.viewer import Viewer

    own = np.arange(4)
    first = search_starts.fn(model, layer="edges", starts=200, candidates=1, seed=1)
    look = Viewer(model, layer="edges").look
    best = look(first.searched).means[own, own]
    assert (best >= look(starts.plain).means[own, own]).all()
    assert (best[[0, 1, 3]] > 0).all()


def test_patterns_rise_far_above_their_starts(grown: tuple[Patterns, Patterns]) -> None:
    values = grown[0].values
    assert values.shape == (4, 31)
    assert (values[[0, 1], -1] > 1.3 * values[[0, 1], 0]).all()
    np.testing.assert_allclose(grown[0].images[0].std(), 1, atol=1e-3)


def test_the_same_seed_gives_the_same_bytes(model: File, starts: Starts) -> None:
    again = search_starts.fn(model, layer="edges", starts=200, seed=1)
    assert np.array_equal(again.searched, starts.searched)
    one, two = (
        grow_patterns.fn(model, starts.searched, layer="edges", steps=5).images for _ in range(2)
    )
    assert np.array_equal(one, two)


def test_patterns_beat_real_images_and_are_called_by_their_class(scorecard: Scorecard) -> None:
    table: Any = scorecard.table.set_index("map")
    assert (table.loc[[0, 1], "gain"] > 1).all()
    assert table.loc[0, "called"] == "lying" == table.loc[0, "class"]
    assert table.loc[1, "called"] == "standing"
    assert table.loc[2, "dead"] and np.isnan(table.loc[2, "shifted"])
    assert table.loc[3, "unsearched"] == 0 < table.loc[3, "activation"]
    assert scorecard.summary["alive"] == 3
    assert scorecard.summary["alive_unsearched"] == 2
    # Convolutions and means do not care where in the image a pattern lies.
    assert table.loc[0, "shifted"] == pytest.approx(1, abs=0.15)


def test_more_contrast_alone_is_no_gain(
    model: File, grown: tuple[Patterns, Patterns], scorecard: Scorecard
) -> None:
    maps = measure_maps.fn(model, bars(60), ABOUT, layer="edges")
    loud = score_patterns.fn(
        model, 5 * grown[0].images + 2, grown[1].images, maps.maps, ABOUT, layer="edges"
    )
    np.testing.assert_allclose(loud.table["gain"], scorecard.table["gain"], rtol=1e-4)


def test_colour_networks_of_another_size_have_an_atlas_of_their_own() -> None:
    model = pack_model(small_cnn((36, 30, 3)))
    starts = search_starts.fn(model, layer="Conv2D_2", starts=30, most=4, steps=2)
    assert starts.searched.shape == (4, 36, 30, 3)
    grown = grow_patterns.fn(model, starts.searched, layer="Conv2D_2", steps=5)
    maps = measure_maps.fn(model, bars(12), ABOUT, layer="Conv2D_2").maps
    found = score_patterns.fn(model, grown.images, grown.images, maps, ABOUT, layer="Conv2D_2")
    assert found.table["called"].str.startswith("class ").all()  # ten classes, none of these
    assert found.summary["agree"] is None and "calls" not in found.summary["finding"]
    assert len(found.table) == 4


def test_a_network_without_classes_calls_no_pattern_anything() -> None:
    import keras

    network = edge_network()
    edges = pack_model(keras.Model(network.inputs, network.get_layer("edges").output))
    images = noise(4)
    maps = measure_maps.fn(edges, bars(9), ABOUT, layer="edges").maps
    found = score_patterns.fn(edges, images, images, maps, ABOUT, layer="edges")
    assert found.table["called"].isna().all() and found.table["chance"].isna().all()
    assert found.summary["agree"] is None and "calls" not in found.summary["finding"]


def test_large_images_leave_room_for_fewer_maps(
    model: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atlas, "_FLOATS", 3 * 28 * 28)
    found = search_starts.fn(model, layer="edges", starts=200, steps=1)
    assert found.searched.shape == found.plain.shape == (3, 28, 28, 1)
    assert found.summary["starts"] == 3


def test_shifts_and_turns_move_and_keep_the_shape() -> None:
    image = np.zeros((1, 9, 9, 1), np.float32)
    image[0, 4, 4] = 1
    places = {tuple(int(i) for i in np.argwhere(m[0, ..., 0])[0]) for m in shift_images(image, 2)}
    assert places == {(4, 2), (4, 6), (2, 4), (6, 4)}
    line = np.zeros((1, 21, 21, 1), np.float32)
    line[0, 10] = 1
    turned = turn_images(line, 45.0)
    assert turned.shape == line.shape
    assert turned[0, 5, 15, 0] + turned[0, 15, 15, 0] > 0.7
