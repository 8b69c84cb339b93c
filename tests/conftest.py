"""A home of its own for every test process: nothing is found from earlier runs and nothing stays behind.

And one browser for all of its tests that look at a page.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report.chromium import Tab

_HOME = Path(tempfile.mkdtemp(prefix="latentflow-tests-"))

# Before any test module is imported: Prefect and the store read these once.
os.environ |= {
    "LATENTFLOW_STORE": str(_HOME / "store"),
    "LATENTFLOW_CODE_CACHE": str(_HOME / "code"),
    "PREFECT_HOME": str(_HOME / "prefect"),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "DO_NOT_TRACK": "1",
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# A developer's own server or profile must never see a test's runs.
for name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_PROFILE", "PREFECT_API_AUTH_STRING"):
    os.environ.pop(name, None)

# The same examples on every machine and every day; no time limit on a shared processor.
hypothesis.settings.register_profile("latentflow", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("latentflow")


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    from tests.report.chromium import PROGRAM, browse

    if PROGRAM is None:
        pytest.skip("Chromium is not installed (make system installs it)")
    with browse(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
