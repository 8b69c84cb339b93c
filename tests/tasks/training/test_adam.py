from __future__ import annotations

import numpy as np

from tasks.training.adam import Adam, corrected_rates
from tasks.training.runtime import start_tensorflow


def test_its_steps_are_those_of_keras() -> None:
    tf = start_tensorflow()
    import keras

    start = np.linspace(-1, 1, 6, dtype=np.float32)
    ours, theirs = tf.Variable(start), keras.Variable(start)
    adam, keras_adam = Adam([ours]), keras.optimizers.Adam(0.01)
    keras_adam.build([theirs])
    random = np.random.default_rng(0)
    for step in range(5):
        gradient = random.normal(size=6).astype(np.float32)
        adam.update([gradient], corrected_rates(np.array([0.01], np.float32), np.array([step]))[0])
        keras_adam.apply([tf.constant(gradient)], [theirs])
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)


def test_its_arrays_are_all_of_its_state() -> None:
    tf = start_tensorflow()
    one, other = (Adam([tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])]) for _ in range(2))
    gradients = [np.array([1, -1], np.float32), np.array([[0.5]], np.float32)]
    one.update(gradients, np.float32(0.1))
    assert sorted(one.arrays()) == [
        f"{n}_0{i}" for n in ("mean", "square", "weight") for i in (0, 1)
    ]
    other.restore(one.arrays())
    for adam in (one, other):
        adam.update(gradients, np.float32(0.1))
    for name, value in one.arrays().items():
        assert (other.arrays()[name] == value).all()
