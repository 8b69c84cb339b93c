"""Help, names that are near misses, exit statuses."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from cli.main import _COMMANDS, app


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_with_an_example_and_json(command):
    done = call(command, "--help")
    assert done.exit_code == 0
    if command == "data":
        done = call(command, "fetch", "--help")
    assert f"Example: latentflow {command} " in " ".join(done.stdout.split()) + " "
    assert "--json" in done.stdout


def test_the_help_lists_every_command_in_one_line():
    said = call("--help").stdout
    for command in _COMMANDS:
        line = next(line for line in said.splitlines() if line.startswith(f"  {command} "))
        assert not line.endswith("...")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "wify"], "there is no flow wify; did you mean wifi?"),
        (["run", "deployed"], "there is no flow deployed"),
        (["plan", "wifi", "--preset", "quik"], "no preset quik; did you mean quick?"),
        (["plan", "wifi", "--set", "clusters.kmax=3"], "did you mean clusters.k_max?"),
        (["plan", "wifi", "--set", "clusters.k_max=1"], "clusters.k_max"),
        (["plan", "wifi", "--set", "clusters.k_max"], "expected section.parameter=value"),
        (["plan", "wifi", "--until", "fit_pac"], "did you mean fit_pca?"),
        (["run", "wifi", "--from", "nothing"], "--from nothing"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_told_before_anything_runs(monkeypatch, tmp_path, arguments, message):
    monkeypatch.setenv("LATENTFLOW_STORE", str(tmp_path / "store"))
    done = call(*arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "store" / "runs").exists()


@pytest.mark.parametrize("arguments", [["rum", "wifi"], ["run"], ["run", "wifi", "--nope"]])
def test_usage_errors_have_a_status_of_their_own(arguments):
    done = call(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_a_misspelt_command_is_recognised():
    assert "there is no command rum; did you mean run?" in call("rum").stderr


def test_the_version_is_shown():
    done = call("--version")
    assert done.exit_code == 0
    assert done.stdout.strip()
