"""Whole runs of a small flow: early cutoff, selections, moved stores, presets, ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import (
    Cause,
    InputError,
    Outcome,
    Parameters,
    Selection,
    StageError,
    Store,
    flow,
    load,
    stage,
)
from engine.journal import list_runs, read_run
from engine.session import Session
from tests.engine import toy
from tests.engine.toy import SLOTS, count, digests, outcomes, run_toy
from tests.waiting import PATIENCE, wait_for

CACHED = dict.fromkeys(SLOTS, "cached")


def test_a_first_run_computes_and_a_second_one_does_not(store, tally):
    first = run_toy(store, tally=str(tally))
    assert outcomes(first) == dict.fromkeys(SLOTS, "ran")
    assert {r.cause for s in first.record.stages.values() for r in s.reasons} == {Cause.FIRST}
    second = run_toy(store, tally=str(tally))
    assert outcomes(second) == CACHED
    assert set(count(tally).values()) == {1}
    assert digests(first) == digests(second)
    assert second.results["table"] == first.results["table"]


def test_results_are_right(store):
    run = run_toy(store)
    with Session(store).active():
        table = load(run.results["table"])
        assert table["sum"].tolist() == [9.0, 18.0, 27.0]
        assert load(run.results["picture"]).alt == "The sums add up to 54."
        assert load(run.results["file"]).read_bytes().startswith(b"sum,n,text\n9.0,5,")
    assert set(run.record.results) == {
        "table",
        "picture",
        "file",
        *(f"parts[{i}]" for i in range(3)),
    }


def test_a_run_leaves_its_manifest(store):
    run = run_toy(store, n=4)
    (path,) = list_runs(store, "toy")
    manifest = read_run(path).to_json()
    assert manifest["status"] == "completed"
    assert manifest["parameters"]["n"] == 4
    assert manifest["outcomes"] == {"ran": 8}
    assert manifest["environment"]["python"] and "processor_flags" in manifest["environment"]
    assert {s["slot"]: s["key"] for s in manifest["stages"]} == {
        slot: s.key for slot, s in run.record.stages.items()
    }
    assert json.dumps(manifest)


# What runs again


def change_code(monkeypatch: pytest.MonkeyPatch, changed: Any) -> None:
    code = {**changed.code, "tests.engine.toy:_helper": "0" * 16}
    monkeypatch.setitem(changed.__dict__, "code", code)


def test_early_cutoff(store, tally, monkeypatch):
    """A stage whose code changed and whose output did not stops the wave."""
    run_toy(store, tally=str(tally))
    change_code(monkeypatch, toy.clip)
    run = run_toy(store, tally=str(tally))
    assert outcomes(run) == {**CACHED, "clip": "unchanged"}
    assert count(tally).total() == len(SLOTS) + 1
    (reason,) = run.record.stages["clip"].reasons
    assert reason.text == "now depends on tests.engine.toy:_helper"
    assert outcomes(run_toy(store, tally=str(tally))) == CACHED


def test_a_parameter_without_effect_is_cut_off_too(store):
    run_toy(store, top=50.0)
    run = run_toy(store, top=60.0)
    assert outcomes(run) == {**CACHED, "clip": "unchanged"}
    assert [r.text for r in run.record.stages["clip"].reasons] == ["params.top 50.0 → 60.0"]


def test_a_parameter_turned_back_is_instant(store, tally):
    first = run_toy(store, tally=str(tally), n=5)
    run_toy(store, tally=str(tally), n=6)
    before = count(tally)
    back = run_toy(store, tally=str(tally), n=5)
    assert outcomes(back) == CACHED
    assert count(tally) == before
    assert digests(back) == digests(first)


def test_only_what_depends_on_a_change_runs(store):
    run_toy(store)
    run = run_toy(store, top=2.0)
    assert outcomes(run) == {**dict.fromkeys(SLOTS, "ran"), "make": "cached"}
    assert [r.cause for r in run.record.stages["tabulate"].reasons] == [Cause.INPUT] * 3


def test_one_more_value_of_a_map_computes_one(store, tally):
    run_toy(store, tally=str(tally), ks=[1, 2, 3])
    run = run_toy(store, tally=str(tally), ks=[3, 1, 4, 2])
    assert [word for slot, word in outcomes(run).items() if slot.startswith("times")] == [
        "cached",
        "cached",
        "cached",
        "ran",
    ]
    assert count(tally)["times-4"] == 1
    with Session(store).active():
        sums = [float(load(part).sum()) for part in run.results["parts"]]
    assert sums == [27.0, 9.0, 36.0, 18.0]  # in the order of the values


def test_a_failing_cell_loses_none_that_finished(store, tally):
    with pytest.raises(StageError, match=r"times\[k=-1\] failed: ArithmeticError: k is -1"):
        run_toy(store, tally=str(tally), ks=[1, -1, 2])
    run = read_run(list_runs(store)[0])
    assert run.status == "failed" and "k is -1" in run.error
    assert run.stages["times[k=-1]"].outcome is Outcome.FAILED
    run_toy(store, tally=str(tally), ks=[1, 2])
    assert count(tally) == dict.fromkeys(
        ["make", "clip", "times-1", "times--1", "times-2", "tabulate", "draw", "export"], 1
    )


def test_a_moved_store_keeps_its_cache(store, tmp_path):
    first = run_toy(store)
    moved = Store(tmp_path / "elsewhere" / "k=5 ü")
    shutil.copytree(store.root, moved.root)
    shutil.rmtree(store.root)
    again = run_toy(moved)
    assert outcomes(again) == CACHED
    assert digests(again) == digests(first)
    assert not store.root.exists()
    assert outcomes(run_toy(moved, Selection(refresh=("tabulate",)))) == {
        **CACHED,
        "tabulate": "unchanged",
    }


def test_nothing_in_the_records_knows_the_path_time_or_run(store, tmp_path):
    """Two stores of different times and places hold the same objects and keys."""
    run = run_toy(store)
    other = Store(tmp_path / "other")
    again = run_toy(other)
    names = [
        sorted(
            p.relative_to(s.root).as_posix() for p in (*s.objects.rglob("*"), *s.records.glob("*"))
        )
        for s in (store, other)
    ]
    assert names[0] == names[1]
    for stage_run in run.record.stages.values():
        twin = again.record.stages[stage_run.slot]
        assert [a.to_json() for a in stage_run.artifacts] == [a.to_json() for a in twin.artifacts]
        text = json.dumps([a.to_json() for a in stage_run.artifacts])
        assert str(tmp_path) not in text and run.record.id not in text


# Selections


@pytest.mark.parametrize(
    ("selection", "again"),
    [
        (Selection(refresh=("clip",)), {"clip"}),
        (Selection(refresh=("times",)), {"times[k=1]", "times[k=2]", "times[k=3]"}),
        (Selection(refresh=("times[k=2]",)), {"times[k=2]"}),
        (Selection(since=("clip",)), set(SLOTS) - {"make"}),
        (Selection(since=("times[k=2]",)), {"times[k=2]", "tabulate", "draw", "export"}),
        (Selection(since=("draw",)), {"draw"}),
        (Selection(since=("make",)), set(SLOTS)),
        (Selection(since=("draw",), refresh=("make",)), {"draw", "make"}),
    ],
)
def test_refresh_and_from(store, tally, selection, again):
    run_toy(store, tally=str(tally))
    planned = toy.plan_toy(store, selection)
    assert planned.pop("make") == ("run" if "make" in again else "cached")
    run = run_toy(store, selection, tally=str(tally))
    assert outcomes(run) == {s: "unchanged" if s in again else "cached" for s in SLOTS}
    assert count(tally).total() == len(SLOTS) + len(again)


@pytest.mark.parametrize(
    ("until", "there"),
    [
        (("clip",), ["make", "clip"]),
        (("times[k=2]",), ["make", "clip", "times[k=2]"]),
        (("tabulate",), SLOTS[:6]),
        (("draw", "clip"), SLOTS[:7]),
        (("make",), ["make"]),
    ],
)
@pytest.mark.parametrize("warm", [False, True])
def test_until(store, tally, until, there, warm):
    if warm:
        run_toy(store)
    run = run_toy(store, Selection(until=until), tally=str(tally))
    assert outcomes(run) == dict.fromkeys(there, "cached" if warm else "ran")
    assert count(tally).total() == (0 if warm else len(there))
    assert run.record.status == "completed"


def test_until_goes_with_from(store, tally):
    run_toy(store)
    run = run_toy(store, Selection(since=("clip",), until=("times[k=1]",)), tally=str(tally))
    assert outcomes(run) == {"make": "cached", "clip": "unchanged", "times[k=1]": "unchanged"}


@stage
def same(*, k: int) -> dict[str, int]:
    return {"always": 1}


@stage
def gather(parts: list[Any]) -> int:
    return len(parts)


@flow(name="equal", parameters=Parameters, presets={})
def equal(p: Parameters) -> dict[str, Any]:
    return {"n": gather(same.map(over={"k": [1, 2, 3]}))}


def test_until_runs_all_makers_of_equal_bytes(store):
    """What two stages made alike is known by its digest alone; each of them is needed."""
    equal.run(equal.configure(), store=store)
    run = equal.run(equal.configure(), Selection(until=("gather",)), store)
    assert outcomes(run) == dict.fromkeys(
        ["same[k=1]", "same[k=2]", "same[k=3]", "gather"], "cached"
    )


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (
            Selection(refresh=("clips",)),
            r"--refresh clips: flow toy has no such stage; did you mean clip\?",
        ),
        (Selection(since=("nothing",)), "--from nothing: .*there is: make, clip"),
        (Selection(until=("times[k=9]",)), r"--until times\[k=9\]"),
    ],
)
def test_unknown_stages_are_refused_before_anything_runs(store, tally, selection, words):
    with pytest.raises(InputError, match=words):
        run_toy(store, selection, tally=str(tally))
    assert not tally.exists()
    assert not list_runs(store)


# Parameters


def test_presets_and_their_names():
    assert toy.toy.configure("quick").n == 3
    assert toy.toy.configure("standard", ["n=7"]).n == 7
    with pytest.raises(InputError, match="flow toy has no preset quik; did you mean quick"):
        toy.toy.configure("quik")
    with pytest.raises(InputError, match=r"n: .*greater than or equal to 1"):
        toy.toy.configure(overrides=["n=0"])


def test_a_check_comes_before_any_stage(store, tally):
    def refuse(p: Parameters) -> None:
        raise InputError("the table has no label")

    checked = flow(name="checked", parameters=toy.ToyParameters, presets={}, check=refuse)(
        toy.toy.fn
    )
    with pytest.raises(InputError, match="no label"):
        checked.run(checked.configure(overrides={"tally": str(tally)}), store=store)
    assert not tally.exists() and not list_runs(store)


def test_a_page_that_fails_leaves_the_run_completed(store, caplog):
    def page(record: Any, where: Store) -> Path:
        raise KeyError("journals")

    paged = flow(name="paged", parameters=toy.ToyParameters, presets={}, page=page)(toy.toy.fn)
    run = paged.run(paged.configure(), store=store)
    assert run.page is None and run.record.status == "completed"
    assert any("but not its page (KeyError: 'journals')" in r.getMessage() for r in caplog.records)


def test_a_page_is_made_after_every_whole_run(store):
    seen = []

    def page(record: Any, where: Store) -> Path:
        seen.append((record.status, len(record.stages)))
        return where.report / "toy.html"

    paged = flow(name="paged", parameters=toy.ToyParameters, presets={}, page=page)(toy.toy.fn)
    for selection in (Selection(), Selection(), Selection(until=("make",))):
        paged.run(paged.configure(), selection, store)
    assert seen == [("completed", 8)] * 2


def test_a_flow_called_like_a_function_runs_or_joins_the_run_around_it(store, monkeypatch):
    monkeypatch.setenv("LATENTFLOW_STORE", str(store.root))
    results = toy.toy()
    assert load(results["table"])["n"].tolist() == [5, 5, 5]

    @flow(name="study", parameters=Parameters, presets={})
    def study(p: Parameters) -> dict[str, Any]:
        return {"toy": toy.toy(toy.toy.configure())["table"]}

    assert outcomes(study.run(study.configure(), store=store)) == CACHED


# Ends


_SLOW = """
import sys
from pathlib import Path
from engine import Store
from tests.engine.toy import run_toy
run_toy(Store(Path(sys.argv[1])), nap=1.5, tally=sys.argv[2])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_cleanly_and_the_next_goes_on(store, tally, number):
    child = subprocess.Popen(
        [sys.executable, "-c", _SLOW, str(store.root), str(tally)], stderr=subprocess.DEVNULL
    )
    wait_for("a mapped stage", lambda: "times-1" in count(tally) or child.poll() is not None)
    assert child.poll() is None
    os.kill(child.pid, number)
    assert child.wait(PATIENCE) != 0
    assert read_run(list_runs(store)[0]).status == "interrupted"
    run = run_toy(store, tally=str(tally))
    assert outcomes(run)["clip"] == "cached"
    assert run.record.status == "completed"
    assert count(tally)["make"] == 1
