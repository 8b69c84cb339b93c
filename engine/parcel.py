"""The arguments of a call as JSON data, for another process or machine: nothing is pickled."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Mapping
from enum import Enum, Flag
from typing import Any

from engine.artifact import Artifact
from engine.recipe import canonical

_PLAIN = {kind.__name__: kind for kind in (tuple, list, set, frozenset)}


def pack(value: Any, where: str) -> Any:
    """The value as JSON data that `unpack` makes an equal one of.

    Enums, NamedTuples, dataclasses, models, tuples and sets arrive as what they are; a mapping of
    another kind as a dict, a number of numpy's as a plain one.

    Arguments:
        where: the argument's name, for the error.

    Raises:
        InputError: it holds what is neither an artifact nor a parameter.
    """
    if isinstance(value, Artifact):
        return {"artifact": value.to_json()}
    kind = {"kind": [type(value).__module__, type(value).__qualname__]}
    if isinstance(value, Flag):
        return {**kind, "value": value.value}  # a combination of flags has no name
    if isinstance(value, Enum):
        return {**kind, "name": value.name}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {**kind, "items": [pack(item, where) for item in value]}
    names = _fields(value)
    if names is not None:
        fields = {n: pack(getattr(value, n), f"{where}.{n}") for n in names}
        return {**kind, "fields": fields}
    for name, plain in _PLAIN.items():
        if isinstance(value, plain):
            return {name: [pack(item, where) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[pack(k, where), pack(v, f"{where}.{k}")] for k, v in value.items()]}
    return canonical(value, where)


def unpack(data: Any) -> Any:
    """The value that `pack` made JSON data of; raises where its classes cannot be imported here."""
    if not isinstance(data, dict):
        return data
    if "artifact" in data:
        return Artifact.from_json(data["artifact"])
    if "dict" in data:
        return {unpack(key): unpack(item) for key, item in data["dict"]}
    for name, plain in _PLAIN.items():
        if name in data:
            return plain(unpack(item) for item in data[name])
    module, name = data["kind"]
    kind: Any = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    if "value" in data:
        return kind(data["value"])
    if "name" in data:
        return kind[data["name"]]
    if "items" in data:
        return kind(*map(unpack, data["items"]))
    return kind(**{key: unpack(item) for key, item in data["fields"].items()})


def _fields(value: Any) -> list[str] | None:
    """What a dataclass or a pydantic model is made from; None for anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value) if field.init]
    return list(type(value).model_fields) if hasattr(value, "model_dump") else None
