"""One `latentflow serve` for all tests that only use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.serving import Serving, start_serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Server, deployments, worker and report, with a home and a store of their own."""
    base = tmp_path_factory.mktemp("serving")
    with start_serving(base / "home", base / "store") as found:
        yield found
