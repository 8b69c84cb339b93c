from __future__ import annotations

import pytest

from engine import Cause, Outcome, Selection
from tests.engine import toy
from tests.engine.toy import (
    SLOTS,
    artifact_of,
    count,
    flip_bit,
    outcomes,
    overwrite,
    plan_toy,
    run_toy,
)


def reasons(store, slot, selection=None, **values):
    plan = toy.toy.plan(toy.toy.configure(overrides=values), selection, store)
    return [r.text for c in plan.calls if c.slot == slot for r in c.reasons]


def test_a_plan_computes_and_writes_nothing(store, tally):
    assert plan_toy(store, tally=str(tally)) == dict.fromkeys(SLOTS, "run")
    assert not tally.exists()
    assert not store.records.exists() and not store.objects.exists() and not store.runs.exists()


def test_first_and_fresh(store):
    assert reasons(store, "draw") == ["never ran before"]
    run_toy(store)
    plan = toy.toy.plan(toy.toy.configure(), store=store)
    assert plan.fresh and plan.stale == [] and plan.expected_seconds == 0
    assert {c.outcome for c in plan.calls} == {Outcome.CACHED}
    assert {"table", "picture", "file"} <= set(plan.results)
    assert plan.to_json()["fresh"] is True


def test_what_comes_after_a_change_is_unknown(store):
    run_toy(store, nap=0.02)
    assert plan_toy(store, top=2.0) == {
        **dict.fromkeys(SLOTS, "unknown"),
        "make": "cached",
        "clip": "run",
    }
    assert reasons(store, "clip", top=2.0) == ["params.top 3.0 → 2.0"]
    assert reasons(store, "times[k=1]", top=2.0) == ["waits for clip"]
    assert reasons(store, "tabulate", top=2.0) == [f"waits for times[k={k}]" for k in (1, 2, 3)]
    plan = toy.toy.plan(toy.toy.configure(overrides={"top": 2.0}), store=store)
    assert plan.expected_seconds > 6 * 0.02
    assert plan.without_estimate == 0


def test_what_changed_itself_runs_for_sure_whatever_comes_before(store, monkeypatch):
    run_toy(store)
    monkeypatch.setitem(toy.draw.__dict__, "code", {**toy.draw.code, "x:helper": "0"})
    assert plan_toy(store, top=2.0)["draw"] == "run"
    assert reasons(store, "draw", top=2.0) == ["now depends on x:helper"]


def test_a_new_cell_runs_and_is_without_estimate(store):
    run_toy(store)
    plan = toy.toy.plan(toy.toy.configure(overrides={"ks": [1, 2, 3, 4]}), store=store)
    assert [c.slot for c in plan.stale] == ["times[k=4]", "tabulate", "draw", "export"]
    assert plan.without_estimate == 1


def test_reasons_for_damage(store):
    run = run_toy(store)
    store.path_of(artifact_of(run, "clip")).unlink()
    path = store.path_of(artifact_of(run, "draw"))
    overwrite(path, path.read_bytes()[:-1])
    overwrite(store.record_path(run.record.stages["export"].key), b"{")
    store.record_path(run.record.stages["times[k=1]"].key).unlink()
    assert reasons(store, "clip") == ["object clip: missing"]
    # Without its record nobody knows whether a stage's code is the same.
    ran = dict.fromkeys(["clip", "times[k=1]", "export"], "run")
    assert plan_toy(store) == {**dict.fromkeys(SLOTS, "unknown"), "make": "cached", **ran}
    gone = ["the recipe is unchanged but its record is gone"]
    assert reasons(store, "times[k=1]") == reasons(store, "export") == gone
    run = run_toy(store)
    store.path_of(artifact_of(run, "draw")).unlink()
    overwrite(store.record_path(run.record.stages["export"].key), b"{")
    assert reasons(store, "draw") == ["object draw: missing"]
    (text,) = reasons(store, "export")
    assert text.startswith("record damaged (")


def test_a_record_that_is_gone_is_a_reason(store):
    run = run_toy(store)
    store.record_path(run.record.stages["export"].key).unlink()
    assert reasons(store, "export") == ["the recipe is unchanged but its record is gone"]


def test_a_deep_plan_reads_the_content(store):
    run = run_toy(store)
    path = store.path_of(artifact_of(run, "export"))
    flip_bit(path, 0)
    before = path.read_bytes()
    assert plan_toy(store)["export"] == "cached"
    assert plan_toy(store, Selection(deep=True))["export"] == "run"
    assert reasons(store, "export", Selection(deep=True)) == ["object export: content altered"]
    assert path.read_bytes() == before  # a plan changes nothing


def test_a_fresh_plan_is_the_run_unless_something_went_meanwhile(store, tally):
    run = run_toy(store, tally=str(tally))
    parameters = toy.toy.configure(overrides={"tally": str(tally)})
    plan = toy.toy.plan(parameters, store=store)
    again = toy.toy.run(parameters, store=store, plan=plan)
    assert outcomes(again) == dict.fromkeys(SLOTS, "cached")
    assert again.results == run.results
    store.path_of(artifact_of(run, "clip")).unlink()  # as the garbage collector might
    later = toy.toy.run(parameters, store=store, plan=plan)
    assert outcomes(later) == {**dict.fromkeys(SLOTS, "cached"), "clip": "unchanged"}
    assert later.results == run.results
    assert count(tally).total() == len(SLOTS) + 1


@pytest.mark.parametrize("warm", [False, True])
def test_until_leaves_out_what_is_not_needed(store, warm):
    if warm:
        run_toy(store)
    found = plan_toy(store, Selection(until=("clip",)))
    there = "cached" if warm else "run"
    assert found == {**dict.fromkeys(SLOTS, "skipped"), "make": there, "clip": there}


def test_from_marks_all_that_follows(store):
    run_toy(store)
    selection = Selection(since=("times[k=2]",))
    found = plan_toy(store, selection)
    assert found["times[k=2]"] == found["tabulate"] == found["draw"] == "run"
    assert found["times[k=1]"] == found["clip"] == "cached"
    plan = toy.toy.plan(toy.toy.configure(), selection, store)
    assert {r.cause for c in plan.stale for r in c.reasons} == {Cause.REFRESH}


def test_json_tells_all(store):
    plan = toy.toy.plan(toy.toy.configure(), store=store).to_json()
    assert [s["slot"] for s in plan["stages"]] == SLOTS
    assert plan["stages"][0]["outcome"] == "run"
    assert plan["stages"][0]["reasons"][0]["cause"] == "first"
    assert plan["stages"][0]["key"].startswith("make-") and plan["stages"][1]["key"] == ""
