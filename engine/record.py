"""Records: the small JSON files that map a recipe to its artifacts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.artifact import Artifact
from engine.recipe import Recipe, canonical_json

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
KEY = re.compile(NAME.pattern + r"-[0-9a-f]{20}")


def check_key(key: str) -> str:
    """The key, if it is one; raises ValueError for anything that could leave the folder."""
    if not KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no cache key: expected <stage>-<20 hex digits>")
    return key


@dataclass(frozen=True)
class Record:
    """What a stage made of a recipe.

    Arguments:
        recipe: what the outputs depend on.
        artifacts: the outputs, in the order of the stage's return type.
        seconds: wall time of the computation, with loading its inputs and storing its outputs.
        created: when, ISO 8601 in UTC.
        environment: where, for provenance only: number and abilities of the processor's cores.
    """

    recipe: Recipe
    artifacts: tuple[Artifact, ...]
    seconds: float
    created: str
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The recipe's key."""
        return self.recipe.key

    def dumps(self) -> bytes:
        """The record's file, with a checksum over its content."""
        body = {
            "key": self.key,
            "recipe": self.recipe.to_json(),
            "artifacts": [a.to_json() for a in self.artifacts],
            "seconds": round(self.seconds, 4),
            "created": self.created,
            "environment": dict(self.environment),
        }
        text = json.dumps({**body, "sha256": _checksum(body)}, indent=1, ensure_ascii=False)
        return text.encode()

    @classmethod
    def loads(cls, data: bytes) -> Record:
        """Parse a record's file; raises ValueError for garbage, truncation or a flipped bit."""
        try:
            body = json.loads(data)
            check = body.pop("sha256")
            if check != _checksum(body):
                raise ValueError("its checksum does not match")
            record = cls(
                recipe=Recipe.from_json(body["recipe"]),
                artifacts=tuple(Artifact.from_json(a) for a in body["artifacts"]),
                seconds=float(body["seconds"]),
                created=str(body["created"]),
                environment=dict(body["environment"]),
            )
        except (AttributeError, KeyError, TypeError, RecursionError, OverflowError) as error:
            raise ValueError(f"it is no record: {error!r}") from error
        return record


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(body).encode()).hexdigest()
