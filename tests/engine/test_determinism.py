"""The same recipe gives the same bytes; the helper that tests it finds what does not."""

from __future__ import annotations

import uuid
from typing import Any

from engine import Parameters, flow, stage
from tests.engine.twice import differing_stages


@stage
def keep_order() -> list[str]:
    return sorted({"a", "b", "c", "d", "e", "f"})


@stage
def lose_order() -> list[str]:
    return list({"a", "b", "c", "d", "e", "f"})


@stage
def count(names: Any) -> int:
    return len(names)


@stage
def invent() -> str:
    return uuid.uuid4().hex


@flow(name="careless", parameters=Parameters, presets={})
def careless(p: Parameters) -> dict[str, Any]:
    return {"kept": keep_order(), "count": count(lose_order()), "id": invent()}


def test_every_stage_of_a_flow_gives_the_same_bytes_twice(tmp_path):
    assert differing_stages("tests.engine.toy:toy", tmp_path, "quick", ["top=2.0"]) == []


def test_a_stage_that_does_not_is_found(tmp_path):
    found = differing_stages("tests.engine.test_determinism:careless", tmp_path)
    assert found == ["invent", "lose_order"]


def test_only_a_part_may_be_asked_for(tmp_path):
    flow_ = "tests.engine.test_determinism:careless"
    assert differing_stages(flow_, tmp_path, until=["keep_order"]) == []
