"""A run killed at any moment leaves a sound store, and the next one ends as if nothing had been."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from engine import Store
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.engine.toy import SLOTS, count, digests, outcomes, run_toy
from tests.engine.zygote import Request, Zygote

MOMENTS = 22


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, list[str]]:
    return digests(run_toy(Store(tmp_path_factory.mktemp("undisturbed"))))


def assert_recovers(root: Path, tally: Path, undisturbed: dict[str, list[str]], hint: str) -> int:
    """The store is sound and the next run completes equal; returns how many stages it found."""
    store = Store(root)
    found = verify(store)
    assert found.sound, f"{hint}: {[f.to_json() for f in found.findings]}"
    for path in list_runs(store):
        assert read_run(path).status == "crashed", hint
    tally.unlink(missing_ok=True)
    kept = {path.stem for path in store.records.glob("*")}
    run = run_toy(store, tally=str(tally))
    assert digests(run) == undisturbed, hint
    assert run.record.status == "completed", hint
    cached = {s.key for s in run.record.stages.values() if s.outcome.word == "cached"}
    assert cached == kept, f"{hint}: what was finished was lost"
    assert count(tally).total() == len(SLOTS) - len(kept), hint
    assert verify(store).sound, hint
    assert outcomes(run_toy(store)) == dict.fromkeys(SLOTS, "cached"), hint
    return len(kept)


def folder(tmp_path: Path, name: object) -> Path:
    made = tmp_path / str(name)
    made.mkdir()
    return made


def test_killed_at_every_step_towards_the_disk(tmp_path, zygote: Zygote, undisturbed):
    """Deterministic: before and after each rename, sync, and in the middle of each write."""
    count_only = folder(tmp_path, "count")
    assert zygote.run(Request(str(count_only / "store"), str(count_only), die_at=0)) == 0
    steps = int((count_only / "steps.txt").read_text())
    assert steps > 60
    kept = set()
    for step in range(1, steps + 1):
        here = folder(tmp_path, step)
        status = zygote.run(Request(str(here / "store"), str(here), die_at=step))
        assert status == -signal.SIGKILL, f"step {step} of {steps}"
        hint = f"killed at step {step} of {steps}"
        kept.add(assert_recovers(here / "store", here / "tally", undisturbed, hint))
    assert {0, 1, 2, len(SLOTS)} <= kept and len(kept) >= len(SLOTS) - 1


def test_killed_at_random_moments(tmp_path, zygote: Zygote, undisturbed):
    seed = random.SystemRandom().randrange(2**32)
    moments = random.Random(seed)
    values = {"nap": 0.02}
    killed, span, most = 0, 0.8, 4 * MOMENTS
    for trial in range(most):
        here = folder(tmp_path, trial)
        moment = moments.uniform(0, span)
        started = time.monotonic()
        pid = zygote.start(Request(str(here / "store"), str(here), values))
        time.sleep(moment)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        hint = f"seed {seed}, trial {trial}, killed after {moment:.4f} of {span:.4f} s"
        status = zygote.wait(pid)
        if status == 0:  # it was faster
            span = min(span, time.monotonic() - started)
            continue
        assert status == -signal.SIGKILL, hint
        assert_recovers(here / "store", here / "tally", undisturbed, hint)
        killed += 1
        if killed == MOMENTS:
            break
    assert killed == MOMENTS, f"seed {seed}"


def test_killed_again_and_again_it_still_gets_there(tmp_path, zygote: Zygote, undisturbed):
    """Steps are counted anew in each run, so that each gets a little further."""
    seed = random.SystemRandom().randrange(2**32)
    moments = random.Random(seed)
    store, done = tmp_path / "store", False
    for _ in range(60):
        step = moments.randrange(5, 30)
        status = zygote.run(Request(str(store), str(tmp_path), die_at=step))
        assert verify(Store(store)).sound, f"seed {seed}"
        if done := status == 0:
            break
    assert done, f"seed {seed}"
    assert json.loads((tmp_path / "digests.json").read_text()) == undisturbed, f"seed {seed}"
