"""Stages with a timeout really stop, and are otherwise like any other."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, Selection, StageError, Store, StoreError, load
from engine.errors import StageTimeout
from engine.session import Session
from engine.stage import Stage, read_all_code
from engine.verify import verify
from tests.engine import apart
from tests.engine.apart import Section, Step, Way
from tests.engine.toy import count, flip_bit
from tests.processes import are_gone
from tests.waiting import wait_for

LONG = 3600  # seconds


@pytest.fixture
def session(store: Store):
    with Session(store).active() as view:
        yield view


def processes(tally: Path) -> list[int]:
    return [int(name.removeprefix("pid-")) for name in count(tally)]


def assert_gone(pids: list[int]) -> None:
    assert pids
    wait_for("the end of all processes", lambda: are_gone(pids))


def exceed(stage: Stage[Any, Any], tally: Path, **values: Any) -> None:
    """Let a stage take too long; longer yet where its process had not even begun by then."""
    for timeout in (2.0, 8.0, 32.0, 128.0):
        hasty = Stage(stage.fn, dataclasses.replace(stage.options, timeout=timeout))
        said = f"took longer than {timeout:g} s and was stopped"
        with pytest.raises(StageTimeout, match=said):
            hasty(**values, tally=str(tally))
        if processes(tally):
            return


def test_it_is_like_any_other_stage(session, tally, caplog):
    parts = {name: session.store.put("x", np.arange(n)) for name, n in (("artifact", 3), ("b", 5))}
    with caplog.at_level(logging.INFO):
        made: Any = apart.add_up(parts, scale=2.0, tally=str(tally))
    assert load(made.total) == 26.0
    assert load(made.picture).alt == "The sum is 26."
    said = [(r.name, r.levelname, r.getMessage()) for r in caplog.records]
    assert ("tests.engine.apart", "INFO", "adding 2 parts") in said
    assert ("tests.engine.apart", "WARNING", "on\ntwo lines") in said

    twin = Store(session.store.root.parent / "twin")
    with Session(twin).active():
        for n in (3, 5):
            twin.put("x", np.arange(n))
        assert apart.add_up(parts, scale=2.0) == made  # the same bytes, made elsewhere
    with Session(session.store).active() as again:
        apart.add_up(parts, scale=2.0, tally=str(tally))
    assert [c.outcome.word for c in again.calls] == ["cached"]
    assert count(tally) == {"add_up": 1}


def test_parameters_arrive_as_they_are_here(session):
    step = Step(Way.DOWN, (3, 4))
    section = Section(step=step, names={"a": [1]})
    found = load(apart.describe(step=step, section=section, pair=("x", [1, (2,)])))
    assert found == {"step": repr(step), "section": repr(section), "pair": "('x', [1, (2,)])"}


@pytest.mark.parametrize(
    ("stage", "values"),
    [
        (apart.sleep_in_c, {"seconds": LONG}),
        (apart.hash_in_c, {"rounds": 10**9}),
        (apart.decompose_in_blas, {"size": 5000}),
        (apart.start_children, {"seconds": LONG}),
    ],
    ids=["sleep", "native", "blas", "children"],
)
def test_a_timeout_stops_everything(session, tally, stage, values):
    exceed(stage, tally, **values)
    assert_gone(processes(tally))
    assert session.calls[0].outcome.word == "failed"
    assert verify(session.store).sound


def test_a_timeout_is_not_tried_again(session, tally):
    exceed(apart.sleep_in_c, tally, seconds=LONG)
    assert len(processes(tally)) == 1 and apart.sleep_in_c.options.retries


def test_its_errors_are_those_of_the_function(session):
    with pytest.raises(StageError, match="stage divide failed: ZeroDivisionError: division by"):
        apart.divide(by=0)
    with pytest.raises(InputError, match="by is negative"):
        apart.divide(by=-1)


@pytest.mark.parametrize(("how", "status"), [("exit", 3), ("signal", -signal.SIGSEGV)])
def test_a_process_that_dies_is_an_error_with_its_last_words(session, how, status):
    with pytest.raises(StageError, match=rf"stage die ended with status {status}: last words"):
        apart.die(how=how)


def test_nothing_that_it_says_makes_the_run_wait_for_ever(session, caplog):
    told: list[float] = []

    def listen(call: Any, progress: Any) -> None:
        told.append(progress.done)
        raise OSError("the terminal is gone")

    session.on_progress = listen
    assert load(apart.chatter(lines=200)) == 200
    assert told == [1, 2]
    assert [r.getMessage() for r in caplog.records] == ["a line of a stage's process is lost"] * 3


def test_what_lies_in_the_users_folder_is_not_run(session, tmp_path, monkeypatch):
    (tmp_path / "engine").mkdir()
    for name in ("__init__", "isolate"):
        (tmp_path / "engine" / f"{name}.py").write_text("raise SystemExit('not this project')\n")
    monkeypatch.chdir(tmp_path)
    half: Any = apart.divide(by=2)
    assert load(half) == 0.5


_EDITED = """
from engine import stage
@stage(own_process=True)
def answer() -> int:
    return {}
"""


def test_code_that_was_edited_during_the_run_computes_nothing(session, tmp_path, monkeypatch):
    """Else its result would stand under the key of the code that was loaded before."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "edited_during_the_run.py"
    file.write_text(_EDITED.format(1))
    answer = importlib.import_module(file.stem).answer
    try:
        read_all_code()
        # Another length: what Python keeps compiled is known by the second and the size of its file.
        file.write_text(_EDITED.format(22))
        with pytest.raises(StageError, match="were changed since the run began: run again"):
            answer()
        file.write_text(_EDITED.format(1))
        assert load(answer()) == 1
    finally:
        del sys.modules[file.stem]


def test_a_full_disk_is_told_as_one(session):
    with pytest.raises(StoreError, match=r"cannot be written \(File too large\): free some space"):
        apart.fill_the_disk(limit=4096)
    assert verify(session.store).sound


def test_a_damaged_input_is_found_before_the_process_starts(store, tally, caplog):
    from tests.engine import toy

    for expected in (3.0, 3.0):
        with Session(store, selection=Selection(refresh=("add_up",))).active():
            numbers: Any = toy.make(n=3)
            made: Any = apart.add_up({"a": numbers.values}, tally=str(tally))
            assert load(made.total) == expected
        flip_bit(store.path_of(numbers.values), -40)
    warnings = [r.message for r in caplog.records if r.name.startswith("engine")]
    assert len(warnings) == 1 and "content altered; make runs again" in warnings[0]


def test_it_ends_with_the_process_that_started_it(tmp_path):
    """A killed run must not leave a stage computing for hours."""
    code = "from tests.engine.apart import apart; apart()"
    environment = {**os.environ, "LATENTFLOW_STORE": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        pids = wait_for("the stage", lambda: processes(tmp_path / "tally"))
        assert parent.poll() is None
    finally:
        parent.kill()
        parent.wait()
    try:
        assert_gone(pids)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[0], signal.SIGKILL)
