"""Recipes: what an output depends on, its key, and how two recipes differ."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from engine.errors import InputError
from engine.outcome import Cause, Reason

# Raised by hand when the meaning of a recipe or of a digest changes: every stage then runs once.
RECIPE_FORMAT = 1


def canonical(value: Any, where: str = "value") -> Any:
    """Plain JSON data with one form for equal values: the stable form of a parameter.

    Arguments:
        value: None, bool, int, finite float, str, list, tuple, dict with string keys, Enum,
            frozen dataclass, pydantic model, numpy scalar, nested at will.
        where: the parameter's name, for the error.

    Raises:
        InputError: for anything else, naming the parameter, the type and what would do.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, Enum):
        return canonical(value.value, where)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"{where} is {value}: a parameter must be a finite number")
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{where} has the key {key!r}: keys of a parameter are strings")
        return {key: canonical(value[key], f"{where}.{key}") for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [canonical(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, set | frozenset):
        items = [canonical(item, where) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, PurePath):
        raise InputError(
            f"{where} is the path {str(value)!r}: a path says nothing of the content; "
            "hand the file in with engine.source(path), which goes by its bytes"
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return canonical(fields, where)
    if hasattr(value, "model_dump"):
        return canonical(value.model_dump(mode="python"), where)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return canonical(value.item(), where)
    raise InputError(
        f"{where} is a {type(value).__name__}: a parameter is JSON-like data; "
        "arrays and tables are inputs and travel as artifacts, before the *"
    )


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{where} is {value!r}, which is no UTF-8 text: {error.reason}") from None
    return value


def canonical_json(data: Any) -> str:
    """One JSON text for equal data: sorted keys, no spaces, no NaN."""
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


@dataclass(frozen=True)
class Recipe:
    """What a stage's output depends on.

    Arguments:
        stage: the stage's name.
        code: symbol → hash of the normalised source, for every project symbol it reaches.
        params: parameter → canonical JSON data.
        inputs: place → digest of the input's logical content.
        env: distribution → version (None: not installed), and `python`.
    """

    stage: str
    code: Mapping[str, str]
    params: Mapping[str, Any]
    inputs: Mapping[str, str]
    env: Mapping[str, str | None]

    @property
    def key(self) -> str:
        """The cache key: `<stage>-<20 hex of the recipe's sha256>`."""
        text = canonical_json({**self.to_json(), "recipe": RECIPE_FORMAT})
        return f"{self.stage}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain JSON data."""
        return {
            "stage": self.stage,
            "code": dict(self.code),
            "params": dict(self.params),
            "inputs": dict(self.inputs),
            "env": dict(self.env),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_json` wrote; raises KeyError, TypeError or ValueError on garbage."""
        return cls(
            stage=str(data["stage"]),
            code=dict(data["code"]),
            params=dict(data["params"]),
            inputs=dict(data["inputs"]),
            env=dict(data["env"]),
        )


def _show(value: Any) -> str:
    if value is None or isinstance(value, str | int | float):
        text = "none" if value is None else str(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    # Compared as the key is made: 1, 1.0 and true differ, and so do none and not there.
    before, after = ({n: canonical_json(v) for n, v in side.items()} for side in (old, new))
    names = sorted({*old, *new})
    return [(n, old.get(n), new.get(n)) for n in names if before.get(n) != after.get(n)]


def explain(old: Recipe, new: Recipe) -> list[Reason]:
    """Why `new` is not `old`: one reason for each thing that differs, parameters first."""
    reasons = [
        Reason(Cause.PARAMETER, name, _show(before), _show(after))
        for name, before, after in _changes(old.params, new.params)
    ]
    for symbol, before, after in _changes(old.code, new.code):
        cause = (
            Cause.CODE_ADDED
            if before is None
            else Cause.CODE_REMOVED
            if after is None
            else Cause.CODE_CHANGED
        )
        reasons.append(Reason(cause, symbol))
    reasons += [
        Reason(Cause.PACKAGE, name, _show(before), _show(after))
        for name, before, after in _changes(old.env, new.env)
    ]
    reasons += [
        Reason(Cause.INPUT, name, (before or "none")[:8], (after or "none")[:8])
        for name, before, after in _changes(old.inputs, new.inputs)
    ]
    return reasons
