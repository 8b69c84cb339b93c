"""Deployed runs that train: watched, cancelled, killed, gone on with."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from engine.verify import verify
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.flows.serving import Serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployment(serving: Serving) -> str:
    return serving.make_deployment("tests.flows.training.deployed")


def stages(serving: Serving) -> dict[int, str]:
    """Processes that compute a stage."""
    return {pid: line for pid, line in serving.descendants().items() if "engine.isolate" in line}


def test_progress_is_seen_while_it_trains(serving: Serving, deployment: str) -> None:
    run = serving.begin(deployment, epochs=9, nap=0.2)

    def bar() -> Any:
        return serving.artifacts(run).get("training-count-apart-progress")

    first = wait_for("a bar", bar)
    assert first["type"] == "progress" and 0 < first["data"] < 100
    assert first["description"].startswith("`count_apart`: epoch ")
    assert " of 90 steps" in first["description"] and first["description"].endswith(" left")
    assert first["task_run_id"] and first["flow_run_id"] == run
    wait_for("a later bar", lambda: bar()["data"] > first["data"])
    serving.wait_for_state(run, "Completed")
    found = serving.artifacts(run)
    assert found["training-count-apart-progress"]["data"] == 100
    rows = json.loads(found["training-count-apart-so-far"]["data"])
    assert [row["epoch"] for row in rows] == list(range(1, 10))
    assert rows[0]["loss"] == pytest.approx(0.1) and rows[-1]["loss"] == pytest.approx(1 / 90)
    assert (
        len([key for key in found if key.endswith("progress")]) == 1
    )  # one that is brought up to date


def test_a_cancelled_run_ends_in_the_middle_and_the_next_goes_on(
    serving: Serving, deployment: str
) -> None:
    """Several trainings at once, in threads of the flow run's process."""
    run = serving.begin(deployment, epochs=6, nap=0.3, seeds=[1, 2, 3])
    wait_for("checkpoints", serving.checkpoints)
    assert stages(serving)
    state = {"type": "CANCELLING", "name": "Cancelling"}  # as the UI and `prefect flow-run cancel`
    serving.ask(f"/flow_runs/{run}/set_state", {"state": state})
    wait_for("the end of the training", lambda: not stages(serving))
    serving.wait_for_state(run, "Cancelled")
    assert serving.journal(run).status == "interrupted"
    assert verify(serving.store).sound
    kept = {path.parent.name for path in serving.checkpoints()}
    assert kept  # a training that comes to its end leaves none

    again = serving.begin(deployment, epochs=6, nap=0.1, seeds=[1, 2, 3])  # nap: not in the recipe
    serving.wait_for_state(again, "Completed")
    assert kept <= {stage.key for stage in serving.journal(again).stages.values()}
    assert not serving.checkpoints()
    bar = serving.artifacts(again)["training-count-apart-progress"]
    assert bar["data"] == 100 and "3 of 3 calls" in bar["description"]


def test_a_killed_run_is_crashed_at_once_and_the_next_goes_on(
    serving: Serving, deployment: str
) -> None:
    run = serving.begin(deployment, epochs=5, nap=0.3, seeds=[7])
    wait_for("a checkpoint", serving.checkpoints)
    os.kill(serving.process_of(run), signal.SIGKILL)
    wait_for("the end of the training", lambda: not stages(serving))
    serving.wait_for_state(run, "Crashed")
    assert verify(serving.store).sound and serving.checkpoints()
    again = serving.begin(deployment, epochs=5, nap=0.0, seeds=[7])
    serving.wait_for_state(again, "Completed")
    assert not serving.checkpoints()
