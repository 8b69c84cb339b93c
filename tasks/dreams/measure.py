"""The numbers that objectives speak of, measured for a batch of images in one pass of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError
from tasks.dreams.chain import find_chain
from tasks.dreams.objectives import Atom, Objective, require_atoms
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    import numpy as np


class Tables(NamedTuple):
    """Objectives as numbers, n of them, for a batch of as many images.

    weights: float32 (n, terms), 0 where there is no such term · factors: int32 (n, terms, factors),
    places in the row of measured numbers · spots: for each layer the flat places of its neurons.
    """

    weights: np.ndarray
    factors: np.ndarray
    spots: tuple[np.ndarray, ...]


class Measure:
    """The part of a network that some objectives need, and how an image is rated by it.

        numbers of an image:  [ means of the maps · mean of all | next layer … | neurons … | 1 ]
        its objective:        sum over terms of  weight × product of the numbers at its places

    Arguments:
        network: a Keras model with one input of images (h, w, c).
        objectives: all that will be asked for.
        shape: (h, w, c) of the images, for a network that takes images of any size.

    Raises InputError: a layer, map or neuron that is not there, by name and with what is there.
    """

    def __init__(
        self,
        network: Any,
        objectives: Sequence[Objective],
        shape: tuple[int, int, int] | None = None,
    ) -> None:
        start_tensorflow()
        import keras

        self.layers = tuple(
            sorted({name for each in objectives for name in require_atoms(each).layers})
        )
        self.shape = image_shape(network, shape)
        outputs = [find_output(network, name) for name in self.layers]
        inner = keras.Model(network.inputs[0], outputs)
        image = keras.Input(self.shape)
        results = inner(image)
        results = results if isinstance(results, list | tuple) else [results]
        self._chain = find_chain(inner.inputs[0], list(inner.outputs))
        self._is_narrow = (
            self._chain is not None and self._chain.is_narrow and all(map(_is_map, objectives))
        )
        self._part = keras.Model(image, list(results))
        self._shapes = {
            name: tuple(int(side) for side in result.shape[1:])
            for name, result in zip(self.layers, results, strict=True)
        }
        self.largest = sum(count_floats(layer) for layer in inner.layers)
        for objective in objectives:
            for atom in objective.atoms:
                self._require(atom)

    def tabulate(self, objectives: Sequence[Objective]) -> Tables:
        """Objectives, one an image, as the tables that `rate` takes."""
        import numpy as np

        places: dict[Atom, int] = {}
        spots: dict[str, list[int]] = {name: [] for name in self.layers}
        starts, width = {}, 0
        for name in self.layers:
            starts[name] = width
            width += self._shapes[name][-1] + 1
        if self._is_narrow and not all(map(_is_map, objectives)):
            raise InputError("the ascent was prepared for single maps only")
        every = list(dict.fromkeys(atom for each in objectives for atom in each.atoms))
        for atom in every:
            self._require(atom)
            maps = self._shapes[atom.layer][-1]
            if atom.spot is None:
                places[atom] = starts[atom.layer] + (maps if atom.map < 0 else atom.map)
            else:
                row, column = atom.spot
                flat = (row * self._shapes[atom.layer][1] + column) * maps + atom.map
                spots[atom.layer].append(flat)
        neurons = [
            atom for name in self.layers for atom in every if atom.spot and atom.layer == name
        ]
        for atom in neurons:
            places[atom] = width
            width += 1
        terms = max(len(each.terms) for each in objectives)
        factors = max(1, *(len(own) for each in objectives for _, own in each.terms))
        weights = np.zeros((len(objectives), terms), np.float32)
        # Where a product is shorter than the longest, it goes on with the 1 at the end.
        table = np.full((len(objectives), terms, factors), width, np.int32)
        for row, each in enumerate(objectives):
            for term, (weight, own) in enumerate(each.terms):
                weights[row, term] = weight
                table[row, term, : len(own)] = [places[atom] for atom in own]
        found = tuple(np.array(spots[name], np.int32) for name in self.layers)
        return Tables(weights, table, found)

    def rate(self, images: Any, weights: Any, factors: Any, spots: Sequence[Any]) -> Any:
        """The value of each image's own objective, float32 (n,); tensors in and out."""
        tf = start_tensorflow()

        if self._chain is None:
            outputs = self._part(images, training=False)
        elif self._is_narrow:
            return weights[:, 0] * self._chain.single_maps(images, factors[:, 0, 0])
        else:
            outputs = self._chain.run(images)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        numbers, neurons = [], []
        for output, own in zip(outputs, spots, strict=True):
            # Activations may come in half precision; their means and sums must not.
            wide = tf.cast(output, tf.float32)
            means = tf.reduce_mean(wide, axis=list(range(1, len(output.shape) - 1)))
            numbers += [means, tf.reduce_mean(means, axis=1, keepdims=True)]
            flat = tf.reshape(wide, (tf.shape(wide)[0], -1))
            neurons.append(tf.gather(flat, own, axis=1))
        ones = tf.ones_like(numbers[0][:, :1])
        row = tf.concat([*numbers, *neurons, ones], axis=1)
        products = tf.reduce_prod(tf.gather(row, factors, batch_dims=1), axis=2)
        return tf.reduce_sum(weights * products, axis=1)

    def _require(self, atom: Atom) -> None:
        """Raise InputError where the network has no such map, neuron or class."""
        if atom.layer not in self._shapes:
            raise InputError(
                f"{atom}: the ascent was prepared for {', '.join(map(_called, self.layers))} only"
            )
        shape = self._shapes[atom.layer]
        if atom.map >= shape[-1]:
            what = "maps" if atom.layer else "classes"
            raise InputError(f"{atom}: {_called(atom.layer)} has {shape[-1]} {what}, from 0 on")
        if atom.spot is not None and (
            len(shape) != 3 or atom.spot[0] >= shape[0] or atom.spot[1] >= shape[1]
        ):
            size = " × ".join(map(str, shape[:-1])) if len(shape) == 3 else "no rows and columns"
            raise InputError(f"{atom}: a map of {_called(atom.layer)} has {size}, from 0 on")


def find_output(network: Any, name: str) -> Any:
    """The output (a Keras tensor) of the layer of that name; of "", the classes before a softmax.

    Raises InputError, which lists the layers there are.
    """
    if not name:
        return _scores(network)
    there = [
        layer
        for layer in network.layers
        if type(layer).__name__ != "InputLayer" and _is_measurable(layer)
    ]
    found = [layer for layer in there if layer.name == name]
    if not found:
        names = ", ".join(layer.name for layer in there[:40])
        more = f" and {len(there) - 40} more" if len(there) > 40 else ""
        raise InputError(f'the network has no layer "{name}"; there are {names}{more}')
    return found[0].output


def image_shape(network: Any, shape: tuple[int, int, int] | None = None) -> tuple[int, int, int]:
    """(h, w, c) of the images that a network takes; its open sides are those of `shape`.

    Raises InputError: no network of images, or sides that are open or not its own.
    """
    inputs = getattr(network, "inputs", None)
    if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4:
        found = [tuple(each.shape) for each in inputs or ()]
        raise InputError(
            "expected a network with one input of images (batch, height, width, channels); found "
            + (f"inputs of the shapes {found}" if found else "one that was never built")
        )
    own = tuple(inputs[0].shape[1:])
    if shape is None and None in own:
        raise InputError(f"the network takes images of any size, {own}: say which size is meant")
    sides = tuple(
        int(mine if mine is not None else wanted)
        for mine, wanted in zip(own, shape or own, strict=True)
    )
    if shape is not None and sides != tuple(shape):
        raise InputError(f"the network takes images of {sides}, not of {tuple(shape)}")
    return sides[0], sides[1], sides[2]


def _scores(network: Any) -> Any:
    """The output before the last softmax, or the output itself where there is none."""
    import keras

    last = network.layers[-1]
    while _is_activation(last, keras.activations.linear):  # often behind half precision
        last = last.input._keras_history.operation
    if isinstance(last, keras.layers.Softmax) or _is_activation(last, keras.activations.softmax):
        return last.input
    if getattr(last, "activation", None) is not keras.activations.softmax:
        return last.output
    # A twin without the softmax, whose weights are the network's own.
    plain = type(last).from_config(
        {**last.get_config(), "activation": "linear", "name": f"{last.name}_scores"}
    )
    output = plain(last.input)
    plain.set_weights(last.get_weights())
    return output


def _is_activation(layer: Any, kind: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.Activation) and layer.activation is kind


def _is_measurable(layer: Any) -> bool:
    try:
        return len(layer.output.shape) >= 2
    except (AttributeError, ValueError, TypeError):
        return False  # never called, called twice, or with several outputs


def count_floats(layer: Any) -> int:
    """How many numbers the layer's output holds for one image."""
    size = 1
    for side in getattr(getattr(layer, "output", None), "shape", ())[1:]:
        size *= int(side or 1)
    return size


def _is_map(objective: Objective) -> bool:
    """Whether it is the mean of one map, times a number."""
    atoms, terms = objective.atoms, objective.terms
    single = len(terms) == 1 and len(terms[0][1]) == 1
    return single and atoms[0].map >= 0 and atoms[0].spot is None and bool(atoms[0].layer)


def _called(layer: str) -> str:
    return f'layer "{layer}"' if layer else "the output"
