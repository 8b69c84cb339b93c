"""Trainings that would use a GPU take turns, in one flow run and across several."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from engine.journal import list_runs, read_run
from tests.flows.prefect_server import ROOT
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.serving import Serving

pytestmark = pytest.mark.slow

CODE = (
    "import json, sys; from tests.flows.training import deployed; deployed(json.loads(sys.argv[1]))"
)


def run_at_once(
    serving: Serving, gpus: int, *seeds: list[int], meeting: str = ""
) -> list[tuple[float, float]]:
    """A flow run for each list of seeds, all at once; returns when each stage began and ended."""
    environment = {**serving.environment, "LATENTFLOW_GPUS": str(gpus), "PYTHONPATH": str(ROOT)}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, json.dumps({"occupying": each, "meeting": meeting})],
            cwd=ROOT,
            env=environment,
        )
        for each in seeds
    ]
    assert [run.wait(PATIENCE) for run in runs] == [0] * len(runs)
    spans: list[Any] = []
    for path in list_runs(serving.store, "training", len(runs)):
        for stage in read_run(path).stages.values():
            spans += [serving.store.load(artifact) for artifact in stage.artifacts]
    return sorted((begun, ended) for begun, ended in spans)


def test_they_never_meet_where_a_gpu_is(serving: Serving) -> None:
    spans = run_at_once(serving, 1, [1, 2], [3])
    assert len(spans) == 3
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_they_do_where_none_is(serving: Serving, tmp_path: Path) -> None:
    spans = run_at_once(serving, 0, [4, 5], meeting=str(tmp_path))
    assert spans[0][1] > spans[1][0]
    assert not [
        limit for limit in serving.ask("/v2/concurrency_limits/filter", {}) if limit["active_slots"]
    ]
