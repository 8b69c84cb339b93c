"""Runs on a store in a bucket: journals, pins, and what the collector and the cache leave them."""

from __future__ import annotations

import os

import numpy as np

from engine import journal
from engine.collect import collect
from engine.journal import Journal, list_runs, read_run
from engine.locks import is_held
from engine.pins import list_pins, pin, unpin
from engine.storage import bucket, eviction, journals
from engine.storage.cached import CachedStorage
from engine.verify import verify
from tests.engine.machines import Machine, in_bucket, overwrite, there
from tests.engine.s3_server import Proxy
from tests.engine.toy import artifact_of, plan_toy, run_toy
from tests.waiting import wait_for

ARRAY = np.arange(100_000.0)


def test_runs_of_other_machines_are_seen(machine: Machine):
    a, b = machine("a"), machine("b")
    mine = run_toy(a).record.id
    other = run_toy(b, n=7).record.id
    for store in (a, b):
        assert [p.stem for p in list_runs(store)] == [other, mine]
        assert [p.stem for p in list_runs(store, "toy", newest=1)] == [other]
        assert {read_run(p).status for p in list_runs(store)} == {"completed"}
        assert list_runs(store, "other") == []


def test_a_run_elsewhere_is_running_until_it_has_been_silent_for_long(
    machine: Machine, monkeypatch
):
    monkeypatch.setattr(journals, "_FIRST_SECONDS", 0.0)
    a, b = machine("a"), machine("b")
    journal = Journal(a, "toy", {})
    (path,) = wait_for("the journal", lambda: list_runs(b))
    assert read_run(path).status == "running" and not is_held(path)
    os.utime(path, (1, 1))
    assert read_run(path).status == "crashed"
    journal.end("completed", {"x": artifact_of(run_toy(a, n=3), "draw")})
    assert read_run(list_runs(b)[-1]).status == "completed"


def test_a_run_whose_line_stumbles_is_not_taken_for_dead():
    longest = journals._SELDOM_SECONDS + bucket.PATIENCE_SECONDS
    assert longest < journal._SILENT_SECONDS


def test_a_journal_that_could_not_be_shown_is_shown_later(machine: Machine, proxy: Proxy, caplog):
    a, b = machine("a"), machine("b")
    proxy.fail("denied", "PUT .*runs", 10**6)
    mine = run_toy(a).record.id
    assert "other machines do not see this run yet" in caplog.text
    assert list_runs(b) == [] and [p.stem for p in list_runs(a)] == [mine]
    proxy.faults.clear()
    list_runs(a)
    assert [p.stem for p in list_runs(b)] == [mine]


def test_pins_of_two_machines_at_once_both_stay(machine: Machine, proxy: Proxy):
    a, b = machine("a"), machine("b")
    first, second = run_toy(a).record.id, run_toy(b).record.id
    pin(a, first)
    assert list_pins(b) == [first]
    storage = there(a)
    change, others = storage.bucket.replace, [second]

    def late(name: str, data: bytes, tag: str) -> str | None:
        if others:
            pin(b, others.pop())
        return change(name, data, tag)

    storage.bucket.replace = late  # type: ignore[method-assign]
    unpin(a, first)
    assert list_pins(a) == list_pins(b) == [second]


def test_the_collector_keeps_the_young_and_what_kept_runs_use(machine: Machine, monkeypatch):
    a, b = machine("a"), machine("b")
    old, new = run_toy(a, n=11).record, run_toy(b, n=12).record
    told = collect(a, keep=1, dry_run=True)
    assert told.removed == [] and "written within the hour" in {i.reason for i in told.kept}
    monkeypatch.setattr(CachedStorage, "grace", 0.0)
    before = in_bucket(a)
    told = collect(b, keep=1, dry_run=True)
    assert in_bucket(a) == before
    done = collect(b, keep=1)
    assert told.removed == done.removed
    assert before - in_bucket(a) == {i.name for i in done.removed if not i.name.startswith("tmp/")}
    assert set(plan_toy(a, n=12).values()) == {"cached"} and plan_toy(a, n=11)["make"] == "run"
    assert [p.stem for p in list_runs(a)] == [new.id] != [old.id]
    assert verify(a).sound


def test_what_a_run_elsewhere_uses_stays(machine: Machine, monkeypatch):
    monkeypatch.setattr(CachedStorage, "grace", 0.0)
    monkeypatch.setattr(journals, "_FIRST_SECONDS", 0.0)
    a, b = machine("a"), machine("b")
    stage = run_toy(a, n=11).record.stages["clip"]
    run_toy(a, n=12)
    journal = Journal(a, "other", {})
    journal.write("begin", slot="clip", key=stage.key)
    wait_for("the journal", lambda: f"runs/other/{journal.path.name}" in in_bucket(b))
    found = collect(b, keep=1)
    assert f"run {journal.id} is running" in {i.reason for i in found.kept}
    assert b.read_record(stage.key) is not None
    assert machine("c").fault(stage.artifacts[0]) is None
    journal.end("completed", {})


def test_names_in_the_bucket_cannot_leave_the_folder(machine: Machine, tmp_path, monkeypatch):
    monkeypatch.setattr(CachedStorage, "grace", 0.0)
    a = machine("a")
    run_toy(a)
    outside = [a.root.parent / "precious", a.root / "precious", a.root.parent / "precious.jsonl"]
    for path in outside:
        path.write_text("keep me")
    for name in ("runs/../precious.jsonl", "runs/../../precious.jsonl", "records/../precious"):
        overwrite(a, name, b"harm")
    overwrite(a, "objects/../../precious", b"harm")
    overwrite(a, "runs/toy/../../../precious.jsonl", b"harm")
    list_runs(a)
    collect(a, keep=1)
    verify(a, repair=True)
    assert {path.read_text() for path in outside} == {"keep me"}


def test_what_a_run_of_this_machine_works_with_is_not_evicted(machine: Machine, monkeypatch):
    a = machine("a")
    monkeypatch.setattr(eviction, "_IN_USE_SECONDS", 0.0)
    journal = Journal(a, "toy", {})
    kept, gone = a.put("x", ARRAY), a.put("x", ARRAY + 1)
    journal.write("source", artifact=kept.to_json())
    monkeypatch.setenv("LATENTFLOW_CACHE_GB", "0")
    machine("a").put("x", {"small": 1})
    assert a.path_of(kept).exists() and not a.path_of(gone).exists()
    journal.end("completed", {})


def test_what_anybody_laid_into_the_bucket_ends_no_check_of_it(machine: Machine):
    a = machine("a")
    run_toy(a)
    for name in ("objects/readme.txt", "objects/ab/cd/ef.json"):
        there(a).bucket.write(name, b"hi")
    found = verify(a)
    assert {(f.path, f.fault) for f in found.findings} == {
        ("objects/readme.txt", "no object's name"),
        ("objects/ab/cd/ef.json", "no object's name"),
    }
