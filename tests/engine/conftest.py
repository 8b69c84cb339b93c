"""A store of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def tally(tmp_path: Path) -> Path:
    return tmp_path / "tally"
