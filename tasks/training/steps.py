"""Steps of a training as one graph: batches, losses, gradients and updates without Python between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.training.adam import Adam
from tasks.training.runtime import start_tensorflow


@dataclass(frozen=True)
class Network:
    """What is trained, and on which loss.

    Arguments:
        variables: float32 `tf.Variable`s, in one order.
        loss: images uint8 (b, h, w[, c]), labels int64 (b,), seed int64 (2,) → name → mean over
            the batch, float32; "loss" is what falls.
        judge: images, labels → name → mean over the batch, as after training.
    """

    variables: Sequence[Any]
    loss: Callable[[Any, Any, Any], Mapping[str, Any]]
    judge: Callable[[Any, Any], Mapping[str, Any]]


def compile_steps(
    network: Network, optimiser: Adam, data: Sequence[Any], *, batch: int, seed: int, lanes: int
) -> Callable[..., dict[str, Any]]:
    """Several steps of one epoch as one graph.

    Each lane takes every so-maniest image of a batch, and the lanes' graphs run side by side on one
    thread each. That keeps processors busier than threads within an operation, which wait for each
    other after each, and a sum's order then depends on nothing but the number of lanes.

    Arguments:
        data: images uint8 (n, h, w[, c]), labels int64 (n,).

    Returns:
        A function of the epoch's rows int32 (n,), the number of the first batch in the epoch int32,
        that of the first step in the training int64, and rates float32 (k,) as `corrected_rates`
        gives them; it returns name → float32 (k,), the means over each batch.
    """
    tf = start_tensorflow()
    images, labels = data
    names = _names(network, images, labels)

    def take_step(rows: Any, step: Any, rate: Any) -> dict[str, Any]:
        found = [take_lane(rows, step, lane) for lane in range(lanes)]
        gradients = zip(*(each for _, each in found), strict=True)
        optimiser.update([tf.add_n(each) for each in gradients], rate)
        return {name: tf.add_n([figures[name] for figures, _ in found]) for name in names}

    def take_lane(rows: Any, step: Any, lane: int) -> tuple[dict[str, Any], list[Any]]:
        """A lane's part of the figures and of the gradients."""
        own, share = _lane(rows, lane, lanes)
        number = tf.stack([tf.constant(seed, tf.int64), step * lanes + lane])
        with tf.GradientTape() as tape:
            found = network.loss(tf.gather(images, own), tf.gather(labels, own), number)
            found = {name: share * found[name] for name in names}
        return found, tape.gradient(found["loss"], network.variables)

    @tf.function(
        jit_compile=False,
        autograph=False,  # it would read this file again, edited or not
        input_signature=[
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([], tf.int64),
            tf.TensorSpec([None], tf.float32),
        ],
    )
    def take_steps(order: Any, first: Any, step: Any, rates: Any) -> dict[str, Any]:
        count = tf.size(rates)

        def body(index: Any, kept: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            start = (first + index) * batch
            rows = order[start : start + batch]
            found = take_step(rows, step + tf.cast(index, tf.int64), rates[index])
            return index + 1, {name: kept[name].write(index, found[name]) for name in kept}

        empty = {name: tf.TensorArray(tf.float32, count, element_shape=[]) for name in names}
        _, kept = tf.while_loop(lambda index, _: index < count, body, (tf.constant(0), empty))
        return {name: values.stack() for name, values in kept.items()}

    return take_steps


def compile_judge(network: Network, lanes: int) -> Callable[[Any, Any], dict[str, Any]]:
    """`network.judge` as a graph, in lanes as well: images, labels → name → mean."""
    tf = start_tensorflow()

    @tf.function(jit_compile=False, autograph=False, reduce_retracing=True)
    def judge(images: Any, labels: Any) -> dict[str, Any]:
        found: dict[str, list[Any]] = {}
        for lane in range(lanes):
            own, share = _lane(tf.range(tf.shape(images)[0]), lane, lanes)
            part = network.judge(tf.gather(images, own), tf.gather(labels, own))
            for name, value in part.items():
                found.setdefault(name, []).append(share * value)
        return {name: tf.add_n(values) for name, values in found.items()}

    return judge


def _lane(rows: Any, lane: int, lanes: int) -> tuple[Any, Any]:
    """Every so-maniest of the rows, at least one, and their share of all of them, maybe 0."""
    tf = start_tensorflow()
    own = rows[lane::lanes]
    share = tf.cast(tf.size(own), tf.float32) / tf.cast(tf.size(rows), tf.float32)
    # The last batch may hold fewer images than there are lanes, and a mean over none is no number.
    return tf.cond(tf.size(own) > 0, lambda: own, lambda: rows[:1]), share


def _names(network: Network, images: Any, labels: Any) -> list[str]:
    """The names of the network's figures, found by tracing its loss once."""
    tf = start_tensorflow()
    found: list[str] = []

    @tf.function(jit_compile=False, autograph=False)
    def look(x: Any, y: Any) -> None:
        found.extend(network.loss(x, y, tf.constant([0, 0], tf.int64)))

    look.get_concrete_function(
        tf.TensorSpec([None, *images.shape[1:]], images.dtype), tf.TensorSpec([None], labels.dtype)
    )
    return found
