"""Ways of depending on code that are easily missed, and neighbours that are easily dragged along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.engine.fingerprint_process import fingerprints, write

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


def _differs(files: dict[str, str], root: Path) -> bool:
    found = []
    for side in (r"\1", r"\2"):
        write(root, {file: _EDIT.sub(side, text) for file, text in files.items()})
        found.append(fingerprints(root, "m")["s"])
    return found[0] != found[1]


def test_every_case_has_an_edit() -> None:
    assert all(_EDIT.search("".join(f.values())) for f in (_DEPENDS | _INDEPENDENT).values())
    assert len(_DEPENDS) > 80 and len(_INDEPENDENT) > 15


@pytest.mark.parametrize("name", _DEPENDS)
def test_a_hidden_dependency_is_seen(name: str, tmp_path: Path) -> None:
    assert _differs(_DEPENDS[name], tmp_path)


@pytest.mark.parametrize("name", _INDEPENDENT)
def test_a_neighbour_is_left_out(name: str, tmp_path: Path) -> None:
    assert not _differs(_INDEPENDENT[name], tmp_path)
