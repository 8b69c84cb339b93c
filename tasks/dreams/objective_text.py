"""Objectives as text, as they stand in a parameter: read by a syntax tree, never evaluated."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from engine import InputError
from tasks.dreams.objectives import Objective, channel, class_, layer, neuron, require_atoms

LONGEST = 600  # characters that a person may write

_ATOMS: dict[str, tuple[Callable[..., Objective], str]] = {
    "channel": (channel, 'channel("Conv2D_3", 56)'),
    "layer": (layer, 'layer("Conv2D_3")'),
    "neuron": (neuron, 'neuron("Conv2D_3", 56, 1, 1)'),
    "class_": (class_, "class_(9)"),
}
_KNOWN = ", ".join(example for _, example in _ATOMS.values())


def read_objective(text: str, *, longest: int | None = LONGEST) -> Objective:
    """The objective of a text such as `channel("Conv2D_3", 56) + 0.5 * class_(9)`.

    Known are channel, layer, neuron, class_, whole and decimal numbers, + - * and parentheses;
    everything else is refused by name. `read_objective(str(objective))` gives the objective back.

    Arguments:
        longest: characters; None for the text of an objective, which is bounded by its terms.

    Raises InputError, which quotes the place.
    """
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"an objective is missing: write one like {_KNOWN}")
    if longest is not None and len(text) > longest:
        raise InputError(f"an objective of {len(text):,} characters: at most {longest} are read")
    try:
        with warnings.catch_warnings():
            # Of a backslash in a name Python warns; the layer will not be found anyway.
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.strip(), mode="eval").body
        return require_atoms(_read(tree, text.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, InputError):
            raise InputError(f"objective {_shortened(text)}: {error}") from None
        hint = "; a class is class_(9), with an underscore" if "class" in text else ""
        raise InputError(
            f"objective {_shortened(text)}: not well formed{hint}; write sums and products of {_KNOWN}"
        ) from None


def _read(node: ast.expr, text: str) -> Objective:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return _read(left, text) + _read(right, text)
        case ast.BinOp(left, ast.Sub(), right):
            return _read(left, text) - _read(right, text)
        case ast.BinOp(left, ast.Mult(), right):
            return _read(left, text) * _read(right, text)
        case ast.UnaryOp(ast.USub(), operand):
            return -_read(operand, text)
        case ast.UnaryOp(ast.UAdd(), operand):
            return _read(operand, text)
        case ast.Constant(value):
            if isinstance(value, bool) or not isinstance(value, int | float):
                _refuse(node, text, "a number or an activation was expected")
            return Objective(()) + _number(value)
        case ast.Call(ast.Name(name), arguments, keywords) if name in _ATOMS:
            make, example = _ATOMS[name]
            if keywords:
                _refuse(node, text, f"values are given by place: {example}")
            values = [_value(argument, text) for argument in arguments]
            if len(values) != example.count(",") + 1:
                _refuse(node, text, f"{len(values)} values; write it like {example}")
            return make(*values)
        case ast.BinOp(_, ast.Div(), _):
            _refuse(node, text, "there is no division; multiply by a decimal number")
        case ast.BinOp(_, ast.Pow(), _):
            _refuse(node, text, "there is no power; multiply it by itself")
    return _refuse(node, text, f"not known here; there are numbers, + - * and {_KNOWN}")


def _value(node: ast.expr, text: str) -> Any:
    """A quoted name or a whole number; -1 is a negated 1 in the syntax tree."""
    match node:
        case ast.Constant(str() | int() as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as value)) if not isinstance(value, bool):
            return -value
    return _refuse(node, text, "a name in quotes or a whole number was expected")


def _number(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise InputError("a number beyond all bounds") from None


def _refuse(node: ast.expr, text: str, why: str) -> NoReturn:
    place = ast.get_source_segment(text, node) or ""
    raise InputError(why if place in ("", text) else f"{_shortened(place)}: {why}")


def _shortened(text: str, most: int = 60) -> str:
    return f"`{text if len(text) <= most else text[: most - 1] + '…'}`"
