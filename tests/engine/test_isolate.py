"""Stages with a timeout really stop, and are otherwise like any other."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, Selection, StageError, Store, StoreError, load
from engine.errors import StageTimeout
from engine.session import Session
from engine.verify import verify
from tests.engine import apart
from tests.engine.apart import Section, Step, Way
from tests.engine.toy import count, flip_bit


@pytest.fixture
def session(store: Store):
    with Session(store).active() as view:
        yield view


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def processes(tally: Path) -> list[int]:
    return [int(name.removeprefix("pid-")) for name in count(tally)]


def assert_gone(pids: list[int]) -> None:
    assert pids
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process of the stage is still there"
        time.sleep(0.05)


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
    "call",
    [
        lambda tally: apart.sleep_in_c(seconds=60, tally=tally),
        lambda tally: apart.hash_in_c(rounds=10**9, tally=tally),
        lambda tally: apart.decompose_in_blas(size=5000, tally=tally),
        lambda tally: apart.start_children(seconds=60, tally=tally),
    ],
    ids=["sleep", "native", "blas", "children"],
)
def test_a_timeout_stops_everything_within_seconds(session, tally, call):
    started = time.monotonic()
    with pytest.raises(StageTimeout, match=r"took longer than \d s and was stopped"):
        call(str(tally))
    assert time.monotonic() - started < 8
    assert_gone(processes(tally))
    assert session.calls[0].outcome.word == "failed"
    assert verify(session.store).sound


def test_a_timeout_is_not_tried_again(session, tally):
    with pytest.raises(StageTimeout):
        apart.sleep_in_c(seconds=60, tally=str(tally))
    assert len(processes(tally)) == 1


def test_its_errors_are_those_of_the_function(session):
    with pytest.raises(StageError, match="stage divide failed: ZeroDivisionError: division by"):
        apart.divide(by=0)
    with pytest.raises(InputError, match="by is negative"):
        apart.divide(by=-1)


@pytest.mark.parametrize(("how", "status"), [("exit", 3), ("signal", -signal.SIGSEGV)])
def test_a_process_that_dies_is_an_error_with_its_last_words(session, how, status):
    with pytest.raises(StageError, match=rf"stage die ended with status {status}: last words"):
        apart.die(how=how)


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
    deadline = time.monotonic() + 30
    try:
        while not (pids := processes(tmp_path / "tally")):
            assert time.monotonic() < deadline and parent.poll() is None
            time.sleep(0.01)
    finally:
        parent.kill()
        parent.wait()
    try:
        deadline = time.monotonic() + 5
        while is_alive(pids[0]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[0], signal.SIGKILL)
