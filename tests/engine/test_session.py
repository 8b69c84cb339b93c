"""Sessions: outcomes, reasons, retries, healing."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import InputError, Outcome, Selection, StageError, Store, load, source, stage
from engine.artifact import Pending
from engine.call import Call
from engine.journal import Journal, read_run
from engine.record import Record
from engine.runner import LocalRunner
from engine.session import Session, source_folder
from tests.engine.toy import count, flip_bit, note
from tests.waiting import wait_for

FAILURES: dict[str, int] = {}


@stage(ignore=["tally"])
def count_words(text: Any, *, tally: str = "") -> dict[str, int]:
    note("count_words", tally)
    return {"words": len(text.read_bytes().split())}


@stage(retries=2, retry_delay=0.01, ignore=["tally"])
def stumble(*, name: str, failures: int, tally: str = "") -> int:
    note("stumble", tally)
    FAILURES[name] = FAILURES.get(name, 0) + 1
    if FAILURES[name] <= failures:
        raise ConnectionError("the line is dead")
    return FAILURES[name]


@stage(ignore=["tally"])
def invert(*, k: int, tally: str = "") -> float:
    note(f"invert-{k}", tally)
    return 1 / k


@stage(retries=2, retry_delay=0.01, ignore=["tally"])
def refuse(*, k: int, tally: str = "") -> int:
    note("refuse", tally)
    raise InputError(f"k = {k}: expected 1 to 10")


@stage
def return_what_cannot_be_kept() -> Any:
    return {1, 2}.__iter__()


@pytest.fixture
def session(store: Store):
    journal = Journal(store, "here", {})
    view = Session(store, journal=journal)
    with view.active():
        yield view
    journal.end("completed", {})


def outcome_of(session: Session, slot: str) -> str:
    return next(c.outcome.word for c in session.calls if c.slot == slot)


# Retries and errors


def test_a_failing_stage_is_tried_again(session, tally, caplog):
    with caplog.at_level(logging.WARNING):
        made: Any = stumble(name="twice", failures=2, tally=str(tally))
    assert load(made) == 3
    assert count(tally) == {"stumble": 3}
    assert [r.message for r in caplog.records] == [
        "stumble failed (the line is dead), try 2 of 3 in 0.0 s",
        "stumble failed (the line is dead), try 3 of 3 in 0.0 s",
    ]


def test_a_stage_that_never_succeeds_fails_by_name(session, tally):
    with pytest.raises(StageError, match="stage stumble failed: ConnectionError: the line is dead"):
        stumble(name="always", failures=99, tally=str(tally))
    assert count(tally) == {"stumble": 3}
    assert outcome_of(session, "stumble") == "failed"
    failed = read_run(session.journal.path).stages["stumble"]
    assert (failed.outcome, failed.artifacts) == (Outcome.FAILED, [])
    assert "the line is dead" in failed.error
    assert session.store.read_record(failed.key) is None


def test_what_a_stage_refuses_is_not_tried_again(session, tally):
    with pytest.raises(InputError, match="expected 1 to 10"):
        refuse(k=99, tally=str(tally))
    assert count(tally) == {"refuse": 1}


def test_a_record_that_cannot_serve_is_not_looked_up_again(store):
    """Another look-up may not see what is wrong with it: as Prefect's, which reads no outputs."""
    forced = []

    class Noting(LocalRunner):
        def run(self, session: Session, call: Call, hit: Record | None) -> tuple[Record, bool]:
            forced.append(call.force)
            return super().run(session, call, hit)

    for outputs in (1, 2, 1):
        with Session(store, runner=Noting()).active() as view:
            invert(k=2)
        record = store.read_record(view.calls[0].key)
        store.write_record(replace(record, artifacts=record.artifacts * outputs))
    assert forced == [False, False, True]


def test_the_first_error_of_a_map_is_raised_after_the_others_ended(session, tally):
    with pytest.raises(StageError, match=r"stage invert\[k=0\] failed: ZeroDivisionError"):
        invert.map(over={"k": [4, 0, 2, 1]}, tally=str(tally))
    assert count(tally) == dict.fromkeys(["invert-4", "invert-0", "invert-2", "invert-1"], 1)
    assert [c.outcome.word for c in session.calls] == ["ran", "failed", "ran", "ran"]

    again = Session(session.store)
    with again.active():
        made = invert.map(over={"k": [4, 2, 1]}, tally=str(tally))
    assert [load(a) for a in made] == [0.25, 0.5, 1.0]
    assert count(tally).total() == 4  # nothing finished was lost


@pytest.mark.parametrize("parallel", [True, False])
def test_mapped_calls_run_side_by_side_or_one_after_another(store, parallel):
    begun, running, most = [], [], []

    @stage(parallel=parallel)
    def overlap(*, k: int) -> int:
        begun.append(k)
        running.append(k)
        if parallel:
            wait_for("all four", lambda: len(begun) == 4)
        most.append(len(running))
        running.remove(k)
        if k == 1:
            raise ValueError("one")
        return k

    with (
        Session(store, runner=LocalRunner(workers=4)).active() as session,
        pytest.raises(StageError, match="one"),
    ):
        overlap.map(over={"k": [0, 1, 2, 3]})
    assert (max(most) > 1) is parallel
    assert [c.outcome.word for c in session.calls] == ["ran", "failed", "ran", "ran"]


def test_a_value_that_cannot_be_kept_is_an_error_and_leaves_no_record(session):
    with pytest.raises(StageError, match="output is a set_iterator"):
        return_what_cannot_be_kept()
    assert not list(session.store.records.glob("*"))


# Slots


def test_a_repeated_stage_gets_a_number_and_shares_its_result(session, tally):
    for _ in range(2):
        invert(k=5, tally=str(tally))
    invert.labelled("other")(k=5, tally=str(tally))
    assert [(c.slot, c.outcome.word) for c in session.calls] == [
        ("invert", "ran"),
        ("invert#2", "cached"),
        ("invert[other]", "cached"),
    ]
    assert count(tally).total() == 1


def test_a_stage_that_waits_for_a_skipped_one_is_skipped(session):
    made: Any = count_words(Pending("make", "make"))
    assert made == Pending("count_words", "count_words")
    assert outcome_of(session, "count_words") == "skipped"


# Files from outside


def test_a_file_from_outside_goes_by_its_content(store, tmp_path, tally):
    first, renamed = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("one two three")
    for path in (first, renamed):
        with Session(store).active():
            made: Any = count_words(source(path), tally=str(tally))
            assert load(made) == {"words": 3}
        if path is first:
            first.rename(renamed)
    assert count(tally).total() == 1
    renamed.write_text("one two")
    with Session(store).active():
        assert load(count_words(source(renamed), tally=str(tally))) == {"words": 2}  # type: ignore[arg-type]


def test_a_plan_only_looks_at_a_file_from_outside(store, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    with Session(store, planning=True).active() as plan:
        count_words(source(tmp_path / "a.txt"))
    assert [c.outcome for c in plan.calls] == [Outcome.RUN]
    assert not store.objects.exists()


def test_a_damaged_copy_of_a_file_is_read_again(store, tmp_path, caplog):
    path = tmp_path / "a.txt"
    path.write_text("one two")
    flip_bit(store.path_of(store.put_file(path, 100)))
    with Session(store).active(), caplog.at_level(logging.WARNING):
        assert load(count_words(source(path))) == {"words": 2}  # type: ignore[arg-type]
    (warning,) = [r.message for r in caplog.records]
    assert "content altered" in warning and f"{path} is read again" in warning


def test_a_damaged_copy_of_a_file_that_is_now_another_is_an_error(store, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one two")
    with Session(store).active():
        handle = source(path)
        flip_bit(store.path_of(handle))
        path.write_text("six ten")
        with pytest.raises(InputError, match="has changed since this run began"):
            count_words(handle)


@pytest.mark.parametrize(("path", "words"), [("", "empty"), ("nowhere.csv", "no file")])
def test_a_path_that_cannot_be_read_is_refused(path, words):
    with pytest.raises(InputError, match=words):
        source(path)


# Who is told


def test_a_listener_hears_the_beginning_and_the_end(store):
    heard = []
    session = Session(store)
    session.on_event = lambda call: heard.append((call.slot, call.outcome.word))
    with session.active():
        invert(k=3)
        invert(k=3)
        with pytest.raises(StageError):
            invert(k=0)
    assert heard == [
        ("invert", "run"),
        ("invert", "ran"),
        ("invert#2", "cached"),
        ("invert#3", "run"),
        ("invert#3", "failed"),
    ]


def test_deep_looks_find_what_shallow_ones_miss(store, tally, caplog):
    with Session(store).active():
        made: Any = invert(k=8, tally=str(tally))
    flip_bit(store.path_of(made), 2)
    for deep, expected in ((False, "cached"), (True, "ran"), (True, "cached")):
        with Session(store, selection=Selection(deep=deep)).active() as session:
            invert(k=8, tally=str(tally))
        assert outcome_of(session, "invert") == expected
    assert load_from(store, made) == 0.125
    assert count(tally).total() == 2
    assert [r.message for r in caplog.records if r.levelno == logging.WARNING] == [
        "invert: object invert: content altered; it runs again"
    ]


def load_from(store: Store, artifact: Any) -> Any:
    with Session(store).active():
        return load(artifact)


def test_arrays_reach_a_stage_read_only(store):
    @stage
    def overwrite_input(values: Any) -> Any:
        values[0] = 9
        return values

    with Session(store).active(), pytest.raises(StageError, match="read-only"):
        overwrite_input(store.put("x", np.zeros(3)))


def test_each_takes_the_arguments_of_a_row_together(store):
    @stage
    def add(left: int, right: int, *, scale: int = 1) -> int:
        return scale * (left + right)

    with Session(store).active() as session:
        numbers = {k: invert.labelled(str(k))(k=k) for k in (1, 2, 4)}
        rows = {
            "a": {"left": numbers[1], "right": numbers[2]},
            "b": {"left": numbers[2], "right": numbers[4], "scale": 8},
        }
        made = add.labelled("sum").each(rows, scale=2)
        assert {label: load(value) for label, value in made.items()} == {"a": 3.0, "b": 6.0}
        assert [c.slot for c in session.calls][3:] == ["add[sum,a]", "add[sum,b]"]
    with Session(store).active() as again:
        add.each({"c": rows["a"]}, scale=2)
        assert [c.outcome.word for c in again.calls] == ["cached"]


@pytest.mark.parametrize("name", ["file.txt/x.csv", "a" * 300, "a\0b"])
def test_a_path_that_no_file_can_have_is_told(session, tmp_path, name):
    (tmp_path / "file.txt").write_text("no folder")
    path = f"{tmp_path}/{name}"
    for take in (source, lambda path: source_folder(path, (".png",))):
        with pytest.raises(InputError, match=r"cannot be a f|there is no folder"):
            take(path)
