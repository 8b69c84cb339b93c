from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, StageError, work
from tasks.training import loop
from tasks.training.loop import Trained, Training, train_network
from tasks.training.runtime import start_tensorflow
from tasks.training.schedule import Schedule
from tasks.training.steps import Network

ROWS = 70  # of batches of 16: five steps an epoch, the last of 6 images
STEPS = 5


class Stopped(Exception):
    """The end that a test puts to a training."""


@pytest.fixture(autouse=True)
def _checkpoint_after_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CALL_SECONDS", 0.0)  # calls of one step, but the first


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (ROWS, 4, 4), dtype=np.uint8)
    return {"x": x, "y": (x.mean((1, 2)) > 127).astype(np.int64)}


def network(noise: float = 0.1) -> Network:
    """The mean of each image by a weighted sum, with noise that every step draws anew."""
    tf = start_tensorflow()
    weights, bias = tf.Variable(tf.fill([16, 1], 0.5)), tf.Variable(tf.zeros([1]))

    def error(x: Any, seed: Any) -> dict[str, Any]:
        values = tf.reshape(tf.cast(x, tf.float32) / 255, [-1, 16])
        drawn = tf.random.stateless_normal([tf.shape(x)[0], 1], seed) * noise if noise else 0.0
        found = values @ weights + bias + drawn
        square = tf.reduce_mean((found - tf.reduce_mean(values, 1, keepdims=True)) ** 2)
        return {"loss": square, "noise": tf.reduce_mean(drawn)}

    return Network(
        [weights, bias],
        lambda x, y, seed: error(x, seed),
        lambda x, y: {"loss": error(x, tf.constant([0, 0], tf.int64))["loss"]},
    )


def run(images: dict[str, np.ndarray], earlier: Any = None, **values: Any) -> Trained:
    training = Training(**{"epochs": 3, "batch": 16, "schedule": Schedule(rate=0.05), **values})
    return train_network(network(), images, images, training, earlier)


def bits(trained: Trained) -> dict[str, bytes]:
    frame = {
        f"column {name}": trained.history[name].to_numpy().tobytes() for name in trained.history
    }
    return frame | {name: value.tobytes() for name, value in trained.state.items()}


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Raise Stopped when so many steps are reported."""

    def limit(steps: int) -> None:
        def progress(done: float, total: float, unit: str = "step", **figures: float) -> None:
            if done >= steps:
                raise Stopped

        monkeypatch.setattr(work, "progress", progress)

    return limit


def test_the_loss_falls_and_each_epoch_is_a_row(images: dict[str, np.ndarray]) -> None:
    trained = run(images, epochs=20)
    assert list(trained.history["epoch"]) == list(range(1, 21))
    assert list(trained.history["step"]) == [STEPS * epoch for epoch in range(1, 21)]
    assert trained.history.columns.tolist() == [
        "epoch",
        "step",
        "rate",
        "loss",
        "test_loss",
        "noise",
    ]
    assert trained.history["loss"].iloc[-1] < trained.history["loss"].iloc[0] / 10


def test_one_recipe_gives_one_result_and_another_seed_another(
    images: dict[str, np.ndarray],
) -> None:
    assert bits(run(images)) == bits(run(images)) != bits(run(images, seed=1))


def test_steps_in_a_call_do_not_show(
    images: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    single = bits(run(images))
    monkeypatch.setattr(loop, "CALL_SECONDS", 1e6)
    assert bits(run(images)) == single


@pytest.mark.parametrize("steps", [2, 4, 5, 6, 11, 14])  # about the ends of epochs too
def test_stopped_anywhere_it_goes_on_to_the_same_bits(
    images: dict[str, np.ndarray], tmp_path: Path, stop_after: Any, steps: int, undisturbed: Any
) -> None:
    stop_after(steps)
    with work.checkpoints_in(tmp_path):
        with pytest.raises(Stopped):
            run(images)
        stop_after(10_000)
        assert bits(run(images)) == undisturbed


@pytest.fixture(scope="module")
def undisturbed(images: dict[str, np.ndarray]) -> dict[str, bytes]:
    return bits(run(images))


def test_a_checkpoint_takes_its_place(images: dict[str, np.ndarray], stop_after: Any) -> None:
    with work.checkpoints_in(None) as box:  # type: ignore[arg-type]
        stop_after(8)
        with pytest.raises(Stopped):
            run(images)
        found = box.latest()
        assert found is not None and 0 < int(found["step"][0]) <= 8
        assert len(found["figure_loss"]) == int(found["step"][0]) % STEPS


@pytest.mark.parametrize("fewer", [1, 2])
def test_more_epochs_go_on_from_fewer(
    images: dict[str, np.ndarray], undisturbed: Any, fewer: int
) -> None:
    earlier = run(images, epochs=fewer).state
    assert bits(run(images, earlier)) == undisturbed


def test_lanes_change_last_digits_only(images: dict[str, np.ndarray]) -> None:
    def last(lanes: int) -> Any:
        training = Training(2, 16, Schedule(rate=0.05), lanes=lanes)
        return train_network(network(noise=0), images, images, training).history.iloc[-1]

    assert last(3)["test_loss"] == pytest.approx(last(1)["test_loss"], rel=1e-4)


def test_more_lanes_than_images_in_a_batch_are_no_fault(images: dict[str, np.ndarray]) -> None:
    few = {name: value[:17] for name, value in images.items()}  # a last batch of one
    training = Training(1, 16, Schedule(rate=0.05), lanes=4)
    assert np.isfinite(train_network(network(), few, few, training).history["loss"]).all()


def test_an_epoch_of_fewer_steps_draws_other_images_each_time(
    images: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stop_after: Any
) -> None:
    drawn: list[np.ndarray] = []
    given = loop._Run._permutation

    def permutation(own: Any) -> Any:
        found = given(own)
        if not drawn or not np.array_equal(drawn[-1], found):
            drawn.append(found.numpy())
        return found

    monkeypatch.setattr(loop._Run, "_permutation", permutation)
    trained = run(images, steps_per_epoch=2)
    assert list(trained.history["step"]) == [2, 4, 6]
    assert [len(set(rows.tolist())) for rows in drawn] == [32, 32, 32]  # of batches of 16
    assert len(set(np.concatenate(drawn).tolist())) > 50
    stop_after(3)
    with work.checkpoints_in(tmp_path):
        with pytest.raises(Stopped):
            run(images, steps_per_epoch=2)
        stop_after(10_000)
        assert bits(run(images, steps_per_epoch=2)) == bits(trained)


def test_more_steps_than_there_are_see_every_image_once(
    images: dict[str, np.ndarray], undisturbed: Any
) -> None:
    assert bits(run(images, steps_per_epoch=99)) == undisturbed


def test_a_batch_larger_than_all_images_holds_them_all(images: dict[str, np.ndarray]) -> None:
    assert list(run(images, batch=1000).history["step"]) == [1, 2, 3]


def test_a_loss_that_is_no_number_stops_it_where_it_arose(images: dict[str, np.ndarray]) -> None:
    tf = start_tensorflow()
    sound = network(noise=0)

    def loss(x: Any, y: Any, seed: Any) -> dict[str, Any]:
        found = sound.loss(x, y, seed)
        return {"loss": tf.where(seed[1] == 7, np.nan, found["loss"])}

    broken = Network(sound.variables, loss, sound.judge)
    with pytest.raises(
        StageError,
        match=r"is no number in epoch 2, step 8 of 15, at rate 0\.05 .* try a smaller rate",
    ):
        train_network(broken, images, images, Training(3, 16, Schedule(rate=0.05)))


def test_a_loss_that_explodes_stops_it(images: dict[str, np.ndarray]) -> None:
    tf = start_tensorflow()
    sound = network(noise=0)

    def loss(x: Any, y: Any, seed: Any) -> dict[str, Any]:
        return {"loss": sound.loss(x, y, seed)["loss"] * tf.where(seed[1] == 3, 1e4, 1.0)}

    broken = Network(sound.variables, loss, sound.judge)
    with pytest.raises(StageError, match=r"rose to .* in epoch 1, step 4"):
        train_network(broken, images, images, Training(3, 16, Schedule(rate=0.05)))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch": 0}, "batch"),
        ({"seed": -1}, "seed"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
    ],
)
def test_impossible_values_are_named(values: dict[str, int], name: str) -> None:
    with pytest.raises(InputError, match=name):
        Training(**values)  # type: ignore[arg-type]
