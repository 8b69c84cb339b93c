"""One project for all tests of a process, a store for each, and one filled store to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.project import Project, make_project, use_store


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project; only its store differs from test to test."""
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(folder: Project, tmp_path: Path) -> Project:
    """The project with an empty store."""
    return use_store(folder, tmp_path / "store")


@pytest.fixture(scope="session")
def filled(folder: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after two runs: the quick preset, then the standard one. Only looked at."""
    project = use_store(folder, tmp_path_factory.mktemp("filled") / "store")
    project.good("run", "toy", "--local", "--preset", "quick")
    project.good("run", "toy", "--local")
    return project
