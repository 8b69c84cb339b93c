"""`latentflow serve` with a home and a store of its own, and what a test asks of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import list_runs, read_run
from engine.store import Store
from tests.flows.prefect_server import ROOT, Server
from tests.processes import are_gone, descendants
from tests.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.journal import RunRecord

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class Serving(Server):
    """The whole process tree; `environment` is that of commands that meet its server.

    `registered` are the deployments as they were found, by `flow/name`.
    """

    store: Store = field(default_factory=Store)
    report: str = ""
    process: subprocess.Popen[str] | None = None
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def latentflow(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of the project's, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def change(self, path: str, method: str, body: Any = None) -> None:
        """A request that is answered with nothing."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.api + path, data, {"Content-Type": "application/json"}, method=method
        )
        urllib.request.urlopen(request, timeout=60).close()

    def deployments(self) -> dict[str, dict[str, Any]]:
        flows = {flow["id"]: flow["name"] for flow in self.ask("/flows/filter", {})}
        found = self.ask("/deployments/filter", {})
        return {f"{flows[each['flow_id']]}/{each['name']}": each for each in found}

    def set_active(self, deployment: dict[str, Any], active: bool) -> None:
        """Let a deployment's schedules come due, or not."""
        for schedule in deployment["schedules"]:
            path = f"/deployments/{deployment['id']}/schedules/{schedule['id']}"
            self.change(path, "PATCH", {"active": active})

    def make_deployment(self, entrypoint: str, **options: Any) -> str:
        """Register a flow of the tests', e.g. `tests.flows.training.deployed`; returns its id."""
        name = entrypoint.split(".")[-2]
        body = {
            "name": "test",
            "flow_id": self.ask("/flows/", {"name": name})["id"],
            "entrypoint": entrypoint,
            "work_pool_name": "local",
            "pull_steps": [
                {"prefect.deployments.steps.set_working_directory": {"directory": str(ROOT)}}
            ],
            "enforce_parameter_schema": False,
            "parameter_openapi_schema": {},
            **options,
        }
        return str(self.ask("/deployments/", body)["id"])

    def begin(self, deployment: str, **parameters: Any) -> str:
        """Let the worker run a deployment; returns the flow run's id."""
        body = {"parameters": {"parameters": parameters}, "state": {"type": "SCHEDULED"}}
        return str(self.ask(f"/deployments/{deployment}/create_flow_run", body)["id"])

    def state(self, flow_run: str) -> str:
        return str(self.ask(f"/flow_runs/{flow_run}")["state_name"])

    def wait_for_state(self, flow_run: str, *states: str) -> str:
        """The state, once it is one of these; fails at once at another last one."""

        def there() -> str:
            run = self.ask(f"/flow_runs/{flow_run}")
            if run["state_name"] not in states:
                assert run["state_type"] not in FINAL, run["state"]
                return ""
            return str(run["state_name"])

        return str(wait_for(f"{states}", there))

    def journal(self, flow_run: str) -> RunRecord:
        """The journal of a flow run, as soon as there is one."""

        def find() -> Path | None:
            for path in list_runs(self.store):
                if flow_run in path.read_text().partition("\n")[0]:
                    return path
            return None

        return read_run(wait_for("the journal", find))

    def checkpoints(self, stage: str = "") -> list[Path]:
        return sorted(self.store.checkpoints.glob(f"{stage}*/*.npz"))

    def artifacts(self, flow_run: str) -> dict[str, dict[str, Any]]:
        body = {"flow_runs": {"id": {"any_": [flow_run]}}, "limit": 200}
        return {found["key"]: found for found in self.ask("/artifacts/filter", body)}

    def descendants(self) -> dict[int, str]:
        """Pid → command of every process below."""
        return descendants(self.pid)

    def process_of(self, flow_run: str) -> int:
        """The process that runs a flow run: others of ended runs may still be ending."""
        mark = f"PREFECT__FLOW_RUN_ID={flow_run}".encode()

        def find() -> list[int]:
            return [
                pid
                for pid, line in self.descendants().items()
                if "prefect.engine" in line
                and mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            ]

        (pid,) = wait_for("the process of a flow run", find)
        return int(pid)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def start_serving(home: Path, store: Path, *arguments: str) -> Iterator[Serving]:
    """`latentflow serve` on free ports; what is left of it when the block ends is killed."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "LATENTFLOW_STORE": str(store),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    with (home / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "cli.main", "serve", "--json", "--verbose"),
                *("--port", "0", "--pages-port", "0", *arguments),
            ],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    below: set[int] = set()
    try:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, (home / "serve.log").read_text()[-3000:]
            said += line
        about = json.loads(said)
        environment = {**environment, "PREFECT_API_URL": about["api"]}
        found = Serving(about["api"], home, environment, Store(store), about["report"], process)
        wait_for("the worker", lambda: found.ask("/work_pools/local/workers/filter", {}))
        found.registered = found.deployments()
        for deployment in found.registered.values():
            found.set_active(deployment, False)  # at whatever hour the tests run
        yield found
        below = set(descendants(process.pid))
    finally:
        if process.poll() is None:
            below |= set(descendants(process.pid))
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        for pid in {process.pid, *below}:
            if not are_gone({pid}):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()
