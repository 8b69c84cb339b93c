"""`latentflow serve` with a home and a store of its own, and what a test asks of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import list_runs, read_run
from engine.store import Store
from tests.flows.prefect_server import ROOT, Server, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.journal import RunRecord

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class Serving(Server):
    """The whole process tree; `environment` is that of commands that meet its server."""

    store: Store = field(default_factory=Store)
    report: str = ""
    process: subprocess.Popen[str] | None = None

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
        urllib.request.urlopen(request, timeout=30).close()

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

    def wait_for_state(self, flow_run: str, *states: str, seconds: float = 120) -> str:
        """The state, once it is one of these; fails at once at another last one."""

        def there() -> str:
            run = self.ask(f"/flow_runs/{flow_run}")
            if run["state_name"] not in states:
                assert run["state_type"] not in FINAL, run["state"]
                return ""
            return str(run["state_name"])

        return str(wait_for(f"{states}", there, seconds))

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

    def stop(self, number: int = signal.SIGINT, patience: float = 60) -> tuple[int, float]:
        """Send a signal; returns exit status and seconds to the end."""
        assert self.process is not None
        sent = time.monotonic()
        os.kill(self.process.pid, number)
        return self.process.wait(patience), time.monotonic() - sent


def descendants(pid: int) -> dict[int, str]:
    """Pid → command of every living process below this one."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
            if state != "Z":
                parents[int(path.parent.name)] = int(parent)
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    found = {}
    for each in below - {pid}:
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ")
            found[each] = line.decode(errors="replace")
    return found


def are_gone(pids: set[int]) -> bool:
    """Whether none of these processes lives."""
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                return False
    return True


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
