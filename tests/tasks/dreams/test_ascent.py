from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.dreams.ascent import Ascent, Climbing
from tasks.dreams.objectives import Objective, channel, class_, layer, neuron
from tests.tasks.dreams.networks import noise, small_cnn

MAPS = [channel("Conv2D_3", each) for each in range(8)]
OTHERS = [
    layer("Conv2D_2"),
    neuron("Conv2D_3", 2, 1, 2),
    channel("Conv2D_2", 1) + 0.5 * class_(9),
    -channel("Conv2D_3", 3),
    channel("Conv2D_2", 1) * channel("Conv2D_2", 2),
]


@pytest.fixture(scope="module")
def network() -> Any:
    return small_cnn()


@pytest.fixture(scope="module")
def ascent(network: Any) -> Ascent:
    return Ascent(network, [*MAPS, *OTHERS])


def own_steps(
    network: Any, image: np.ndarray, name: str, number: int, steps: int, rate: float
) -> tuple[np.ndarray, list[float]]:
    """SPEC's steps for one map, written once more, one image and one step at a time."""
    import keras
    import tensorflow as tf

    part = keras.Model(network.inputs[0], network.get_layer(name).output)
    x = tf.constant(image[None])
    values = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_mean(part(x)[..., number])
        gradient = tape.gradient(value, x)
        values.append(float(value))
        x = x + rate * gradient / tf.sqrt(tf.reduce_mean(gradient**2))
    return x[0].numpy(), [*values, float(tf.reduce_mean(part(x)[..., number]))]


def test_values_rise_and_every_image_follows_its_own_objective(ascent: Ascent) -> None:
    every = [*MAPS, *OTHERS]
    climb = ascent.climb(noise(len(every)), every, Climbing(steps=40))
    feels = climb.images.std(axis=(1, 2, 3)) > 1.0001
    assert feels.sum() > 8
    assert (climb.values[feels, -1] > climb.values[feels, 0]).all()
    assert climb.values[feels][:, -1].mean() > 1.5 * abs(climb.values[feels][:, 0].mean())


def test_a_batch_does_what_each_image_would_do_alone(network: Any, ascent: Ascent) -> None:
    images = noise(8, seed=3)
    climb = ascent.climb(images, MAPS, Climbing(steps=12))
    alive = [number for number in range(8) if climb.values[number, 0] > 0]
    assert len(alive) > 2
    for number in alive[:3]:
        image, values = own_steps(network, images[number], "Conv2D_3", number, 12, 0.01)
        np.testing.assert_allclose(climb.values[number], values, rtol=1e-3)
        np.testing.assert_allclose(climb.images[number], image, atol=1e-3)


def test_the_graph_is_traced_once_whatever_is_climbed(network: Any) -> None:
    ascent = Ascent(network, [*MAPS, *OTHERS])
    ascent.climb(noise(8), MAPS, Climbing(steps=3))
    ascent.climb(noise(3), OTHERS[:3], Climbing(steps=5, jitter=2, total_variation=0.1, seed=7))
    ascent.climb(noise(1), OTHERS[4], Climbing(steps=6, octaves=3, hold=True, tolerance=0.1))
    ascent.chunk = 2
    ascent.climb(noise(5), MAPS[:5], Climbing(steps=4, rate=0.1), watch=lambda *_: None)
    assert ascent.traces == 1


def test_chunks_change_nothing(network: Any, ascent: Ascent) -> None:
    small = Ascent(network, MAPS)
    small.chunk = 3
    how = Climbing(steps=10, jitter=2, seed=5)
    whole, parts = (each.climb(noise(8), MAPS, how) for each in (ascent, small))
    np.testing.assert_allclose(whole.values, parts.values, rtol=1e-3, atol=1e-6)


def test_an_image_that_the_objective_does_not_feel_stays(ascent: Ascent) -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    climb = ascent.climb(image, MAPS[0] * 0.0 + 1e-30 * MAPS[0] * MAPS[0], Climbing(steps=5))
    assert np.array_equal(climb.images, image)


def test_a_tiny_gradient_is_as_good_as_a_large_one(ascent: Ascent) -> None:
    images = noise(1, seed=3)
    (number,) = np.flatnonzero(ascent.rate(np.repeat(images, 8, 0), MAPS) > 0)[:1]
    plain = ascent.climb(images, MAPS[number], Climbing(steps=10))
    tiny = ascent.climb(images, 1e-12 * (1e-12 * MAPS[number]), Climbing(steps=10))
    np.testing.assert_allclose(tiny.images, plain.images, atol=1e-3)


def test_hold_keeps_mean_and_deviation(ascent: Ascent) -> None:
    images = 0.3 + 2 * noise(8)
    climb = ascent.climb(images, MAPS, Climbing(steps=30, rate=0.1, hold=True))
    np.testing.assert_allclose(climb.images.mean(axis=(1, 2, 3)), 0.3, atol=1e-4)
    np.testing.assert_allclose(climb.images.std(axis=(1, 2, 3)), 2, atol=1e-3)


def test_tolerance_stops_each_image_by_itself(ascent: Ascent) -> None:
    free = ascent.climb(noise(8), MAPS, Climbing(steps=60))
    climb = ascent.climb(noise(8), MAPS, Climbing(steps=60, tolerance=0.02))
    assert (free.stopped == 60).all()
    moved = climb.values[:, 0] > 0
    assert len(set(climb.stopped[moved])) > 1
    stopped = climb.stopped[moved].min()
    first = int(np.flatnonzero(moved)[climb.stopped[moved].argmin()])
    assert stopped < 60
    assert np.ptp(climb.values[first, stopped:]) == 0


def test_total_variation_and_octaves_make_smoother_images(ascent: Ascent) -> None:
    def roughness(how: Climbing) -> float:
        change = ascent.climb(noise(8), MAPS, how).images - noise(8)
        return float(np.abs(np.diff(change, axis=1)).sum() / np.abs(change).sum())

    plain = roughness(Climbing(steps=20))
    assert roughness(Climbing(steps=20, octaves=2, octave_ratio=3)) < plain
    smooth = ascent.climb(noise(8), MAPS, Climbing(steps=20, total_variation=1.0)).images
    rough = ascent.climb(noise(8), MAPS, Climbing(steps=20)).images
    assert np.abs(np.diff(smooth, axis=1)).mean() < 0.95 * np.abs(np.diff(rough, axis=1)).mean()


def test_jitter_depends_on_its_seed_alone(ascent: Ascent) -> None:
    one, same, other = (
        ascent.climb(noise(4), MAPS[:4], Climbing(steps=8, jitter=3, seed=seed)).images
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_watching_shows_the_way_and_changes_nothing(ascent: Ascent) -> None:
    seen: list[tuple[int, np.ndarray]] = []
    how = Climbing(steps=30, jitter=2)
    watched = ascent.climb(
        noise(4), MAPS[:4], how, watch=lambda step, images, values: seen.append((step, values))
    )
    assert [step for step, _ in seen] == [5, 10, 15, 20, 25, 30]
    np.testing.assert_allclose(watched.values, ascent.climb(noise(4), MAPS[:4], how).values)
    assert all(values.shape == (4,) for _, values in seen)


def test_networks_of_any_size_and_three_channels() -> None:
    network = small_cnn((None, None, 3), seed=1)
    ascent = Ascent(network, [MAPS[1], neuron("Conv2D_3", 0, 5, 4)], shape=(48, 40, 3))
    images = noise(2, (48, 40, 3))
    climb = ascent.climb(images, [MAPS[1], neuron("Conv2D_3", 0, 5, 4)], Climbing(steps=10))
    assert (climb.values[:, -1] >= climb.values[:, 0]).all()
    assert climb.images.shape == images.shape
    with pytest.raises(InputError, match="any size"):
        Ascent(network, MAPS)


def test_a_class_is_scored_before_the_softmax(network: Any, ascent: Ascent) -> None:
    import keras

    features = keras.Model(network.inputs[0], network.layers[-2].output)(noise(3)).numpy()
    kernel, bias = network.layers[-1].get_weights()
    two = Ascent(network, [class_(9)])
    np.testing.assert_allclose(
        two.rate(noise(3), class_(9)), (features @ kernel + bias)[:, 9], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (channel("Conv2D_4", 0), 'no layer "Conv2D_4"; there are Conv2D_1'),
        (channel("Conv2D_3", 8), "has 8 maps, from 0 on"),
        (class_(10), "the output has 10 classes"),
        (neuron("Conv2D_3", 1, 3, 0), "has 3 × 3, from 0 on"),
        (neuron("classes", 1, 0, 0), "no rows and columns"),
        (Objective(()), "measures nothing"),
    ],
)
def test_what_the_network_does_not_have(network: Any, objective: Objective, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Ascent(network, [objective])


def test_wrong_images_and_objectives_are_named(ascent: Ascent) -> None:
    with pytest.raises(InputError, match=r"takes \(n, \*\(28, 28, 1\)\)"):
        ascent.climb(noise(2, (20, 28, 1)), MAPS[0])
    with pytest.raises(InputError, match="8 objectives for 2 images"):
        ascent.climb(noise(2), MAPS)
    with pytest.raises(InputError, match="prepared for"):
        ascent.climb(noise(1), channel("Conv2D_1", 0))
    with pytest.raises(InputError, match="no finite numbers"):
        ascent.climb(noise(1) * np.inf, MAPS[0])
    with pytest.raises(InputError, match="beyond all numbers: is the rate too large"):
        ascent.climb(noise(8), MAPS, Climbing(rate=1e38))


def test_nothing_climbs_to_nothing(ascent: Ascent) -> None:
    climb = ascent.climb(np.zeros((0, 28, 28, 1)), [], Climbing(steps=4))
    assert climb.values.shape == (0, 5)


@pytest.mark.parametrize(
    "objectives",
    [MAPS, [channel("Conv2D_2", 1)], [layer("Conv2D_3"), *MAPS], OTHERS],
    ids=["single maps", "a pool behind", "all maps", "several layers"],
)
@pytest.mark.parametrize("shape", [(28, 28, 1), (31, 26, 3)])
def test_a_chain_gives_what_keras_gives(
    objectives: list[Objective], shape: tuple[int, int, int]
) -> None:
    """31 × 26 pixels: both pools leave rows or columns over."""
    import tensorflow as tf

    from tasks.dreams.measure import Measure

    network = small_cnn(shape, seed=1)
    for conv in ("Conv2D_1", "Conv2D_2", "Conv2D_3"):
        kernel, bias = network.get_layer(conv).get_weights()
        bias += np.random.default_rng(0).normal(0, 0.2, bias.shape)
        network.get_layer(conv).set_weights([kernel, bias])
    measure = Measure(network, objectives)
    tables = measure.tabulate(objectives)

    def gradient() -> tuple[np.ndarray, np.ndarray]:
        with tf.GradientTape() as tape:
            images = tf.constant(noise(len(objectives), shape))
            tape.watch(images)
            values = measure.rate(images, *tables)
        return values.numpy(), tape.gradient(values, images).numpy()

    assert measure._chain is not None
    values, apart = gradient()
    measure._chain = None
    expected, whole = gradient()
    assert np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(apart, whole, rtol=1e-3, atol=1e-6)


def test_a_network_that_begins_otherwise_climbs_as_well() -> None:
    import keras

    image = keras.Input((20, 20, 1))
    wide = keras.layers.Conv2D(4, 5, padding="same", strides=2, name="wide")(image)
    joined = keras.layers.Concatenate()([wide, keras.layers.MaxPooling2D()(image)])
    maps = keras.layers.Conv2D(3, 3, activation="relu", name="maps")(joined)
    network = keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps))
    objectives = [channel("maps", number) for number in range(3)]
    climb = Ascent(network, objectives).climb(noise(3, (20, 20, 1)), objectives, Climbing(steps=8))
    assert climb.values[:, -1].sum() > climb.values[:, 0].sum()


def test_the_last_value_is_that_of_the_image_as_it_is(ascent: Ascent) -> None:
    climb = ascent.climb(noise(8), MAPS, Climbing(steps=6, jitter=3, hold=True))
    np.testing.assert_allclose(climb.values[:, -1], ascent.rate(climb.images, MAPS), rtol=1e-4)
