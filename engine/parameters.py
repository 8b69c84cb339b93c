"""Parameters of a flow: one pydantic model, presets, and overrides from the command line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import InputError

M = TypeVar("M", bound=BaseModel)


# Pydantic's words for what a person most often gets wrong, said plainly.
_PLAINLY = {
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "string_type": "expected text",
    "list_type": "expected a list, as [1, 2]",
    "too_short": "expected at least {min_length}",
}


class Parameters(BaseModel):
    """Base of a flow's parameter model and of its sections: unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def build(
    model: type[M],
    preset: Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    flow: str = "",
) -> M:
    """The model's defaults, changed by a preset, changed by overrides.

    Arguments:
        preset: nested values that differ from the defaults.
        overrides: `section.name=value` texts, the value as JSON or plain text; or nested values.

    Raises:
        InputError: unknown names (the nearest one is suggested) or values out of range, each
            with the parameter, the value found and what is allowed.
    """
    values = _merged({}, preset)
    if isinstance(overrides, Mapping):
        values = _merged(values, overrides)
    else:
        for text in overrides:
            path, value = _parse(text)
            _check_name(model, path, flow)
            _assign(values, path, value)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(_explain(error, model, flow)) from None


def names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every parameter's dotted name."""
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from names(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def changes(values: BaseModel, base: BaseModel) -> dict[str, Any]:
    """The nested values, JSON-like, in which one set of parameters differs from another of its model."""
    found: dict[str, Any] = {}
    plain = values.model_dump(mode="json")
    for name in type(values).model_fields:
        new, old = getattr(values, name), getattr(base, name)
        if isinstance(new, BaseModel) and type(new) is type(old):
            if inner := changes(new, old):
                found[name] = inner
        elif new != old:
            found[name] = plain[name]
    return found


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in change.items():
        if isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = _merged(merged[name], value)
        else:
            merged[name] = dict(value) if isinstance(value, Mapping) else value
    return merged


def _parse(text: str) -> tuple[list[str], Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--set {text!r}: expected section.parameter=value")
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    return name.strip().split("."), parsed


def _check_name(model: type[BaseModel], path: Sequence[str], flow: str) -> None:
    known = list(names(model))
    dotted = ".".join(path)
    if dotted not in known and not any(k.startswith(dotted + ".") for k in known):
        # A name one level too deep may be a key of a dict parameter: the model judges that.
        if any(dotted.startswith(k + ".") for k in known):
            return
        raise InputError(_unknown(dotted, known, flow))


def _assign(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        inner = values.get(name)
        values[name] = inner = dict(inner) if isinstance(inner, Mapping) else {}
        values = inner
    values[path[-1]] = value


def nearest(word: str, known: Sequence[str]) -> str:
    """`; did you mean X?` for a misspelt word, or the list of what there is."""
    close = difflib.get_close_matches(word, known, 1, 0.5)
    if not close and "." in word:
        last = word.rsplit(".", 1)[-1]
        close = [k for k in known if k.rsplit(".", 1)[-1] == last][:1]
    return f"; did you mean {close[0]}?" if close else f"; there is: {', '.join(known)}"


def _unknown(name: str, known: Sequence[str], flow: str) -> str:
    of = f" of flow {flow}" if flow else ""
    return f"there is no parameter {name}{of}{nearest(name, known)}"


def _explain(error: ValidationError, model: type[BaseModel], flow: str) -> str:
    lines = []
    known = list(names(model))
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"]) or "parameters"
        if fault["type"] == "extra_forbidden":
            lines.append(_unknown(place, known, flow))
            continue
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] in _PLAINLY:
            message = _PLAINLY[fault["type"]].format(**fault.get("ctx", {}))
        found = fault.get("input")
        shown = "" if isinstance(found, Mapping | BaseModel) else f" (found {found!r})"
        lines.append(f"{place}: {message[0].lower() + message[1:]}{shown}")
    return "\n".join(lines)
