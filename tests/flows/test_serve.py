"""`latentflow serve` through a power cut, and its end: nothing is left running, nothing stays `Running`."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engine.served import address_of
from engine.verify import verify
from tests.flows.prefect_server import ROOT
from tests.flows.serving import Serving, start_serving
from tests.processes import are_gone, descendants
from tests.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

LIMIT = {"concurrency_limit": 1, "concurrency_options": {"collision_strategy": "CANCEL_NEW"}}


@dataclass
class Receiver:
    """What a webhook was told."""

    address: str = ""
    texts: list[str] = field(default_factory=list)


@contextlib.contextmanager
def receive() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.texts.append(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@dataclass
class Cut:
    """A server that is back after everything was killed in the middle of a run.

    `strange` are runs of another machine's, which sent a heartbeat before the cut and after it.
    """

    serving: Serving
    receiver: Receiver
    deployment: str
    run: str
    strange: tuple[str, str]


def run_elsewhere(serving: Serving) -> str:
    """A flow run that is going on, of which there is no journal here."""
    flow = serving.ask("/flows/", {"name": "training"})["id"]
    body = {"flow_id": flow, "state": {"type": "RUNNING"}}
    run = str(serving.ask("/flow_runs/", body)["id"])
    event = {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
        "payload": {},
    }
    serving.change("/events", "POST", [event])
    return run


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    base = tmp_path_factory.mktemp("cut")
    home, store = base / "home", base / "store"
    with receive() as receiver:
        webhook = ("--webhook", receiver.address)
        with start_serving(home, store, *webhook) as before:
            deployment = before.make_deployment("tests.flows.training.deployed", **LIMIT)
            run = before.begin(deployment, epochs=9, nap=1.0)
            strange = run_elsewhere(before)
            wait_for("a checkpoint", before.checkpoints)
            below = descendants(before.pid)
            for pid in (before.pid, *below):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            wait_for("the end of all", lambda: are_gone(set(below)))
        with start_serving(home, store, *webhook) as serving:
            both = strange, run_elsewhere(serving)
            yield Cut(serving, receiver, deployment, run, both)


def test_the_run_that_was_cut_off_is_marked_as_crashed(cut: Cut) -> None:
    cut.serving.wait_for_state(cut.run, "Crashed")
    assert "its process is gone" in cut.serving.ask(f"/flow_runs/{cut.run}")["state"]["message"]
    assert cut.serving.journal(cut.run).status == "crashed"
    assert verify(cut.serving.store).sound


def test_its_place_is_free_and_the_next_run_goes_on(cut: Cut) -> None:
    """With a limit of one run, of which further ones are cancelled."""
    states = ("Completed", "Cancelled")

    def completed() -> str:
        again = cut.serving.begin(cut.deployment, epochs=9, nap=0.0)
        state = cut.serving.wait_for_state(again, *states)
        return again if state == "Completed" else ""

    wait_for("a place, at the latest when the lease ends", completed)
    assert not cut.serving.checkpoints()


def test_heartbeats_that_stop_and_late_runs_are_told_to_the_webhook(cut: Cut) -> None:
    """A run that began before the cut is told of, too, but after a quarter of an hour."""
    serving = cut.serving
    serving.ask("/work_pools/", {"name": "idle", "type": "process", "base_job_template": {}})
    waits = serving.make_deployment("tests.flows.training.deployed", work_pool_name="idle")
    late = serving.ask(f"/flow_runs/{serving.begin(waits)}")["name"]
    for strange in cut.strange:
        serving.wait_for_state(strange, "Crashed")
    name = serving.ask(f"/flow_runs/{cut.strange[1]}")["name"]

    def told(of: str) -> list[str]:
        return [text for text in cut.receiver.texts if f"run {of} of training is " in text]

    (text,) = wait_for("the crashed run", lambda: told(name))
    assert " is Crashed: its process has sent no heartbeat" in text
    assert text.endswith(f"/runs/flow-run/{cut.strange[1]}") and "http://127.0.0.1:" in text
    (text,) = wait_for("the late run", lambda: told(late))
    assert " is Late" in text
    assert not [text for text in cut.receiver.texts if "Completed" in text]


def test_a_second_one_says_that_the_address_is_taken(cut: Cut) -> None:
    port = cut.serving.api.split(":")[2].split("/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "serve", "--port", port],
        cwd=ROOT,
        env=cut.serving.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be used" in done.stderr and "--port" in done.stderr


def test_ctrl_c_ends_all_of_it(cut: Cut) -> None:
    """In the middle of a run; nothing is left running, and the run is not `Running` for ever."""
    serving = cut.serving
    deployment = serving.make_deployment("tests.flows.training.deployed")
    run = serving.begin(deployment, epochs=8, nap=1.0)
    wait_for("a checkpoint", serving.checkpoints)
    below = serving.descendants()
    assert any("engine.isolate" in line for line in below.values())
    assert serving.stop(signal.SIGINT) == 0
    assert are_gone(set(below))
    assert serving.journal(run).status in (
        "interrupted",
        "crashed",
    )  # not that it had come to its end
    assert verify(serving.store).sound and serving.checkpoints()
    page = serving.store.report / "training.html"
    assert address_of(page, serving.store) == ""
