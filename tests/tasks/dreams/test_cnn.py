from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.dreams.cnn import Cnn, build_cnn, train_cnn
from tasks.dreams.networks import open_network
from tests.tasks.dreams.networks import CLASSES, bars

ABOUT = {"classes": CLASSES}
HOW: dict[str, Any] = {"epochs": 2, "batch": 30, "rate": 0.002}


@pytest.fixture(scope="module")
def cnn() -> Cnn:
    return train_cnn.fn(bars(240), bars(60, seed=1), ABOUT, **HOW)


def test_the_network_is_that_of_spec() -> None:
    network = build_cnn((28, 28, 1), 10)
    shapes = {layer.name: layer.output.shape[1:] for layer in network.layers}
    assert shapes["Conv2D_1"] == (26, 26, 32)
    assert shapes["Conv2D_2"] == (11, 11, 64)
    assert shapes["Conv2D_3"] == (3, 3, 128)
    assert shapes["flat"] == (1152,)
    assert shapes["dense"] == (100,) and shapes["classes"] == (10,)
    layers = [network.get_layer(f"Conv2D_{number}") for number in (1, 2, 3)]
    assert [layer.count_params() for layer in layers] == [320, 18_496, 73_856]
    assert all(layer.activation.__name__ == "relu" for layer in layers)


def test_it_learns_and_its_file_tells_the_same(cnn: Cnn) -> None:
    test = bars(60, seed=1)
    assert cnn.summary["test_accuracy"] > 0.9
    assert list(cnn.history["epoch"]) == [1, 2]
    assert cnn.history["loss"].iloc[1] < cnn.history["loss"].iloc[0]
    network = open_network(cnn.model)
    x = test["x"][..., None].astype(np.float32)
    deviation = np.maximum(x.std(axis=(1, 2, 3), keepdims=True), 1 / 28)
    told = network((x - x.mean(axis=(1, 2, 3), keepdims=True)) / deviation).numpy()
    assert (told.argmax(axis=1) == test["y"]).mean() == pytest.approx(cnn.summary["test_accuracy"])


def test_the_same_recipe_gives_the_same_bytes(cnn: Cnn) -> None:
    again = train_cnn.fn(bars(240), bars(60, seed=1), ABOUT, **HOW)
    assert again.model.read_bytes() == cnn.model.read_bytes()
    assert again.history.equals(cnn.history)


def test_weight_decay_keeps_kernels_small(cnn: Cnn) -> None:
    held = train_cnn.fn(bars(240), bars(60, seed=1), ABOUT, l2=0.05, **HOW)

    def size(found: Cnn) -> float:
        network = open_network(found.model)
        return sum(
            float((layer.get_weights()[0] ** 2).sum()) for layer in network.layers if layer.weights
        )

    assert size(held) < 0.8 * size(cnn)


@pytest.mark.parametrize(
    ("size", "classes", "options", "words"),
    [
        (17, CLASSES, {}, "17 × 17 pixels: after three convolutions nothing is left"),
        (28, ["one"], {}, "at least two to tell apart"),
        (28, CLASSES, {"l2": -1.0}, "l2 = -1.0"),
    ],
)
def test_what_cannot_be_trained_is_named(
    size: int, classes: list[str], options: dict[str, Any], words: str
) -> None:
    images: Any = {"x": np.zeros((4, size, size), np.uint8), "y": np.zeros(4, np.int64)}
    with pytest.raises(InputError, match=words):
        train_cnn.fn(images, images, {"classes": classes}, **options)
