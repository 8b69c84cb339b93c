"""The flows as Prefect flows, for deployments: `entrypoint: flows.deployed.wifi`.

Importing this module imports Prefect; nothing else in `flows` does.
"""

from __future__ import annotations

from engine.prefect_runner import as_prefect
from flows.digits import digits as _digits
from flows.wifi import wifi as _wifi

wifi = as_prefect(_wifi)
digits = as_prefect(_digits)
