"""Several processes at once: every stage is computed once, all end equal."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from engine import Selection, Store
from engine.collect import collect
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.engine.toy import SLOTS, count, digests, flip_bit, run_toy, wake
from tests.engine.zygote import Request, Zygote
from tests.waiting import wait_for

ONCE = dict.fromkeys(
    ["make", "clip", "times-1", "times-2", "times-3", "tabulate", "draw", "export"], 1
)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"process {n}" for n in range(4)]
    for folder in made:
        folder.mkdir()
    return made


LONG = 600.0  # a nap that only `wake` ends


def wait_until_begun(tally: Path, name: str) -> None:
    wait_for(name, lambda: name in count(tally))


def wait_until_said(text: str, *folders: Path) -> None:
    wait_for(text, lambda: all(text in _read(folder / "log.txt") for folder in folders))


def requests(store: Store, folders: list[Path], tally: Path, nap: float) -> list[Request]:
    values = {"tally": str(tally), "nap": nap}
    return [Request(str(store.root), str(folder), dict(values)) for folder in folders]


def ends(zygote: Zygote, folders: list[Path], pids: list[int]) -> list[dict[str, list[str]]]:
    for pid, folder in zip(pids, folders, strict=True):
        status = zygote.wait(pid)
        error = folder / "error.txt"
        assert status == 0, error.read_text() if error.exists() else status
    return [json.loads((folder / "digests.json").read_text()) for folder in folders]


def test_four_runs_at_once_compute_every_stage_once(store, tally, tmp_path, folders, zygote):
    pids = [zygote.start(r) for r in requests(store, folders, tally, nap=0.05)]
    found = ends(zygote, folders, pids)
    assert count(tally) == ONCE
    undisturbed = digests(run_toy(Store(tmp_path / "undisturbed")))
    assert found == [undisturbed] * 4
    assert verify(store).sound
    assert not list((store.root / "tmp").iterdir())
    ran = [json.loads((f / "outcomes.json").read_text()) for f in folders]
    for slot in SLOTS:
        assert sorted(outcome[slot] for outcome in ran) == ["cached"] * 3 + ["ran"]
    assert [read_run(p).status for p in list_runs(store)] == ["completed"] * 4


def test_a_waiting_run_logs_whom_it_waits_for(store, tally, folders, zygote):
    first, second = requests(store, folders[:2], tally, nap=LONG)
    holder = zygote.start(first)
    wait_until_begun(tally, "make")
    waiting = zygote.start(second)
    wait_until_said("waiting for run", folders[1])
    wake(tally)
    ends(zygote, folders[:2], [holder, waiting])
    (id_,) = [p.stem for p in list_runs(store) if f'"pid": {holder},' in p.read_text()]
    log = (folders[1] / "log.txt").read_text()
    assert re.search(
        rf"make: waiting for run {id_} \(pid {holder} on .*, \d+ s\): it holds make-", log
    )
    assert count(tally) == ONCE


def test_a_killed_holder_is_no_obstacle(store, tally, folders, zygote):
    first, second = requests(store, folders[:2], tally, nap=0.0)
    first.values["nap"] = LONG
    holder = zygote.start(first)
    wait_until_begun(tally, "make")
    waiting = zygote.start(second)
    wait_until_said("waiting for run", folders[1])
    os.kill(holder, signal.SIGKILL)
    ends(zygote, folders[1:2], [waiting])
    assert zygote.wait(holder) == -signal.SIGKILL
    assert count(tally) == {**ONCE, "make": 2}
    assert {read_run(p).status for p in list_runs(store)} == {"crashed", "completed"}


def test_four_runs_asked_to_refresh_share_what_they_wait_for(store, tally, folders, zygote):
    before = digests(run_toy(store))
    asked = requests(store, folders, tally, nap=LONG)
    for request in asked:
        request.refresh = ["clip"]
    pids = [zygote.start(request) for request in asked]
    wait_for("three that wait", lambda: len(_waiting(folders)) == 3)
    wake(tally)
    found = ends(zygote, folders, pids)
    assert found == [before] * 4
    assert count(tally) == {"clip": 1}


def test_four_runs_mend_one_damaged_object(store, tally, folders, zygote):
    before = run_toy(store)
    flip_bit(store.path_of(before.record.stages["clip"].artifacts[0]), -40)
    asked = requests(store, folders, tally, nap=0.02)
    for request in asked:
        request.refresh = ["times"]
    found = ends(zygote, folders, [zygote.start(r) for r in asked])
    assert found == [digests(before)] * 4
    assert verify(store).sound


def test_the_collector_takes_nothing_from_runs_at_work(store, tally, folders, zygote):
    """Four runs with other parameters, a collector that keeps as little as it can, all the while."""
    for n in (20, 21, 22):
        run_toy(store, n=n)
    asked = requests(store, folders, tally, nap=0.03)
    for n, request in enumerate(asked):
        request.values |= {"n": 20 + n}
    pids = [zygote.start(r) for r in asked]
    while not all(any(folder.glob("*.json")) or any(folder.glob("error*")) for folder in folders):
        collect(store, keep=1)
    found = ends(zygote, folders, pids)
    for n, digest in enumerate(found):
        assert digest == digests(run_toy(store, Selection(), n=20 + n))
        log = _read(folders[n] / "log.txt")
        assert "runs again" not in log and "damaged" not in log, log
    assert verify(store).sound


def _waiting(folders: list[Path]) -> list[Path]:
    return [folder for folder in folders if "waiting for run" in _read(folder / "log.txt")]


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
