"""Groups of flows: one that fails stops no other, and a rerun does only what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from cli.progress import Progress
from engine import InputError, Parameters, Selection, flow, load, stage
from engine.group import Group, PartsFailed
from engine.journal import list_runs, read_run
from engine.session import Session
from tests.engine import toy
from tests.engine.toy import ToyParameters, count


class Both(Parameters):
    left: ToyParameters = Field(default_factory=lambda: toy.toy.configure())
    right: ToyParameters = Field(default_factory=lambda: toy.toy.configure())
    only: list[str] = Field(default=["left", "right"])


@stage
def add_tables(tables: dict[str, Any], *, digits: int = 1) -> dict[str, Any]:
    return {name: round(float(table["sum"].sum()), digits) for name, table in tables.items()}


def closing(p: Both, results: Any) -> dict[str, Any]:
    """Both tables."""
    return {"sums": add_tables({name: found["table"] for name, found in results.items()})}


left = flow(name="left", parameters=ToyParameters, presets={})(toy.toy.fn)
right = flow(name="right", parameters=ToyParameters, presets={})(toy.toy.fn)
both = Group(
    closing,
    "both",
    Both,
    {"small": {"left": {"n": 2}, "right": {"n": 2}}},
    {"left": left, "right": right},
    chosen=lambda p: p.only,
)


def configured(tally: Path, **values: Any) -> Both:
    own: dict[str, Any] = {"left": {}, "right": {"ks": [2, 5]}}
    given = {part: {"tally": str(tally), **own[part], **values.pop(part, {})} for part in own}
    return both.configure(overrides={**given, **values})


def sums(store, run) -> dict[str, float]:
    with Session(store).active():
        found: dict[str, float] = load(run.results["sums"])
    return found


def test_parts_run_as_themselves_and_share_what_they_have_in_common(store, tally):
    run = both.run(configured(tally), store=store)
    assert sums(store, run) == {"left": 54.0, "right": 63.0}
    done = count(tally)
    assert (done["make"], done["clip"], done["times-2"], done["tabulate"]) == (1, 1, 1, 2)
    assert [len(list_runs(store, name)) for name in ("left", "right", "both")] == [1, 1, 1]
    again = both.run(configured(tally), store=store)
    assert count(tally) == done
    assert again.record.counts == {"cached": 1}
    assert both.plan(configured(tally), store=store).fresh


def test_a_failing_part_leaves_the_others_running_and_a_rerun_does_what_is_missing(store, tally):
    with pytest.raises(PartsFailed, match=r"1 of 2 flows failed.*\n  left: .*k is -1") as failed:
        both.run(configured(tally, left={"ks": [-1, 1]}), store=store)
    assert sums(store, failed.value.run) == {"right": 63.0}
    assert list(failed.value.causes) == ["left"]
    assert read_run(list_runs(store, "left")[0]).status == "failed"
    before = count(tally)
    mended = both.run(configured(tally, left={"ks": [4, 1]}), store=store)
    assert sums(store, mended) == {"left": 45.0, "right": 63.0}
    new = count(tally) - before
    assert new == {"times-4": 1, "tabulate": 1, "draw": 1, "export": 1}


def test_the_plan_names_the_part_of_each_stage(store, tally):
    plan = both.plan(configured(tally), store=store)
    slots = {call.slot: call.outcome.word for call in plan.calls}
    assert slots["left/make"] == "run" and slots["right/times[k=5]"] == "run"
    assert slots["add_tables"] == "run"
    assert set(plan.results) == {
        f"{part}/{name}"
        for part in ("left", "right")
        for name in ("table", "picture", "file", "parts")
    } | {"both/sums"}


def test_a_selection_goes_to_the_parts_that_know_its_stages(store, tally):
    both.run(configured(tally), store=store)
    before = count(tally)
    both.run(configured(tally), Selection(refresh=("times[k=5]",)), store)
    assert count(tally) - before == {"times-5": 1}
    both.run(configured(tally, left={"n": 4}), Selection(until=("times[k=3]",)), store)
    assert len(list_runs(store, "both")) == 2 and len(list_runs(store, "right")) == 2
    with pytest.raises(
        InputError, match=r"--until tabulat: no flow of both has such a stage.*tabulate"
    ):
        both.run(configured(tally), Selection(until=("tabulat",)), store)


def test_only_the_chosen_parts_run(store, tally):
    run = both.run(configured(tally, only=["right"]), store=store)
    assert sums(store, run) == {"right": 63.0}
    assert list_runs(store, "left") == []


def test_presets_reach_the_parts():
    assert both.configure("small").right.n == 2
    with pytest.raises(InputError, match="has no preset smal"):
        both.configure("smal")


def test_progress_is_that_of_all_parts(store, tally):
    parameters = configured(tally)
    progress = Progress(both.plan(parameters, store=store), "both")
    both.run(parameters, store=store, observe=progress.observe)
    assert progress.finished == progress.total == 8 + 7 + 1
    assert [line.name for line in progress.lines][:3] == ["left/make", "left/clip", "left/times"]


def test_a_closing_stage_that_fails_hides_no_failed_part(store):
    def close(p: Both, results: Any) -> dict[str, Any]:
        return {"sums": add_tables({name: results[name]["table"] for name in both.parts})}

    group = Group(close, "both", Both, {}, both.parts)
    with pytest.raises(PartsFailed) as failed:
        group.run(group.configure(overrides={"left": {"ks": [1, -1]}}), store=store)
    assert failed.value.causes.keys() == {"left", "closing"}
    assert "2 of 3 flows failed" in str(failed.value) and "k is -1" in failed.value.causes["left"]
    assert failed.value.run.record.flow == "right"
