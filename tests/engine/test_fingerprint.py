"""An edit changes the fingerprints of exactly the stages that depend on the edited code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.fingerprint_edits import CHANGES, RENAMED, SAME, Edit
from tests.engine.fingerprint_process import fingerprints, write
from tests.engine.fingerprint_project import FILES

MODULES = ("tasks.wiring", "tasks.with_classes", "tasks.made", "tasks.plugged", "tasks.dynamic")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Fingerprints of the project before an edit."""
    root = tmp_path_factory.mktemp("before")
    write(root, FILES)
    return fingerprints(root, *MODULES)


def _changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[str]:
    assert before.keys() == after.keys()
    return {stage for stage in before if before[stage] != after[stage]}


def _edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text()
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("edit", CHANGES, ids=lambda edit: edit.name)
def test_an_edit_reaches_its_dependents_and_nobody_else(
    edit: Edit, before: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    write(tmp_path, FILES)
    _edit(tmp_path, edit.file, edit.old, edit.new)
    expected = set[str]()
    for name in edit.stages:
        module = name.removesuffix(".*")
        whole = {stage for stage, found in before.items() if f"{module}.{stage}" in found}
        expected |= whole if name.endswith(".*") else {name}
    assert _changed(before, fingerprints(tmp_path, *MODULES)) == expected


@pytest.mark.parametrize("edit", SAME, ids=lambda edit: edit.name)
def test_an_edit_without_meaning_changes_nothing(
    edit: Edit, before: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    write(tmp_path, FILES)
    _edit(tmp_path, edit.file, edit.old, edit.new)
    assert _changed(before, fingerprints(tmp_path, *MODULES)) == set()


@pytest.mark.parametrize("name", RENAMED)
def test_imports_count_by_what_they_import(
    name: str, before: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    write(tmp_path, FILES)
    file, replacements = RENAMED[name]
    for old, new in replacements.items():
        _edit(tmp_path, file, old, new)
    assert _changed(before, fingerprints(tmp_path, *MODULES)) == set()


def test_functions_of_one_line_are_told_apart(before: dict[str, dict[str, str]]) -> None:
    assert before["first_lambda"] != before["second_lambda"]
    assert before["made_three"] != before["made_five"]


def test_a_fingerprint_names_what_it_rests_on(before: dict[str, dict[str, str]]) -> None:
    assert list(before["calls"]) == [
        "tasks.constants.SCALE",
        "tasks.deep.far._farther",
        "tasks.deep.far.far",
        "tasks.near.near",
        "tasks.wiring.calls",
    ]
    # Names of arguments and of loops hide the module's own.
    assert list(before["shadowed"]) == ["tasks.wiring.shadowed"]
    assert list(before["walrus"]) == ["tasks.dynamic.walrus", "tasks.effects.<module>"]
    for found in before.values():
        assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in found.values())


def test_fingerprints_are_the_same_in_every_process(
    before: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    write(tmp_path, FILES)
    # Each process orders its sets in its own way.
    for _ in range(4):
        assert fingerprints(tmp_path, *MODULES) == before
