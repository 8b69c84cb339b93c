from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import File, InputError
from tasks.dreams.ascent import Ascent, Climbing
from tasks.dreams.measure import find_output
from tasks.dreams.networks import adopt_network, open_network
from tasks.dreams.objectives import channel
from tasks.dreams.pixels import Pixels
from tasks.dreams.viewer import Viewer
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import noise, small_cnn


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((28, 28, 1), (28, 28)), ((None, None, 3), (40, 40)), ((20, None, 1), (20, 40))],
)
def test_any_size_and_channels_dream_alike(shape: Any, sides: tuple[int, int]) -> None:
    adopted = adopt_network.fn(pack_model(small_cnn(shape)), pixels="bytes", side=40)
    assert adopted.summary["shape"] == [*sides, shape[2]]
    assert adopted.summary["classes"] == 10
    assert adopted.summary["layers"]["Conv2D_1"] == [sides[0] - 2, sides[1] - 2, 6]
    network = open_network(adopted.model)
    maps = [channel("Conv2D_3", number) for number in range(8)]
    images = noise(8, (*sides, shape[2]))
    climb = Ascent(network, maps).climb(images, maps, Climbing(steps=10))
    assert climb.values[:, -1].sum() > 1.1 * climb.values[:, 0].sum()


def test_a_network_that_was_trained_and_saved_as_usual_is_adopted(tmp_path: Path) -> None:
    own = small_cnn()
    own.compile("adam", "sparse_categorical_crossentropy")
    own.fit(noise(4), np.arange(4), verbose=0)
    own.save(tmp_path / "own.keras")
    adopted = adopt_network.fn(File(None, ".keras", tmp_path / "own.keras"))
    assert adopted.summary["classes"] == 10


@pytest.mark.parametrize(
    ("pixels", "scale", "offset"),
    [("standard", 1, 0), ("unit", 0.25, 0.5), ("signed", 0.5, 0), ("bytes", 63.75, 127.5)],
)
def test_an_adopted_network_sees_the_pixels_it_was_trained_on(
    pixels: Pixels, scale: float, offset: float
) -> None:
    own = small_cnn()
    network = open_network(adopt_network.fn(pack_model(own), pixels=pixels).model)
    images = noise(3)
    np.testing.assert_allclose(network(images), own(scale * images + offset), rtol=1e-4)


@pytest.mark.parametrize("pixels", ["unit", "signed", "bytes"])
def test_real_images_reach_an_adopted_network_in_the_pixels_it_was_trained_on(
    pixels: Pixels,
) -> None:
    """Dark images, as MNIST's are: standardised ones would be bright."""
    own = small_cnn()
    images = np.random.default_rng(0).integers(0, 60, (12, 28, 28), dtype=np.uint8)
    seen = np.asarray({"unit": images / 255, "signed": images / 127.5 - 1}.get(pixels, images))
    expected = own(seen[..., None].astype(np.float32)).numpy()
    viewer = Viewer(adopt_network.fn(pack_model(own), pixels=pixels).model)
    found = viewer.look(viewer.prepare(images)).chances
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_own_layers_may_have_the_names_of_those_put_before_them() -> None:
    import keras

    image = keras.Input((12, 12, 1), name="images")
    inner = keras.layers.Rescaling(2.0, name="latentflow_pixels")(image)
    inner = keras.layers.Conv2D(2, 3, name="pixels")(inner)
    own = keras.Model(image, keras.layers.Conv2D(2, 3, name="images_")(inner))
    network = open_network(adopt_network.fn(pack_model(own), pixels="bytes").model)
    images = noise(2, (12, 12, 1))
    np.testing.assert_allclose(network(images), own(63.75 * images + 127.5), rtol=1e-4)


def test_a_softmax_before_the_last_layers_is_not_taken_twice() -> None:
    """As under mixed precision: softmax of halves, then a linear layer that widens them."""
    import keras

    image = keras.Input((12, 12, 1))
    flat = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(image))
    halves = keras.layers.Dense(5, activation="softmax", dtype="float16")(flat)
    wide = keras.layers.Activation("linear", dtype="float32")
    images = noise(6, (12, 12, 1))
    for end in (wide, keras.layers.Reshape((5,))):
        own = keras.Model(image, end(halves))
        found = Viewer(pack_model(own)).look(images).chances
        np.testing.assert_allclose(found, own(images), atol=2e-3)
        assert found.max() > 0.5
    scores = find_output(keras.Model(image, wide(halves)), "")
    assert scores.name != halves.name and np.ptp(keras.Model(image, scores)(images)) > 1


def test_a_viewer_brings_images_to_the_network_s_size_and_channels() -> None:
    viewer = Viewer(pack_model(small_cnn((36, 30, 3))), layer="Conv2D_2")
    grey = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    seen = viewer.prepare(grey)
    assert seen.shape == (5, 36, 30, 3)
    assert (seen[..., 0] == seen[..., 2]).all()
    np.testing.assert_allclose(seen.std(axis=(1, 2, 3)), 1, atol=1e-4)
    look = viewer.look(seen)
    assert look.means.shape == (5, 6) and look.chances.shape == (5, 10)
    np.testing.assert_allclose(look.chances.sum(axis=1), 1, rtol=1e-5)
    one = Viewer(pack_model(small_cnn()), layer="Conv2D_2")
    colour = np.zeros((1, 28, 28, 3), np.uint8)
    colour[:, :14, :, 1] = 200
    assert one.prepare(colour).shape == (1, 28, 28, 1)


def test_batches_change_nothing() -> None:
    viewer = Viewer(pack_model(small_cnn()), layer="Conv2D_3")
    whole = viewer.look(noise(20))
    viewer._batch = 7
    np.testing.assert_allclose(viewer.look(noise(20)).means, whole.means, rtol=1e-4, atol=1e-6)


def test_what_is_no_network_of_images_is_named() -> None:
    import keras

    dense = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    many = small_cnn((28, 28, 4))
    lambda_ = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x)])
    for model, words in (
        (dense, "one input of images"),
        (many, "4 channels; expected 1 or 3"),
        (lambda_, "Lambda layer, which is code"),
    ):
        with pytest.raises(InputError, match=words):
            adopt_network.fn(pack_model(model))
    with pytest.raises(InputError, match=r"no sound \.keras file"):
        adopt_network.fn(File(b"PK not a model", ".keras"))
