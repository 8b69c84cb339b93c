"""What differs between two runs is told, whatever one of them lacks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine import Store
from engine.compare import compare
from engine.journal import Journal, RunRecord, StageRun, read_run
from engine.outcome import Outcome
from engine.recipe import Recipe
from engine.record import Record


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def run_of(store: Store, code: Mapping[str, str]) -> RunRecord:
    recipe = Recipe("fit", code, {}, {}, {"python": "3"})
    made = store.put("fit", {"symbols": len(code)})
    store.write_record(Record(recipe, (made,), 1.0, "2026-01-01T00:00:00+00:00"))
    return noted(store, StageRun("fit", "fit", recipe.key, Outcome.RAN, artifacts=[made]))


def noted(store: Store, stage: StageRun) -> RunRecord:
    journal = Journal(store, "toy", {"parameters": {}})
    journal.write("stage", **stage.to_json())
    journal.end("completed", {})
    return read_run(journal.path)


def test_a_symbol_of_either_run_names_its_stages(store):
    longer = run_of(store, {"t.fit": "a" * 16, "t._helper": "b" * 16})
    shorter = run_of(store, {"t.fit": "c" * 16})
    for old, new in ((longer, shorter), (shorter, longer)):
        found = compare(store, old, new)
        assert {change.name for change in found.code} == {"t.fit", "t._helper"}
        assert found.stages == {"t.fit": ["fit"], "t._helper": ["fit"]}


def test_only_a_recipe_that_was_there_is_gone(store):
    failed = noted(store, StageRun("fit", "fit", f"fit-{'0' * 20}", Outcome.FAILED))
    assert compare(store, failed, failed).missing == []
    made = run_of(store, {"t.fit": "a" * 16})
    (store.records / f"{made.stages['fit'].key}.json").unlink()
    assert compare(store, failed, made).missing == ["fit"]
