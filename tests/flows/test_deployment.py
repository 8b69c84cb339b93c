"""Every flow as a deployment: its schedule, its form, a manual and a scheduled run, and what the UI shows."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cli import prefect_process
from tests.flows.prefect_server import ROOT
from tests.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from tests.flows.serving import Serving
    from tests.report.chromium import Tab

pytestmark = pytest.mark.slow

SMALL = {
    "data": {"offline": True},
    "forest": {"splits": 2, "trees": 10},
    "clusters": {"k_max": 6, "n_init": 5},
    "reference": {"references": 2, "resamples": 2, "n_init": 1},
    "classifier": {"clusters": [4, 5], "splits": 2, "n_init": 1, "spaces": ["raw"]},
}


@pytest.fixture(scope="module")
def manual(serving: Serving) -> str:
    """The id of a manual run that has ended."""
    argument = f"parameters={json.dumps(SMALL)}"
    serving.run("deployment", "run", "wifi/nightly", "--param", argument, "--watch")
    return str(_runs(serving, "wifi")[0]["id"])


def _runs(serving: Serving, flow: str) -> list[dict[str, Any]]:
    body = {"sort": "START_TIME_DESC", "flows": {"name": {"any_": [flow]}}}
    found: list[dict[str, Any]] = serving.ask("/flow_runs/filter", body)
    return [run for run in found if run["start_time"]]


def _task_states(serving: Serving, flow_run: str) -> dict[str, str]:
    body = {"flow_runs": {"id": {"any_": [flow_run]}}, "limit": 200}
    tasks = serving.ask("/task_runs/filter", body)
    return {task["name"]: task["state_name"] for task in tasks}


def test_every_flow_is_deployed_and_never_queues_up(serving: Serving) -> None:
    found = serving.registered
    schedules = {
        "wifi/nightly": "0 2 * * *",
        "digits/weekly": "0 3 * * 0",
        "autoencoder/weekly": "0 4 * * 6",
        "dreams/weekly": "0 5 * * 0",
        "study/nightly": "0 1 * * *",
        "study/seed": "0 22 * * 5",
    }
    assert set(schedules) <= set(found)
    for name, cron in schedules.items():
        deployment = found[name]
        (schedule,) = deployment["schedules"]
        assert schedule["schedule"]["cron"] == cron
        assert schedule["active"] == (name != "study/seed")
        assert deployment["description"] and {"latentflow", name.split("/")[0]} <= {
            *deployment["tags"]
        }
        assert deployment["concurrency_limit"] == 1 or deployment["global_concurrency_limit"]
        assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
        assert deployment["work_pool_name"] == "local"
    assert found["study/seed"]["parameters"] == {"preset": "seed"}
    (automation,) = serving.ask("/automations/filter", {})
    assert automation["enabled"] and automation["name"] == "latentflow crashed runs"


def test_registering_again_changes_nothing_that_was_changed_in_the_ui(serving: Serving) -> None:
    before = serving.deployments()["study/seed"]
    serving.set_active(before, True)
    child = prefect_process.start("register", environment=serving.environment)
    try:
        assert child.wait(PATIENCE) == 0
    finally:
        prefect_process.end(child, 30)
    after = serving.deployments()["study/seed"]
    serving.set_active(after, False)
    assert after["schedules"][0]["active"] and after["updated"] == before["updated"]


def test_a_manual_run_completes_and_its_task_runs_are_the_stages(
    serving: Serving, manual: str
) -> None:
    run = serving.ask(f"/flow_runs/{manual}")
    assert run["state_name"] == "Completed"

    def finished() -> dict[str, str] | None:
        states = _task_states(serving, manual)
        return states if set(states.values()) == {"Completed"} and "draw_pca" in states else None

    states = wait_for("all task runs", finished)
    assert {"download_dataset", "read_table", "fit_kmeans[k=5]", "tabulate_findings"} <= set(states)


def test_the_form_shows_presets_descriptions_and_bounds_and_refuses_what_is_out_of_them(
    serving: Serving,
) -> None:
    schema = serving.deployments()["wifi/nightly"]["parameter_openapi_schema"]
    trees = schema["definitions"]["Forest"]["properties"]["trees"]
    assert trees["minimum"] == 1 and trees["maximum"] == 5000 and trees["description"]
    preset = schema["properties"]["preset"]
    assert set(preset["enum"]) == {"quick", "standard", "seed"} and preset["default"] == "standard"
    assert all(schema["properties"][name]["description"] for name in ("parameters", "preset"))
    for wrong, said in (
        ({"parameters": {"forest": {"trees": 0}}}, "0 is less than the minimum of 1"),
        ({"preset": "slow"}, "'slow' is not one of"),
    ):
        arguments = [f"--param={name}={json.dumps(value)}" for name, value in wrong.items()]
        with pytest.raises(AssertionError, match=said):
            serving.run("deployment", "run", "wifi/nightly", *arguments)


def test_a_scheduled_run_finds_every_stage_cached_and_publishes_all_the_same(
    serving: Serving, manual: str
) -> None:
    deployment = serving.deployments()["wifi/nightly"]
    body = {
        "schedule": {"interval": 15, "anchor_date": "2026-01-01T00:00:00Z"},
        "active": True,
        "parameters": {"parameters": SMALL},
    }
    path = f"/deployments/{deployment['id']}/schedules"
    (schedule,) = serving.ask(path, [body])  # type: ignore[arg-type]

    def ended() -> dict[str, Any] | None:
        done = [
            r
            for r in _runs(serving, "wifi")
            if r["auto_scheduled"] and r["state_name"] == "Completed"
        ]
        return done[0] if done else None

    run = wait_for("a scheduled run", ended)
    serving.change(f"{path}/{schedule['id']}", "DELETE")
    states = wait_for(
        "its task runs",
        lambda: (s := _task_states(serving, run["id"])) and set(s.values()) == {"Cached"} and s,
    )
    assert "fit_kmeans[k=5]" in states
    filter_ = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    keys = {artifact["key"] for artifact in serving.ask("/artifacts/filter", filter_)}
    assert {"wifi-findings", "wifi-summary", "wifi-figures"} <= keys


def test_logs_of_stages_arrive_in_the_ui(serving: Serving, manual: str) -> None:
    body = {"logs": {"flow_run_id": {"any_": [manual]}}, "limit": 200}
    wait_for(
        "a line of the download stage",
        lambda: [r for r in serving.ask("/logs/filter", body) if r["name"] == "tasks.download"],
    )


def test_a_run_with_nothing_to_do_loads_nothing_heavy(serving: Serving, manual: str) -> None:
    """Through Prefect, with all that it publishes."""
    code = (
        "import json, sys\nfrom flows.deployed import wifi\n"
        "counts = wifi(json.loads(sys.argv[1]))\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib'}\n"
        "print(json.dumps([counts, sorted(heavy & set(sys.modules))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(SMALL)],
        cwd=ROOT,
        env={**serving.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    counts, heavy = json.loads(done.stdout.splitlines()[-1])
    assert set(counts) == {"cached"} and heavy == []


# The UI, in a browser


def visit(tab: Tab, address: str, *texts: str) -> None:
    """Open a page and wait until it shows these texts."""
    tab.open(address, width=1400, height=1400)
    for text in texts:
        tab.wait(shows(text))


def shows(text: str) -> str:
    return f"!!document.body && document.body.innerText.includes({text!r})"


def choose(tab: Tab, text: str, then: str) -> None:
    """Press the tab that bears a text until it shows another one: pages are drawn again and again."""
    found = (
        "[...document.querySelectorAll('a, button, [role=tab]')]"
        f".find(e => e.innerText.trim() === {text!r})"
    )
    # A tab of these pages hears no plain click.
    press = (
        "for (const kind of ['pointerdown', 'mousedown', 'pointerup', 'mouseup'])"
        " e.dispatchEvent(new MouseEvent(kind, {bubbles: true, button: 0})); e.click();"
    )
    tab.wait(f"{shows(then)} || (e => {{ if (e) {{ {press} }} }})({found})")


def test_from_a_run_to_its_findings_figures_and_report(
    serving: Serving, manual: str, tab: Tab
) -> None:
    ui = serving.api.removesuffix("/api") + "/v2"
    visit(tab, f"{ui}/runs/flow-run/{manual}", "Completed", "Task runs")
    for key in ("wifi-findings", "wifi-summary", "wifi-figures"):
        choose(tab, "Artifacts", then=key)
    found = serving.artifacts(manual)
    visit(
        tab,
        f"{ui}/artifacts/artifact/{found['wifi-findings']['id']}",
        "random forest, unseen rows",
    )
    visit(tab, f"{ui}/artifacts/artifact/{found['wifi-summary']['id']}", "Report page")
    tab.wait("!!document.querySelector('[aria-roledescription^=flowchart]')")  # it is drawn
    visit(tab, f"{ui}/artifacts/artifact/{found['wifi-figures']['id']}", "second peak")
    pictures = "[...document.images].filter(i => i.src.startsWith('data:image/png'))"
    tab.wait(f"{pictures}.length >= 13 && {pictures}.every(i => i.naturalWidth > 300)")

    visit(tab, f"{ui}/artifacts/artifact/{found['wifi-summary']['id']}", "Report page")
    link = "[...document.links].map(a => a.href).find(h => h.endsWith('.html'))"
    address = tab.wait(link)  # a page draws its text again and again while it loads
    assert address.startswith(serving.report)
    visit(tab, address, "What was done")
    tab.wait("document.images.length >= 13")


def test_the_form_of_a_run_explains_itself(serving: Serving, tab: Tab) -> None:
    deployment = serving.deployments()["wifi/nightly"]["id"]
    ui = serving.api.removesuffix("/api")
    visit(
        tab,
        f"{ui}/deployments/deployment/{deployment}/run",
        "Trees of a forest; more change the accuracy by less than .1",
        "Where the values come from that stand at their defaults above.",
        "standard",
    )
