"""Ctrl-C and SIGTERM: a clean end, and the next run goes on."""

from __future__ import annotations

import signal

import pytest

from tests.cli.project import STAGES


@pytest.mark.parametrize("slow", ["pause=3600", "sweep.pause=3600"], ids=["alone", "in threads"])
def test_ctrl_c_ends_a_stage_and_the_next_run_goes_on(project, slow):
    code, said = project.stop_during("run", "toy", "--local", "--set", slow, after="dozing")
    assert code == 130
    last = said.splitlines()[-1]
    assert last.startswith("interrupted: ") and last.endswith("kept; the same command goes on")
    assert "Traceback" not in said and "failed" not in said
    kept = int(last.split()[1])
    assert project.json("runs")[0]["status"] == "interrupted"
    found = project.json("run", "toy", "--local")
    assert found["outcomes"] == {"cached": kept, "ran": STAGES - kept}
    assert project.json("verify")["sound"]


def test_a_terminated_run_ends_cleanly(project):
    code, said = project.stop_during(
        "run", "toy", "--local", "--set", "pause=3600", after="dozing", number=signal.SIGTERM
    )
    assert code == 143
    assert "interrupted: " in said and "Traceback" not in said
    assert project.json("runs")[0]["status"] == "interrupted"
