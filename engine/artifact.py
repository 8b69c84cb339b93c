"""Handles: what travels between stages instead of arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.,= -]*")
_HEX64 = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")


@dataclass(frozen=True)
class Artifact:
    """A light handle to one output of a stage; holds no path, no time and no run.

    Arguments:
        name: `stage` or `stage.output`, e.g. `fit_pca.loadings`.
        digest: sha256 (64 hex) of the logical content; equal content has an equal digest
            whatever library version wrote the file.
        sha256: sha256 (64 hex) of the object's file: its address in the store and the proof
            that it is undamaged.
        format: `npz`, `parquet`, `json`, `png`, `svg`, `gif` or `file`.
        suffix: ending of the object's file, e.g. `.npz`.
        size: bytes of the object's file.
        spec: what is inside without opening it: dtypes, shapes, columns, alt text.
    """

    name: str
    digest: str
    sha256: str
    format: str
    suffix: str
    size: int
    spec: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        # Handles are read from files: nothing in them may lead out of the store.
        if not (_HEX64.fullmatch(self.digest) and _HEX64.fullmatch(self.sha256)):
            raise ValueError(f"artifact {self.name!r}: digests are 64 hex digits")
        if not SUFFIX.fullmatch(self.suffix):
            raise ValueError(f"artifact {self.name!r}: {self.suffix!r} is no file suffix")

    @property
    def address(self) -> str:
        """Path of the object below the store's `objects/`."""
        return f"{self.sha256[:2]}/{self.sha256[2:]}{self.suffix}"

    def to_json(self) -> dict[str, Any]:
        """The handle as plain JSON data."""
        return {
            "name": self.name,
            "digest": self.digest,
            "sha256": self.sha256,
            "format": self.format,
            "suffix": self.suffix,
            "size": self.size,
            "spec": dict(self.spec),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        """The handle that `to_json` wrote; raises KeyError, TypeError or ValueError on garbage."""
        return cls(
            name=str(data["name"]),
            digest=data["digest"],
            sha256=data["sha256"],
            format=str(data["format"]),
            suffix=data["suffix"],
            size=int(data["size"]),
            spec=dict(data["spec"]),
        )


@dataclass(frozen=True)
class Pending:
    """Stands for an artifact that a plan cannot know yet, or that a partial run left out."""

    name: str
    slot: str


Handle = Artifact | Pending


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Handle]]:
    """Yield (place, handle) for every handle in nested lists, tuples and dicts.

    No two places look alike: a dict's key that is no plain word stands in quotes.
    """
    for place, item in leaves(value, path):
        if isinstance(item, Artifact | Pending):
            yield place, item


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (place, item) for all that is no container, and for empty containers."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value, key=str):
            shown = key if _PLAIN_KEY.fullmatch(str(key)) else json.dumps(str(key))
            yield from leaves(value[key], f"{path}[{shown}]")
    elif isinstance(value, list | tuple) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def in_order(value: Any) -> Any:
    """The same nesting with every dict in the order of its keys, as its digest or key sees it."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: in_order(value[key]) for key in sorted(value)}
    if type(value) in (list, tuple):
        return type(value)(in_order(item) for item in value)
    return value


def replace_handles(value: Any, by: Callable[[Artifact], Any]) -> Any:
    """The same nesting with every artifact replaced by `by(artifact)`; NamedTuples keep their type."""
    if isinstance(value, Artifact):
        return by(value)
    if isinstance(value, Mapping):
        return {key: replace_handles(item, by) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replace_handles(item, by) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(replace_handles(item, by) for item in value)
    return value
