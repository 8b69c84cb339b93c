"""Short flow runs on several workers with Prefect on PostgreSQL, one worker killed in the middle.

    python -m benchmarks.workers --runs 200 --workers 4

None may be lost (each ends, or is marked as crashed and completes when asked again) and none may
count twice: every stage is computed once, whatever is killed. Writes what it saw as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.postgres import start_postgres
from cli import prefect_process
from cli.prefect_settings import set_defaults
from engine import Store
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.flows.prefect_server import ROOT, Server, wait_for
from tests.flows.serving import descendants

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
DEPLOYMENT = {
    "name": "short",
    "entrypoint": "tests.flows.training.deployed",
    "work_pool_name": "local",
    "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}],
    "enforce_parameter_schema": False,
    "parameter_openapi_schema": {},
}


def measure(runs: int, workers: int, at_once: int) -> dict[str, Any]:
    """Queue the runs, start the workers, kill one, wait for the end; raises AssertionError for a loss."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        base = Path(name)
        database = stack.enter_context(start_postgres(base / "postgres"))
        port = prefect_process.free_port()
        environment = {
            **os.environ,
            "PREFECT_HOME": str(base / "home"),
            "LATENTFLOW_STORE": str(base / "store"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }
        set_defaults(environment)
        server_environment = {
            **environment,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
            "PREFECT__SERVER_FINAL": "1",
        }
        host = "127.0.0.1"
        child = prefect_process.start("server", host, str(port), environment=server_environment)
        stack.callback(prefect_process.end, child, 10.0)
        api = f"http://{host}:{port}/api"
        assert prefect_process.wait_until_healthy(child, api), "the server did not start"
        environment["PREFECT_API_URL"] = api
        server = Server(api, base / "home", environment)
        return _work(server, Store(base / "store"), runs, workers, at_once, stack)


def _work(
    server: Server,
    store: Store,
    runs: int,
    workers: int,
    at_once: int,
    stack: contextlib.ExitStack,
) -> dict[str, Any]:
    server.run("work-pool", "create", "local", "--type", "process")
    os.environ["PREFECT_API_URL"] = server.api  # before Prefect is imported here
    from prefect import get_client

    from cli.crashed_runs import settle

    flow = server.ask("/flows/", {"name": "training"})["id"]
    deployment = server.ask("/deployments/", {**DEPLOYMENT, "flow_id": flow})["id"]
    path = f"/deployments/{deployment}/create_flow_run"

    def queue(seed: int) -> str:
        parameters = {"parameters": {"seeds": [seed], "epochs": 1, "nap": 0.01}}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(server.ask(path, body)["id"])

    asked = {queue(seed): seed for seed in range(runs)}
    started = time.monotonic()
    crew = [_start_worker(server, number, at_once, stack) for number in range(workers)]

    def states() -> dict[str, str]:
        found: dict[str, str] = {}
        while len(found) < len(asked):
            body = {"limit": 200, "offset": len(found), "sort": "ID_DESC"}
            page = server.ask("/flow_runs/filter", body)
            if not page:
                break
            found |= {run["id"]: run["state_type"] for run in page}
        return found

    wait_for(
        "a quarter of the runs",
        lambda: sum(state in FINAL for state in states().values()) >= runs // 4,
        3600,
    )
    below = wait_for("a run in the first worker's hands", lambda: descendants(crew[0].pid), 300)
    for pid in (crew[0].pid, *below):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    killed_after = time.monotonic() - started

    def settled() -> dict[str, str] | None:
        with get_client(sync_client=True) as client:
            settle(client, store)
        found = states()
        open_ = {id_ for id_, state in found.items() if state not in FINAL}
        return None if open_ - _never_begun(server, open_) else found

    found = wait_for("the end of all runs", settled, 7200)
    lost = [id_ for id_ in asked if found.get(id_) != "COMPLETED"]
    again = [queue(asked[id_]) for id_ in lost]
    wait_for("those asked again", lambda: all(states()[id_] == "COMPLETED" for id_ in again), 1800)
    seconds = time.monotonic() - started
    computed = Counter(
        stage.key
        for path in list_runs(store)
        for stage in read_run(path).stages.values()
        if stage.outcome.word == "ran"
    )
    assert len(computed) == runs, f"{len(computed)} results of {runs} runs"
    assert set(computed.values()) == {1}, "a stage was computed twice"
    assert verify(store).sound
    return {
        "runs": runs,
        "workers": workers,
        "flow_runs_at_once_per_worker": at_once,
        "seconds": round(seconds, 1),
        "worker_killed_after_seconds": round(killed_after, 1),
        "ended_by_the_kill_and_asked_again": len(lost),
        "never_begun_of_these": sum(found[id_] == "PENDING" for id_ in lost),
        "results": len(computed),
        "computed_twice": 0,
        "load_average": os.getloadavg()[0],
    }


def _never_begun(server: Server, runs: set[str]) -> set[str]:
    """Runs that a dead worker had taken and not started: no process will."""
    found = set()
    for id_ in runs:
        run = server.ask(f"/flow_runs/{id_}")
        age = time.time() - _moment(run["state"]["timestamp"])
        if run["state_type"] == "PENDING" and age > 120:
            found.add(id_)
    return found


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _start_worker(
    server: Server, number: int, at_once: int, stack: contextlib.ExitStack
) -> subprocess.Popen[bytes]:
    worker = prefect_process.start(
        *("worker", "start", "--pool", "local", "--name", f"worker {number}"),
        *("--limit", str(at_once)),
        environment=server.environment,
    )
    stack.callback(prefect_process.end, worker, 20.0)
    return worker


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=1)
    chosen = parser.parse_args()
    json.dump(measure(chosen.runs, chosen.workers, chosen.at_once), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
