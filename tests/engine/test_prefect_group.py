"""A group through Prefect: its parts are flow runs below its own, and one that fails stops no other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cli.served import _mark_crashed
from engine.journal import list_runs
from engine.store import Store
from tests.engine.test_group import both
from tests.engine.toy import count
from tests.flows.prefect_server import ROOT, Server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow


def test_parts_are_flow_runs_of_their_own(server: Server, store: Store, tally: Path):
    def run(**left: Any) -> dict[str, Any]:
        values = {
            "left": {"tally": str(tally), **left},
            "right": {"tally": str(tally), "ks": [2, 5]},
        }
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.engine.group_process",
                str(store.root),
                json.dumps(values),
            ],
            check=False,
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    assert "k is -1" in run(ks=[-1, 1])["failed"]["left"]
    before = count(tally)
    assert run(ks=[4, 1]) == {"ran": 1}
    assert count(tally) - before == {"times-4": 1, "tabulate": 1, "draw": 1, "export": 1}

    names = {flow["id"]: flow["name"] for flow in server.ask("/flows/filter", {})}
    every = server.ask("/flow_runs/filter", {})
    flow_runs = [r for r in every if names[r["flow_id"]] in ("both", *both.parts)]
    states = Counter((names[r["flow_id"]], r["state"]["name"]) for r in flow_runs)
    assert states == {
        ("both", "Failed"): 1,
        ("left", "Failed"): 1,
        ("right", "Completed"): 2,
        ("left", "Completed"): 1,
        ("both", "Completed"): 1,
    }
    assert sum(r["parent_task_run_id"] is not None for r in flow_runs) == 4
    assert [len(list_runs(store, name)) for name in ("left", "right", "both")] == [2, 2, 2]


def test_a_forced_end_marks_only_what_is_under_way(server: Server):
    flow = server.ask("/flows/", {"name": "other"})["id"]
    ids = {
        kind: server.ask("/flow_runs/", {"flow_id": flow, "state": {"type": kind}})["id"]
        for kind in ("RUNNING", "CANCELLING", "COMPLETED", "FAILED", "CANCELLED")
    }
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: server.api}):
        for flow_run in ids.values():
            _mark_crashed(flow_run)
    states = {kind: server.ask(f"/flow_runs/{id_}")["state"]["type"] for kind, id_ in ids.items()}
    assert states == {kind: kind for kind in ids} | dict.fromkeys(
        ("RUNNING", "CANCELLING"), "CRASHED"
    )
