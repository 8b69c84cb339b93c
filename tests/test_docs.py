"""The pages in docs/ are true: their example is a flow that runs, their commands work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the example's files, each named by its block's first line."""
    root = tmp_path_factory.mktemp("newcomer")
    for name in ("engine", "cli", "flows", "tasks", "report", "data"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for text in blocks("extending.md", "python"):
        first, _, rest = text.partition("\n")
        path = root / first.removeprefix("# ")
        assert not path.exists()
        path.write_text(rest)
    return root


def latentflow(project: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=project,
        env={
            "PYTHONPATH": str(project),
            "LATENTFLOW_STORE": str(project / "artifacts"),
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "120",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


@pytest.mark.slow
def test_the_example_runs_as_the_page_says(project):
    run, plan, show = (line.split()[1:] for line in blocks("extending.md", "sh")[0].splitlines())
    assert "ink" in latentflow(project, "status")
    first = latentflow(project, *run)
    assert "4 ran" in first and "report:" in first
    assert "4 cached" in latentflow(project, *run)
    foreseen = latentflow(project, *plan)
    assert re.search(r"measure_ink .*run .*params.threshold 64 → 128", foreseen)
    assert re.search(r"draw_ink .*unknown", foreseen)
    shown = latentflow(project, *show)
    assert "mean" in shown and "sd" in shown
    caption = latentflow(project, "show", "draw_ink")
    assert re.search(r"A 0 takes the most ink, \d+ % of its image; a 1 the least", caption)


@pytest.mark.slow
def test_an_edited_picture_runs_alone(project):
    latentflow(project, "run", "ink", "--preset", "quick", "--local")
    path = project / "tasks" / "ink.py"
    before = path.read_text()
    path.write_text(before.replace('color="#0072B2"', 'color="#009E73"'))
    try:
        foreseen = latentflow(project, "plan", "ink", "--preset", "quick")
    finally:
        path.write_text(before)
    assert "3 cached" in foreseen and "1 run" in foreseen
    assert re.search(r"draw_ink .*tasks.ink.draw_ink changed", foreseen)


@pytest.mark.slow
def test_what_cannot_be_is_refused_without_a_line_of_ones_own(project):
    for arguments, said in (
        (["--set", "treshold=3"], "did you mean threshold?"),
        (["--set", "threshold=300"], "threshold: input should be less than or equal to 255"),
        (["--preset", "quik"], "did you mean quick?"),
    ):
        assert said in latentflow(project, "run", "ink", *arguments, code=1)


def test_commands_on_the_pages_exist():
    from typer.testing import CliRunner

    from cli.main import app

    for page in DOCS.glob("*.md"):
        for line in "\n".join(blocks(page.name, "sh")).splitlines():
            words = line.split()
            if words and words[0] == "latentflow":
                done = CliRunner().invoke(app, [words[1], "--help"])
                assert done.exit_code == 0, line
                for option in words[2:]:
                    assert not option.startswith("--") or option in done.output, line
