"""Server, deployment, worker, a manual and a scheduled run, and what the UI shows of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.prefect_server import Server, start_server, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]

SMALL = {
    "data": {"offline": True},
    "forest": {"splits": 2, "trees": 10},
    "clusters": {"k_max": 6, "n_init": 5},
    "reference": {"references": 2, "resamples": 2, "n_init": 1},
    "classifier": {"clusters": [4, 5], "splits": 2, "n_init": 1, "spaces": ["raw"]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("deployed")
    with start_server(base / "home", base / "store") as server:
        server.run("work-pool", "create", "local", "--type", "process")
        server.run("deploy", "--all")
        with server.background("worker", "start", "--pool", "local"):
            yield server


@pytest.fixture(scope="module")
def manual(server: Server) -> str:
    """The id of a manual run that has ended."""
    argument = f"parameters={json.dumps(SMALL)}"
    server.run("deployment", "run", "wifi/nightly", "--param", argument, "--watch", timeout=400)
    return str(_runs(server)[0]["id"])


def _runs(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.ask("/flow_runs/filter", {"sort": "START_TIME_DESC"})
    return [run for run in found if run["start_time"]]


def _nightly(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = next(
        d for d in server.ask("/deployments/filter", {}) if d["name"] == "nightly"
    )
    return found


def _task_states(server: Server, flow_run: str) -> dict[str, str]:
    body = {"flow_runs": {"id": {"any_": [flow_run]}}, "limit": 200}
    tasks = server.ask("/task_runs/filter", body)
    return {task["name"]: task["state_name"] for task in tasks}


def test_a_manual_run_completes_and_its_task_runs_are_the_stages(
    server: Server, manual: str
) -> None:
    run = server.ask(f"/flow_runs/{manual}")
    assert run["state_name"] == "Completed"

    def finished() -> dict[str, str] | None:
        states = _task_states(server, manual)
        return states if set(states.values()) == {"Completed"} and "draw_pca" in states else None

    states = wait_for("all task runs", finished, 30)
    assert {"download_dataset", "read_table", "fit_kmeans[k=5]", "tabulate_findings"} <= set(states)


def test_the_deployment_never_queues_up(server: Server) -> None:
    deployment = _nightly(server)
    assert deployment["concurrency_limit"] == 1 or deployment["global_concurrency_limit"]
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert [s["schedule"]["cron"] for s in deployment["schedules"]] == ["0 2 * * *"]


def test_the_form_shows_descriptions_and_bounds_and_refuses_what_is_out_of_them(
    server: Server,
) -> None:
    deployment = _nightly(server)
    definitions = deployment["parameter_openapi_schema"]["definitions"]
    trees = definitions["Forest"]["properties"]["trees"]
    assert trees["minimum"] == 1 and trees["maximum"] == 5000 and trees["description"]
    wrong = json.dumps({"forest": {"trees": 0}})
    with pytest.raises(AssertionError, match="0 is less than the minimum of 1"):
        server.run("deployment", "run", "wifi/nightly", "--param", f"parameters={wrong}")


def test_a_scheduled_run_finds_every_stage_cached_and_publishes_all_the_same(
    server: Server, manual: str
) -> None:
    deployment = _nightly(server)
    body = {
        "schedule": {"interval": 15, "anchor_date": "2026-01-01T00:00:00Z"},
        "active": True,
        "parameters": {"parameters": SMALL},
    }
    server.ask(f"/deployments/{deployment['id']}/schedules", [body])  # type: ignore[arg-type]

    def ended() -> dict[str, Any] | None:
        done = [r for r in _runs(server) if r["auto_scheduled"] and r["state_name"] == "Completed"]
        return done[0] if done else None

    run = wait_for("a scheduled run", ended, 240)
    states = wait_for(
        "its task runs",
        lambda: (s := _task_states(server, run["id"])) and set(s.values()) == {"Cached"} and s,
        30,
    )
    assert "fit_kmeans[k=5]" in states
    filter_ = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    keys = {artifact["key"] for artifact in server.ask("/artifacts/filter", filter_)}
    assert {"wifi-findings", "wifi-summary", "wifi-figures"} <= keys


def test_logs_of_stages_arrive_in_the_ui(server: Server, manual: str) -> None:
    body = {"logs": {"flow_run_id": {"any_": [manual]}}, "limit": 200}
    wait_for(
        "a line of the download stage",
        lambda: [r for r in server.ask("/logs/filter", body) if r["name"] == "tasks.download"],
        30,
    )


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_the_ui_shows_table_graph_and_pictures(server: Server, manual: str, tmp_path: Path) -> None:
    artifacts = server.ask("/artifacts/latest/filter", {})
    latest = {artifact["key"]: artifact["latest_id"] for artifact in artifacts}
    page = server.api.removesuffix("/api") + "/v2/artifacts/artifact/"
    figures = _dom(page + latest["wifi-figures"], tmp_path / "figures")
    assert figures.count('src="data:image/png;base64,') >= 13
    assert "second peak" in figures
    summary = _dom(page + latest["wifi-summary"], tmp_path / "summary")
    assert 'aria-roledescription="flowchart' in summary  # Mermaid has drawn it
    table = _dom(page + latest["wifi-findings"], tmp_path / "findings")
    assert "random forest, unseen rows" in table


def _dom(address: str, profile: Path) -> str:
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--virtual-time-budget=25000", "--window-size=1400,2200"),
            *(f"--user-data-dir={profile}", "--dump-dom", address),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout
