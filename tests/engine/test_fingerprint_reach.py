"""Ways of depending on code that are easily missed, and neighbours that are easily dragged along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.fingerprint_process import run_all, write

_EDIT = re.compile(r"\{\{(.*?)\|(.*?)\}\}", re.DOTALL)


def _read(text: str) -> dict[str, dict[str, str]]:
    """Name of the case -> file -> text with its edits marked."""
    cases: dict[str, dict[str, str]] = {}
    for section in text.split("\n## ")[1:]:
        name, *lines = section.splitlines()
        files = cases.setdefault(name, {})
        file = ""
        for line in lines:
            if line.endswith(".py") and not line.startswith(" "):
                file = line
                files[file] = "from engine import stage\n" if file == "m.py" else ""
            elif file:
                files[file] += line.removeprefix("    ") + "\n"
    return cases


_TEXT = (Path(__file__).parent / "fingerprint_reach.txt").read_text(encoding="utf-8")
_DEPENDS, _INDEPENDENT = (_read(part) for part in _TEXT.split("\n# ")[1:])


@pytest.fixture(scope="module")
def differs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Name of the case -> whether the edit changes the fingerprint; one process for each side."""
    cases = _DEPENDS | _INDEPENDENT
    found = []
    for side in (r"\1", r"\2"):
        root = tmp_path_factory.mktemp("side")
        roots = [root / str(number) for number, _ in enumerate(cases)]
        for folder, files in zip(roots, cases.values(), strict=True):
            write(folder, {file: _EDIT.sub(side, text) for file, text in files.items()})
        answers = run_all(roots, "m")
        assert not any(answer["errors"] for answer in answers)
        found.append([answer["found"]["s"] for answer in answers])
    pairs = zip(cases, *found, strict=True)
    return {name: old != new for name, old, new in pairs}


def test_every_case_has_an_edit() -> None:
    assert all(_EDIT.search("".join(f.values())) for f in (_DEPENDS | _INDEPENDENT).values())
    assert len(_DEPENDS) > 90 and len(_INDEPENDENT) > 15


@pytest.mark.parametrize("name", _DEPENDS)
def test_a_hidden_dependency_is_seen(name: str, differs: dict[str, bool]) -> None:
    assert differs[name]


@pytest.mark.parametrize("name", _INDEPENDENT)
def test_a_neighbour_is_left_out(name: str, differs: dict[str, bool]) -> None:
    assert not differs[name]
