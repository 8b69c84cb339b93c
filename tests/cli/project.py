"""A project of its own for a test: the command line and the engine with one small flow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from typer.testing import CliRunner, Result

from cli.main import app
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).with_name("sample")
_LOOKS_AT_THE_STORE = ("runs", "diff", "show", "verify", "gc", "pin")
STAGES = 9  # calls of the toy flow with its defaults


@dataclass
class Project:
    """A folder with the packages and a store, and how commands are run there."""

    root: Path
    store: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`latentflow` with these arguments; as a process if the project's flows are needed."""
        if arguments[0] in _LOOKS_AT_THE_STORE:
            found = CliRunner().invoke(app, [*arguments], env=self.environment)
            text = "".join(traceback.format_exception(found.exception)) if _crashed(found) else ""
            return subprocess.CompletedProcess(
                arguments, found.exit_code, found.stdout, found.stderr + text
            )
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def good(self, *arguments: str, **environment: str) -> str:
        """What a command that must succeed prints on stdout."""
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """What a command that must succeed prints with --json."""
        return json.loads(self.good(*arguments, "--json"))

    def bad(self, *arguments: str, code: int = 1) -> str:
        """What a command that must fail prints on stderr: a message, no traceback."""
        done = self.run(*arguments)
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a process in a group of its own, its stderr in stdout."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def stop_during(
        self, *arguments: str, after: str, number: int = signal.SIGINT
    ) -> tuple[int, str]:
        """Send a signal to a command's group once it has printed `after`.

        Returns:
            Exit status and output.
        """
        process = self.start(*arguments)
        assert process.stdout is not None
        said = _read_until(process.stdout, after)
        os.killpg(process.pid, number)
        rest, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, said + rest


def make_project(root: Path) -> Project:
    """Copy the packages and the toy flow into an empty folder."""
    for name in ("engine", "cli"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("flows", "tasks", "report"):
        (root / name).mkdir()
        (root / name / "__init__.py").touch()
    shutil.copy(SAMPLE / "toy.py", root / "flows" / "toy.py")
    store = root / "artifacts"
    environment = {
        **os.environ,
        "LATENTFLOW_STORE": str(store),
        "PYTHONPATH": str(root),
        "COLUMNS": "120",
    }
    for name in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return Project(root, store, environment)


def use_store(project: Project, store: Path) -> Project:
    """The same project with another store."""
    environment = {**project.environment, "LATENTFLOW_STORE": str(store)}
    return Project(project.root, store, environment)


def _crashed(result: Result) -> bool:
    return result.exception is not None and not isinstance(result.exception, SystemExit)


def _read_until(stream: IO[str], word: str) -> str:
    said = ""
    for line in stream:
        said += line
        if word in line:
            return said
    raise AssertionError(f"{word!r} was never said:\n{said}")
