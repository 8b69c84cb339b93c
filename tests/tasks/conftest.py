"""A server that misbehaves, for what is downloaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.faulty_server import FaultyServer


@pytest.fixture
def server(scratch: Path) -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files go where the test can see what is left of them; no proxy comes between."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("NO_PROXY", "*")
    return folder
