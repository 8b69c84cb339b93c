from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import File, InputError
from tasks.dreams.evaluation import evaluate_cnn
from tasks.dreams.maps import Maps, _say_drivers, drive, measure_maps
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import CLASSES, bars, edge_network, small_cnn

ABOUT = {"classes": CLASSES}


@pytest.fixture(scope="module")
def model() -> File:
    return pack_model(edge_network())


@pytest.fixture(scope="module")
def maps(model: File) -> Maps:
    return measure_maps.fn(model, bars(90), ABOUT, layer="edges")


def test_each_map_is_driven_by_what_it_sees(maps: Maps) -> None:
    assert maps.summary["driven"] == {"lying": [0], "standing": [1, 3], "slope": []}
    assert maps.summary["dead"] == [2]
    assert "1 is dead (2)" in maps.summary["finding"]
    assert list(maps.maps["dead"]) == [False, False, True, False]


def test_classes_that_drive_as_many_maps_are_named_together() -> None:
    assert _say_drivers({"a": 1, "b": 1}) == "each class drives 1"
    assert (
        _say_drivers({"a": 3, "b": 0, "c": 3, "d": 1})
        == "a and c drive the most (3), b the fewest (0)"
    )


def test_the_score_is_the_mean_less_the_next_best_class(maps: Maps) -> None:
    wide: Any = maps.means.pivot(index="map", columns="class", values="mean")
    expected = wide.loc[0, "lying"] - max(wide.loc[0, "standing"], wide.loc[0, "slope"])
    assert maps.maps["score"][0] == pytest.approx(expected)
    assert maps.maps["mean"][0] == pytest.approx(wide.loc[0].mean())
    driver, score = drive(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 5.0]]))
    assert driver.tolist() == [1, 2] and score.tolist() == [1.0, 5.0]


def test_the_best_real_image_is_one_of_its_class(maps: Maps) -> None:
    y = bars(90)["y"]
    assert y[int(maps.maps["image"][0])] == 0
    assert y[int(maps.maps["image"][1])] == 1


def test_the_images_that_move_a_map_most_come_best_first(maps: Maps) -> None:
    assert maps.top.shape == (4, 6)
    assert maps.top[:, 0].tolist() == maps.maps["image"].tolist()
    assert set(bars(90)["y"][maps.top[0]]) == {0}


def test_a_class_without_an_image_drives_nothing(model: File) -> None:
    some = {name: part[bars(90)["y"] < 2] for name, part in bars(90).items()}
    found = measure_maps.fn(model, some, ABOUT, layer="edges")
    assert set(found.means["class"]) == {"lying", "standing"}


def test_a_layer_that_is_not_there_is_named(model: File) -> None:
    with pytest.raises(InputError, match='no layer "Conv2D_3"; there are edges'):
        measure_maps.fn(model, bars(9), ABOUT, layer="Conv2D_3")


def test_evaluation_counts_and_ranks_the_surest_mistakes(model: File) -> None:
    test = bars(90)
    test["y"][:6] = [1, 0, 0, 1, 0, 0]  # six lies
    found = evaluate_cnn.fn(model, test, ABOUT)
    assert found.summary["accuracy"] == pytest.approx(84 / 90)
    assert found.summary["mistakes"] == 6 == len(found.mistakes)
    assert set(found.mistakes["image"]) == set(range(6))
    margin = found.mistakes["chance"] - found.mistakes["chance_truth"]
    assert (np.diff(margin) <= 1e-6).all()
    first = found.mistakes.iloc[0]
    assert first["truth"] == CLASSES[test["y"][int(first["image"])]] != first["predicted"]
    assert found.confusion["rows"].sum() == 90


def test_a_network_of_other_classes_is_not_evaluated() -> None:
    with pytest.raises(InputError, match="tells 10 classes apart and the images have 3"):
        evaluate_cnn.fn(pack_model(small_cnn()), bars(9), ABOUT)
