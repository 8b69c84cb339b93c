from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine import Artifact, Cause, Outcome, Reason, Store
from engine.journal import (
    Journal,
    StageRun,
    is_live,
    list_runs,
    previous_stages,
    read_run,
)

ARTIFACT = Artifact("make", "12" * 32, "34" * 32, "json", ".json", 10, {"keys": ["a"]})
STAGE = StageRun(
    "make[k=1]",
    "make",
    "make-" + "0" * 20,
    Outcome.UNCHANGED,
    [Reason(Cause.PARAMETER, "k", "1", "2")],
    1.5,
    [ARTIFACT],
    {"values": "12" * 32},
)


def write_run(store: Store, status: str = "completed", flow: str = "toy") -> Journal:
    journal = Journal(store, flow, {"parameters": {"n": 5}, "preset": "quick", "environment": {}})
    journal.write("begin", slot=STAGE.slot, key=STAGE.key)
    journal.write("source", artifact=ARTIFACT.to_json())
    journal.write("stage", **STAGE.to_json())
    if status:
        journal.end(status, {"table": ARTIFACT})
    return journal


def begun(path: Path) -> list[str]:
    """Keys of stages that were looked up, finished or not: the collector reads them."""
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return [line["key"] for line in lines if line["event"] == "begin"]


def test_round_trip(store):
    run = read_run(write_run(store).path)
    assert (run.flow, run.status, run.preset) == ("toy", "completed", "quick")
    assert run.parameters == {"n": 5}
    assert run.stages == {STAGE.slot: STAGE}
    assert begun(run.path) == [STAGE.key]
    assert run.sources == [ARTIFACT]
    ended = run.stages[STAGE.slot].ended
    assert ended is not None and 0 <= ended <= run.seconds
    assert run.results == {"table": ARTIFACT}
    assert run.counts == {"unchanged": 1}
    assert json.loads(json.dumps(run.to_json()))["stages"][0]["reasons"][0]["text"] == (
        "params.k 1 → 2"
    )


def test_an_open_journal_is_that_of_a_running_run(store):
    journal = write_run(store, status="")
    assert is_live(journal.path)
    assert read_run(journal.path).status == "running"
    journal.end("failed", {}, "StageError: no")
    assert not is_live(journal.path)
    assert (read_run(journal.path).status, read_run(journal.path).error) == (
        "failed",
        "StageError: no",
    )


def test_an_ended_run_is_not_running_though_a_child_of_it_holds_the_journal(store):
    journal = write_run(store, status="")
    journal.write("end", status="completed", seconds=1.0, results={}, error="")
    assert is_live(journal.path)
    assert read_run(journal.path).status == "completed"
    journal.end("completed", {})


def test_an_abandoned_journal_is_that_of_a_crashed_run(store):
    journal = write_run(store, status="")
    journal._close()
    run = read_run(journal.path)
    assert run.status == "crashed"
    assert run.stages == {STAGE.slot: STAGE}


def test_every_cut_of_a_journal_can_be_read(store):
    data = write_run(store).path.read_bytes()
    path = store.runs / "toy" / "cut.jsonl"
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        run = read_run(path)
        assert run.status == ("completed" if length == len(data) - 1 else "crashed")
        assert set(run.stages) <= {STAGE.slot}


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"\xff\xfe",
        b"[]",
        b'{"event": "stage"}',
        b'{"event": "stage", "slot": 3, "outcome": "odd"}',
        b'{"event": "end", "status": "completed"}',
        b'{"event": "unheard of"}',
        b"[" * 100_000,
        b"",
    ],
)
def test_garbage_lines_are_left_out(store, line):
    path = write_run(store).path
    first, *rest = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, line, *rest, b""]))
    run = read_run(path)
    assert run.stages == {STAGE.slot: STAGE}
    assert run.status == "completed"


def test_runs_are_listed_newest_first(store):
    ids = [write_run(store).id for _ in range(3)] + [write_run(store, flow="other").id]
    assert [p.stem for p in list_runs(store)] == ids[::-1]
    assert [p.stem for p in list_runs(store, "toy")] == ids[2::-1]
    assert [p.stem for p in list_runs(store, newest=1)] == [ids[3], ids[2]]
    assert list_runs(store, "unknown") == []


def test_previous_stages_are_those_of_the_newest_run_that_made_them(store):
    write_run(store)
    Journal(store, "toy", {}).end("failed", {})
    assert previous_stages(store, "toy") == {STAGE.slot: STAGE}
    assert previous_stages(store, "other") == {}


def test_many_threads_write_whole_lines(store):
    journal = Journal(store, "toy", {})

    def work(i: int) -> None:
        for j in range(20):
            journal.write("begin", key=f"{i}-{j}" + "x" * 5000)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.end("completed", {})
    assert len(set(begun(journal.path))) == 80


def test_a_write_that_is_cut_short_is_finished(store, monkeypatch):
    journal = Journal(store, "toy", {})
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:10]))
    journal.write("begin", key="one")
    monkeypatch.undo()
    journal.end("completed", {})
    assert begun(journal.path) == ["one"]


def test_a_store_without_room_gets_a_warning_and_no_more_lines(store, monkeypatch, caplog):
    journal = Journal(store, "toy", {})

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(os, "write", full)
        journal.write("begin", key="one")
        journal.write("begin", key="two")
    journal.end("completed", {})
    assert [r.message.split(":")[0] for r in caplog.records] == ["the journal ends early"]


def test_text_of_any_kind_can_be_written(store):
    journal = Journal(store, "toy", {})
    journal.end("failed", {}, "not UTF-8: \udcff")
    assert read_run(journal.path).status == "failed"


def test_runs_that_finished_nothing_hide_no_earlier_one(store):
    write_run(store)
    for _ in range(7):
        Journal(store, "toy", {}).end("interrupted", {})
    assert list(previous_stages(store, "toy")) == [STAGE.slot]
    for n in range(2):
        newer = Journal(store, "toy", {})
        newer.write("stage", **replace(STAGE, slot=f"newer-{n}").to_json())
        newer.end("completed", {})
    assert list(previous_stages(store, "toy", look_back=2)) == ["newer-1", "newer-0"]


def test_without_locks_there_is_no_journal_that_looks_dead(store, monkeypatch, caplog):
    def refuse(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    journal = Journal(store, "toy", {})
    journal.end("completed", {})
    assert journal.path.read_bytes() == b""
    assert ["No locks available" in record.getMessage() for record in caplog.records] == [True]
