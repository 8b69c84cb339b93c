"""A store of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Store
from tests.engine.machines import machine, proxy, s3_port, url  # noqa: F401 - fixtures
from tests.engine.zygote import Zygote, open_zygote
from tests.flows.prefect_server import Server, start_server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def tally(tmp_path: Path) -> Path:
    return tmp_path / "tally"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with open_zygote() as helper:
        yield helper


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("prefect")
    with start_server(base / "home", base / "store") as server:
        yield server
