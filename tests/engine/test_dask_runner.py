"""Sweeps on a Dask cluster: the same keys and digests, whoever dies; and who must not compute."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, Store
from engine.journal import list_runs, read_run
from engine.prefect_sweeps import Sweeps
from engine.verify import verify
from tests.engine.dask_hosts import ROOT, Cluster, Host, open_hosts, start_cluster
from tests.engine.s3_server import KEYS
from tests.engine.spread import spread
from tests.engine.test_prefect_runner import Runs, read, told, warnings
from tests.engine.toy import digests
from tests.engine.zygote import Request, Zygote, open_zygote
from tests.flows.prefect_server import Server
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

CELLS = [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def helper(server: Server) -> Iterator[Zygote]:
    with open_zygote(prefect=True) as helper:
        yield helper


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def hosts() -> Iterator[list[Host]]:
    with open_hosts(2) as hosts:
        yield hosts


@pytest.fixture
def both(cluster: Cluster, hosts: list[Host]) -> Cluster:
    """The cluster with a worker on each host, whoever was killed before."""
    for name, host in zip("ab", hosts, strict=True):
        if name not in cluster.workers:
            cluster.work(name, host)
    return cluster


class Sweeping(Runs):
    """Runs of the sweep on a cluster."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sweeps = ["dask"]

    def request(
        self, flow: str = "spread", refresh: tuple[str, ...] = (), **values: Any
    ) -> Request:
        request = super().request(flow, refresh, **values)
        request.sweeps = self.sweeps
        return request

    def run(self, flow: str = "spread", refresh: tuple[str, ...] = (), **values: Any) -> Request:
        return super().run(flow, refresh, **values)

    def tally_lines(self) -> list[str]:
        return self.tally.read_text().split() if self.tally.exists() else []

    def has(self, lines: set[str]) -> bool:
        return lines <= set(self.tally_lines())


@pytest.fixture
def runs(helper: Zygote, server: Server, store: Store, tmp_path: Path) -> Sweeping:
    return Sweeping(helper, server, store, tmp_path)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Digests and keys of the sweep without Dask and Prefect."""
    run = spread.run(
        spread.configure(overrides={"cells": CELLS}), store=Store(tmp_path_factory.mktemp("calm"))
    )
    return digests(run), {slot: made.key for slot, made in run.record.stages.items()}


def test_a_worker_killed_in_mid_sweep_costs_its_cell_only(
    runs: Sweeping, both: Cluster, hosts, calm
):
    runs.sweeps += [both.address]
    request = runs.request(cells=CELLS, nap=0.4)
    pid = runs.helper.start(request)
    wait_for("both at work", lambda: len(runs.tally_lines()) >= 3)
    mine = [line.split("@")[1] for line in runs.tally_lines()]
    if hosts[0] != hosts[1]:
        assert len(set(mine)) == 2
    both.kill("b")
    assert runs.helper.wait(pid) == 0, read(request, "error.txt")
    assert told(request, "digests") == calm[0]
    recorded = read_run(list_runs(runs.store)[0])
    assert {slot: made.key for slot, made in recorded.stages.items()} == calm[1]
    begun = [line.split("@")[0] for line in runs.tally_lines()]
    assert sorted(set(begun)) == [str(cell) for cell in CELLS] and len(begun) == len(CELLS) + 1
    assert verify(runs.store).sound
    assert warnings(request) == []
    lines = read(request, "log.txt")
    assert all(f"tasks.spread:power {cell}" in lines for cell in CELLS)
    states = {run["state_name"] for run in runs.task_runs(len(CELLS) + 2).values()}
    assert states == {"Completed"}


def test_a_scheduler_that_dies_ends_the_run_and_loses_no_finished_cell(
    runs: Sweeping, hosts, calm, tmp_path
):
    with start_cluster(tmp_path / "doomed") as doomed:
        doomed.work("a", hosts[0])
        runs.sweeps += [doomed.address]
        request = runs.request(cells=CELLS, nap=0.5)
        pid = runs.helper.start(request)
        wait_for("the third cell", lambda: len(runs.tally_lines()) == 3)
    died = time.monotonic()
    assert runs.helper.wait(pid) == 1
    assert time.monotonic() - died < 60
    assert "gave no answer" in read(request, "error.txt").splitlines()[0]
    runs.sweeps = []
    run = runs.run(cells=CELLS)
    assert told(run, "digests") == calm[0]
    assert [told(run, "outcomes")[f"power[exponent={cell}]"] for cell in CELLS[:2]] == [
        "cached"
    ] * 2


def test_the_environment_of_a_deployment_chooses(monkeypatch: pytest.MonkeyPatch):
    from engine.prefect_flow import as_prefect

    monkeypatch.setenv("LATENTFLOW_RUNNER", "dask")
    monkeypatch.setenv("LATENTFLOW_SCHEDULER", "tcp://box:8786")
    runner = as_prefect(spread).task_runner
    assert type(runner).__name__ == "DaskRunner" and runner.address == "tcp://box:8786"


def test_an_error_on_a_worker_is_that_of_the_run(runs: Sweeping, both: Cluster):
    runs.sweeps += [both.address]
    error = runs.fail("rough", broken=[2])
    assert error == "StageError: stage divide[by=2] failed: ArithmeticError: 2 is broken"
    states = {name: run["state_name"] for name, run in runs.task_runs(3).items()}
    assert states == {
        "stumble": "Completed",
        "divide[by=1]": "Completed",
        "divide[by=2]": "Failed",
    }


def test_what_nobody_waits_for_stops(runs: Sweeping, both: Cluster, calm):
    """Whether the run can say that it ends, or dies."""
    runs.sweeps += [both.address]
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = runs.helper.start(runs.request(cells=CELLS, nap=100.0))
        wait_for("both at work", lambda: len(runs.tally_lines()) == 2)
        os.kill(pid, number)
        runs.helper.wait(pid)
        gone = time.monotonic()
        begun = {line.split("@")[0] for line in runs.tally_lines() if "@" in line}
        stopped = {f"{cell}-stopped" for cell in begun}
        wait_for("the ends of both", functools.partial(runs.has, stopped))
        assert time.monotonic() - gone < 30  # a cell looks up every five seconds
        assert [path.stem for path in runs.store.records.glob("power*")] == []
        runs.tally.unlink()
    assert told(runs.run(cells=CELLS), "digests") == calm[0]


def test_a_worker_with_other_code_computes_nothing(
    runs: Sweeping, cluster: Cluster, hosts, calm, tmp_path
):
    cluster.clear()
    root = tmp_path / "elsewhere"
    for name in ("engine", "tests/engine"):
        ignored = shutil.ignore_patterns("__pycache__", "test_*")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    runs.sweeps += [cluster.address]
    cluster.work("old", hosts[0], root)
    assert told(runs.run(cells=[1]), "outcomes")["power[exponent=1]"] == "ran"

    # What was loaded is what was fingerprinted; what is loaded from now on may rest on an edited file.
    (root / "tests/engine/toy.py").write_text((ROOT / "tests/engine/toy.py").read_text() + "\n")
    assert told(runs.run(cells=[2]), "outcomes")["power[exponent=2]"] == "ran"
    error = runs.fail("rough")
    assert "is of no use" in error and "toy.py there has changed since it was loaded" in error

    cluster.kill("old")
    source = root / "tests/engine/spread.py"
    source.write_text(source.read_text().replace("values**exponent", "values**exponent + 1"))
    cluster.work("old", hosts[0], root)
    error = runs.fail("spread", cells=CELLS)
    assert "other code or packages" in error and "tests.engine.spread.power changed" in error
    assert len(list(runs.store.records.glob("power*"))) == 2

    cluster.kill("old")
    cluster.work("new", hosts[0])
    run = runs.run(cells=CELLS)
    cluster.kill("new")
    assert told(run, "digests") == calm[0]
    assert told(run, "outcomes")["power[exponent=1]"] == "cached"


def test_a_sweep_waits_for_a_worker(runs: Sweeping, cluster: Cluster, hosts, calm):
    """There must be one at first; when the last one dies in the middle, another one may come."""
    cluster.clear()
    with pytest.raises(InputError, match=f"has no workers: .* `dask worker {cluster.address}"):
        Sweeps("dask", cluster.address).check()
    cluster.work("last", hosts[0])
    runs.sweeps += [cluster.address]
    request = runs.request(cells=CELLS, nap=0.2)
    pid = runs.helper.start(request)
    wait_for("its first cell", runs.tally_lines)
    cluster.kill("last")
    cluster.work("next", hosts[1])
    assert runs.helper.wait(pid) == 0, read(request, "error.txt")
    assert told(request, "digests") == calm[0]


def test_workers_of_this_machine_compute_digits_as_threads_do(runs: Sweeping, tmp_path):
    from sklearn.datasets import load_digits

    images, names = load_digits(return_X_y=True)
    path = tmp_path / "digits.npz"
    np.savez(
        path, x=(16 * images[:400]).clip(0, 255).astype(np.uint8).reshape(-1, 8, 8), y=names[:400]
    )
    values = {
        "data": {"path": str(path), "test_fraction": 0.25},
        "shown": {"scaling": "unit", "space": "pca10", "clusters": 10},
        "sweep": {"clusters": [10, 20], "scalings": ["unit"], "spaces": ["pca10"], "seeds": [0]},
        "reference": {"scaling": "unit", "spaces": ["pca10"], "seeds": [0]},
    }
    requests = []
    for api in (runs.server.api, ""):
        request = runs.request("spread")
        request.flow, request.values, request.until = "flows.digits:digits", values, ["rate_cell"]
        request.api, request.store = api, f"{request.store} {bool(api)}"
        assert runs.helper.run(request) == 0, read(request, "error.txt")
        requests.append(request)
    there, here = requests
    assert told(there, "digests") == told(here, "digests")
    cells = [slot for slot in told(there, "outcomes") if slot.startswith("cluster_digits")]
    assert len(cells) >= 4
    assert warnings(there) == []


def test_trainings_of_one_machine_take_turns_on_its_gpu(runs: Sweeping):
    request = runs.request(occupying=True, cells=[1, 2])
    request.environment = {"LATENTFLOW_GPUS": "1"}
    assert runs.helper.run(request) == 0, read(request, "error.txt")
    made = read_run(list_runs(runs.store)[0]).stages.values()
    spans = sorted(runs.store.load(stage.artifacts[0]) for stage in made)
    assert len(spans) == 2 and spans[0][1] <= spans[1][0]


def test_a_worker_with_a_cache_of_its_own_shares_the_bucket(
    runs: Sweeping, cluster: Cluster, calm, url, machine, tmp_path, monkeypatch
):
    cluster.clear()
    monkeypatch.setenv("LATENTFLOW_CACHE", str(tmp_path / "of the worker"))
    cluster.work("far", Host())
    request = runs.request(cells=CELLS)
    request.sweeps, request.store = ["dask", cluster.address], url
    request.environment = {
        **{key: os.environ[key] for key in (*KEYS, "AWS_ENDPOINT_URL")},
        "LATENTFLOW_CACHE": str(tmp_path / "of the run"),
    }
    assert runs.helper.run(request) == 0, read(request, "error.txt")
    cluster.kill("far")
    assert told(request, "digests") == calm[0]
    store = machine("another")
    assert verify(store).sound and not store.storage.bucket.list("locks/")
