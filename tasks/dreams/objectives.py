"""What an image is changed for: the activation of maps, neurons and classes, in sums and products.

    channel("Conv2D_3", 56) + 0.5 * class_(9)
    layer("Conv2D_3") - 2 * neuron("Conv2D_3", 56, 1, 1)
    channel("Conv2D_3", 56) * channel("Conv2D_3", 12)

An objective is kept multiplied out, as a sum of products: many different ones can so be climbed by
the same compiled graph, to which they are nothing but tables of numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from engine import InputError

MOST_TERMS = 64
MOST_FACTORS = 6
LARGEST = 1e6  # of a number, so that no sum of products overflows float32


@dataclass(frozen=True)
class Atom:
    """One measured number of a network: the mean of a map, a neuron, the mean of a whole layer.

    The layer "" stands for the scores of the classes, before a softmax.
    """

    layer: str
    map: int  # -1: the mean of all maps
    spot: tuple[int, int] | None = None  # row and column of a neuron; None: the mean of the map

    def __str__(self) -> str:
        if not self.layer:
            return f"class_({self.map})"
        name = _quoted(self.layer)
        if self.map < 0:
            return f"layer({name})"
        if self.spot is None:
            return f"channel({name}, {self.map})"
        return f"neuron({name}, {self.map}, {self.spot[0]}, {self.spot[1]})"


Term: TypeAlias = tuple[float, tuple[Atom, ...]]


@dataclass(frozen=True)
class Objective:
    """A sum of terms, each a number times a product of atoms; adds, subtracts and multiplies.

    `str` gives the text from which `tasks.dreams.objective_text` makes the same objective.
    """

    terms: tuple[Term, ...]

    def __add__(self, other: Objective | float) -> Objective:
        return _gathered((*self.terms, *_objective(other).terms))

    def __radd__(self, other: float) -> Objective:
        return _objective(other) + self

    def __neg__(self) -> Objective:
        return self * -1.0

    def __sub__(self, other: Objective | float) -> Objective:
        return self + -_objective(other)

    def __rsub__(self, other: float) -> Objective:
        return _objective(other) - self

    def __mul__(self, other: Objective | float) -> Objective:
        return _gathered(
            tuple(
                (mine * theirs, (*factors, *others))
                for mine, factors in self.terms
                for theirs, others in _objective(other).terms
            )
        )

    def __rmul__(self, other: float) -> Objective:
        return _objective(other) * self

    def __str__(self) -> str:
        text = ""
        for number, factors in self.terms:
            parts = [str(atom) for atom in factors]
            if abs(number) != 1 or not parts:
                parts.insert(0, f"{abs(number):.12g}")
            sign = ("-" if number < 0 else "") if not text else (" - " if number < 0 else " + ")
            text += sign + " * ".join(parts)
        return text or "0"

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """All atoms, each once, in the order in which they first stand."""
        return tuple(dict.fromkeys(atom for _, factors in self.terms for atom in factors))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, sorted; "" stands for the classes."""
        return tuple(sorted({atom.layer for atom in self.atoms}))


def channel(layer: str, map: int) -> Objective:  # noqa: A002 — the field's own word
    """The mean activation of one map of a layer; of map −1, of the whole layer."""
    return _single(Atom(_name(layer), _whole(map, "map", -1)))


def layer(layer: str) -> Objective:
    """The mean activation of all maps of a layer."""
    return _single(Atom(_name(layer), -1))


def neuron(layer: str, map: int, row: int, column: int) -> Objective:  # noqa: A002
    """The activation of one neuron of a map."""
    spot = (_whole(row, "row"), _whole(column, "column"))
    return _single(Atom(_name(layer), _whole(map, "map"), spot))


def class_(number: int) -> Objective:
    """The score of a class before the softmax, by its code: it grows where a probability is full."""
    return _single(Atom("", _whole(number, "class")))


def require_atoms(objective: Objective) -> Objective:
    """The objective itself; raises InputError where it is a mere number, which nothing can raise."""
    if not objective.atoms:
        raise InputError(
            f'{objective} measures nothing of the network: name a map, as in channel("Conv2D_3", 56)'
        )
    return objective


def _single(atom: Atom) -> Objective:
    return Objective(((1.0, (atom,)),))


def _objective(value: Objective | float) -> Objective:
    if isinstance(value, Objective):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"objectives add and multiply with numbers, not with {value!r}")
    return Objective(((float(value), ()),))


def _gathered(terms: tuple[Term, ...]) -> Objective:
    """Terms with the same factors added up, those of weight 0 left out; sizes held in bounds."""
    weights: dict[tuple[Atom, ...], float] = {}
    for number, factors in terms:
        key = tuple(sorted(factors, key=_order))
        if len(key) > MOST_FACTORS:
            raise InputError(
                f"a product of {len(key)} activations: at most {MOST_FACTORS} are taken"
            )
        weights[key] = weights.get(key, 0.0) + number
    kept = tuple((number, key) for key, number in weights.items() if number)
    if len(kept) > MOST_TERMS:
        raise InputError(f"a sum of {len(kept)} products: at most {MOST_TERMS} are taken")
    for number, _ in kept:
        # The text holds twelve digits; so does the objective, or the two would differ.
        if not math.isfinite(number) or abs(number) > LARGEST:
            raise InputError(
                f"the number {number:g}: expected one from -{LARGEST:g} to {LARGEST:g}"
            )
    return Objective(tuple((float(f"{number:.12g}"), key) for number, key in kept))


def _order(atom: Atom) -> tuple[str, int, tuple[int, int]]:
    return atom.layer, atom.map, atom.spot or (-1, -1)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(f'{value!r} is no name of a layer: write it in quotes, as in "Conv2D_3"')
    return value


def _whole(value: object, what: str, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise InputError(f"{what} = {value!r}: expected a whole number from {least}")
    return value


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
