"""What a stage may do while it is computed: progress, checkpoints, earlier results, and stopping."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from engine import StageError, load, stage, work
from engine.errors import StageStopped
from engine.pace import Pace
from engine.session import Session
from engine.work import Progress
from tests.engine import training
from tests.engine.training import step

count_apart: Any = training.count_apart  # its handles are arrays to a type checker
count_here: Any = training.count_here


@pytest.fixture
def session(store):
    with Session(store).active() as view:
        yield view


def straight(seed: int, steps: int) -> list[int]:
    state = np.array([seed, seed + 1], np.int64)
    for index in range(steps):
        state = step(state, index)
    return list(state)


def test_outside_a_run_a_plain_function_does_without(tmp_path):
    made = count_apart.fn(epochs=2)
    assert list(made.state) == straight(1, 20)
    assert work.key() == "" and work.earlier() is None


def test_a_plain_function_can_be_given_a_folder_and_an_earlier_result(tmp_path):
    shorter = count_apart.fn(epochs=1)
    with work.checkpoints_in(tmp_path / "box") as box, work.earlier_is(shorter):
        made = count_apart.fn(epochs=3)
        assert box.latest() is not None
    assert list(made.state) == straight(1, 30)


def test_progress_reaches_the_session_from_this_process_and_from_a_child(session):
    seen: dict[str, list[Progress]] = {}
    session.on_progress = lambda call, progress: seen.setdefault(call.slot, []).append(progress)
    count_here(epochs=1)
    count_apart(epochs=1)
    assert [p.done for p in seen["count_here"]] == list(range(1, 11))
    last = seen["count_apart"][-1]
    assert (last.done, last.total, last.unit) == (10, 10, "step")
    assert last.figures == {"epoch": 1.0, "loss": 0.1}
    assert last.fraction == 1.0


def test_a_failed_stage_goes_on_from_its_checkpoint_and_a_finished_one_leaves_none(session):
    with pytest.raises(StageError, match="no electricity"):
        count_here(fail_at=13)
    box = next(session.store.checkpoints.iterdir())
    assert box.name.startswith("count_here-")
    seen: list[float] = []
    session.on_progress = lambda call, progress: seen.append(progress.done)
    resumed = load(count_here().state)
    assert seen[0] == 14  # the first thirteen steps were not done again
    assert list(resumed) == list(count_here.fn().state)
    assert not box.exists()


@pytest.mark.parametrize("moment", [3, 7, 14, 19])
def test_a_killed_child_goes_on_where_it_was(session, tmp_path, moment):
    marker = tmp_path / "kill"
    marker.write_text(str(moment))
    with pytest.raises(StageError, match="ended with status -9"):
        count_apart(kill_at=str(marker))
    assert list(load(count_apart(kill_at=str(marker)).state)) == straight(1, 20)
    assert list(session.store.checkpoints.iterdir()) == []


def test_more_epochs_go_on_from_the_longest_finished_run(session, caplog):
    caplog.set_level("INFO")
    count_apart(epochs=1)
    count_apart(epochs=2)
    count_apart(epochs=9)
    count_apart(epochs=2, seed=5)
    seen: list[float] = []
    session.on_progress = lambda call, progress: seen.append(progress.done)
    made = count_apart(epochs=4)
    assert seen[0] == 21
    assert list(load(made.state)) == straight(1, 40)
    assert "goes on from the run with epochs = 2" in caplog.text


def test_an_earlier_result_that_is_damaged_is_not_used(session):
    shorter = count_apart(epochs=1)
    path = session.store.path_of(shorter.state)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(bytes(data))
    assert list(load(count_apart(epochs=2).state)) == straight(1, 20)


def test_a_stage_cannot_extend_what_it_does_not_take():
    with pytest.raises(StageError, match="none of its parameters"):

        @stage(extends="epochs")
        def no_epochs(*, rounds: int = 1) -> int:
            return rounds


@pytest.mark.parametrize("counting", [count_here, count_apart])
def test_a_stopped_run_ends_its_stages_soon(session, counting: Any):
    session.on_progress = lambda call, progress: (
        session.stop.set() if progress.done > 6 else time.sleep(0)
    )
    with pytest.raises(StageStopped):
        counting(**({"nap": 0.02} if counting is count_apart else {}), epochs=100)
    assert list(session.store.checkpoints.iterdir())


def test_a_stop_calls_whoever_comes_late():
    stop, called = work.Stop(), threading.Event()
    stop.set()
    with stop.calling(called.set):
        pass
    assert called.is_set()


def test_the_pace_counts_what_was_done_since_the_first_report():
    pace = Pace(Progress(500, 1000), now=100.0)
    assert pace.remaining_seconds is None
    pace.note(Progress(600, 1000, "step", {"epoch": 3.0, "loss": 0.09451}), now=110.0)
    assert pace.remaining_seconds == pytest.approx(40.0)
    assert pace.text == "epoch 3 · loss 0.09451 · 600 of 1,000 steps · 40 s left"
