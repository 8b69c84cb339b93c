"""Two machines and one bucket: what one has computed the other finds, and no stage runs twice."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from engine import Store
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.engine.s3_server import KEYS, Proxy
from tests.engine.toy import SLOTS, count, digests, outcomes, run_toy
from tests.engine.zygote import Request, Zygote
from tests.waiting import wait_for

ONCE = dict.fromkeys(
    ["make", "clip", "times-1", "times-2", "times-3", "tabulate", "draw", "export"], 1
)


@pytest.fixture
def requests(url: str, tmp_path: Path, tally: Path):
    """Runs of the toy flow, each on a machine of its own."""

    def make(name: str, nap: float = 0.0, lease: float = 30.0) -> Request:
        folder = tmp_path / name
        folder.mkdir()
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        environment = {
            **KEYS,
            "AWS_ENDPOINT_URL": endpoint,
            "LATENTFLOW_CACHE": str(folder / "cache"),
        }
        values = {"tally": str(tally), "nap": nap}
        return Request(url, str(folder), values, environment=environment, lease_seconds=lease)

    return make


def end(zygote: Zygote, request: Request, pid: int) -> dict[str, list[str]]:
    status = zygote.wait(pid)
    error = Path(request.folder) / "error.txt"
    assert status == 0, error.read_text() if error.exists() else status
    found: dict[str, list[str]] = json.loads((Path(request.folder) / "digests.json").read_text())
    return found


def until(said: str, request: Request) -> None:
    log = Path(request.folder) / "log.txt"
    wait_for(said, lambda: said in log.read_text())


def test_two_machines_at_once_compute_every_stage_once(
    requests, machine, zygote: Zygote, tally, tmp_path
):
    both = [requests("a", nap=0.1), requests("b", nap=0.1)]
    pids = [zygote.start(request) for request in both]
    found = [end(zygote, request, pid) for request, pid in zip(both, pids, strict=True)]
    assert count(tally) == ONCE
    calm = digests(run_toy(Store(tmp_path / "calm")))
    assert found == [calm, calm]
    store = machine("c")
    assert verify(store).sound
    assert [read_run(p).status for p in list_runs(store)] == ["completed"] * 2
    assert not store.storage.bucket.list("locks/")


def test_one_killed_in_mid_stage_is_no_obstacle(
    requests, machine, zygote: Zygote, tally, proxy: Proxy
):
    first, second = requests("a", nap=600.0, lease=6.0), requests("b", lease=6.0)
    doomed = zygote.start(first)
    wait_for("make", lambda: "make" in count(tally))
    other = zygote.start(second)
    until("waiting for run", second)
    os.kill(doomed, signal.SIGKILL)
    found = end(zygote, second, other)
    assert zygote.wait(doomed) == -signal.SIGKILL
    assert "has run out: taken over" in (Path(second.folder) / "log.txt").read_text()
    assert count(tally) == {**ONCE, "make": 2}
    store = machine("c")
    assert verify(store).sound
    again = run_toy(store)
    assert digests(again) == found and outcomes(again) == dict.fromkeys(SLOTS, "cached")


def test_killed_at_any_moment_a_machine_leaves_nothing_wrong(
    requests, machine, zygote: Zygote, tmp_path
):
    calm = digests(run_toy(Store(tmp_path / "calm")))
    for step in (1, 9, 17, 25):
        request = requests(f"step {step}", lease=2.0)
        request.die_at = step
        assert zygote.run(request) == -signal.SIGKILL, step
        assert verify(machine("c")).sound, step
    request = requests("last", lease=2.0)
    assert end(zygote, request, zygote.start(request)) == calm
    assert verify(machine("c")).sound


def test_a_storm_does_not_part_two_machines(
    requests, machine, zygote: Zygote, proxy: Proxy, tmp_path
):
    seed = int.from_bytes(os.urandom(4), "big")
    proxy.stormy(seed, 0.1)
    both = [requests("a"), requests("b")]
    pids = [zygote.start(request) for request in both]
    found = [end(zygote, request, pid) for request, pid in zip(both, pids, strict=True)]
    calm = digests(run_toy(Store(tmp_path / "calm")))
    assert found == [calm, calm], f"seed {seed}"
    proxy.chaos = lambda request: ""
    assert proxy.harm and verify(machine("c")).sound, f"seed {seed}"
