"""A run through Prefect's temporary server."""

from __future__ import annotations

import json

import pytest

from tests.cli.project import STAGES


@pytest.mark.slow
def test_a_stale_flow_runs_through_a_temporary_server(project):
    done = project.run("run", "toy", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["served"] and found["outcomes"] == {"ran": STAGES}
    assert "temporary server" in done.stderr
    assert "Traceback" not in done.stderr and "Error" not in done.stderr
    local = project.json("run", "toy", "--local")
    assert local["outcomes"] == {"cached": STAGES}
    assert local["results"] == found["results"]
