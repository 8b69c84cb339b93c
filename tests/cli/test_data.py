from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from cli.main import app


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


def test_data_sets_are_listed_with_their_licences():
    rows = {row["name"]: row for row in json.loads(call("list", "--json").stdout)}
    assert rows["wifi"]["licence"] == "CC BY 4.0" and rows["wifi"]["bundled"]
    said = call("list").stdout
    assert "wifi" in said and "https://archive.ics.uci.edu" in said


def test_a_data_set_is_fetched_without_a_network():
    found = json.loads(call("fetch", "wifi", "--offline", "--json").stdout)
    assert (found["source"], found["size"]) == ("bundled", 62_000)
    assert "content verified" in call("fetch", "wifi", "--offline").stdout


def test_bundled_copies_are_verified():
    done = call("verify", "wifi", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)[0]["ok"]
    assert "wifi" in call("verify").stdout


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_an_unknown_data_set_is_told(command):
    done = call(command, "wify")
    assert done.exit_code == 1
    assert "no data set is called 'wify'" in done.stderr


def test_a_damaged_copy_is_an_exit_status(monkeypatch):
    report = {"name": "wifi", "file": "x", "size": 1, "sha256": "", "ok": False, "fault": "altered"}
    monkeypatch.setattr("tasks.datasets.verify_bundled", lambda name: report)
    done = call("verify", "wifi")
    assert done.exit_code == 1
    assert "altered" in done.stdout
