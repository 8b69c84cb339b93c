"""Sweeps on a Dask cluster: the same keys and digests, whoever dies; and who must not compute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Store
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.engine.dask_hosts import Cluster, Host, open_hosts, start_cluster
from tests.engine.spread import spread
from tests.engine.test_prefect_runner import Runs, read, told, warnings
from tests.engine.toy import digests
from tests.engine.zygote import Request, Zygote, open_zygote
from tests.flows.prefect_server import Server, start_server
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dask")]

CELLS = [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("prefect")
    with start_server(base / "home", base / "store") as server:
        yield server


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

    def tally_lines(self) -> list[str]:
        return self.tally.read_text().split() if self.tally.exists() else []


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
