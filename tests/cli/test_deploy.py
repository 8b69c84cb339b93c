"""`latentflow deploy` without a server to register with."""

from __future__ import annotations


def test_it_says_which_server_is_missing(project) -> None:
    assert "PREFECT_API_URL is not set" in project.bad("deploy")
    project.environment["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    said = project.bad("deploy")
    assert "Connection refused" in said and "latentflow serve" in said
