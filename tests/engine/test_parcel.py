"""What a stage takes arrives in another process as what it is here."""

from __future__ import annotations

import enum
import json
from typing import Any, NamedTuple

import pytest

from engine import InputError, Store
from engine.parcel import pack, unpack
from engine.recipe import canonical
from tests.engine.apart import Section, Step, Way


class Range(enum.Enum):
    NARROW = (1, 2)
    WIDE = (1, 9)


class Effect(enum.Flag):
    BLUR = enum.auto()
    TURN = enum.auto()


class Pair(NamedTuple):
    encoder: Any
    decoder: Any


def test_it_arrives_as_it_is_here(store: Store):
    handle = store.put("x", [1])
    sent: dict[Any, Any] = {
        "enums": [Way.UP, Range.WIDE, Effect.BLUR | Effect.TURN],
        "fields": Section(step=Step(Way.DOWN, (3, 4)), names={"a": [1]}),
        "artifacts": Pair(handle, {"kind": [handle, None]}),
        "sets": ({1, 2}, frozenset({(1, "a")}), set()),
        7: {"artifact": {"name": "no artifact"}},
    }
    got = unpack(json.loads(json.dumps(pack(sent, "x"))))
    assert got == sent and repr(got) == repr(sent)
    parameters = {name: sent[name] for name in ("enums", "fields", "sets")}
    assert canonical({n: got[n] for n in parameters}) == canonical(parameters)


@pytest.mark.parametrize("value", [b"bytes", Step, {"a": [1, object()]}])
def test_what_cannot_travel_is_refused_before_anything_starts(value: Any):
    with pytest.raises(InputError, match=r"^fit\.step"):
        pack({"step": value}, "fit")
