"""The flows as Prefect flows, for deployments: `entrypoint: flows.deployed.wifi`.

Importing this module imports Prefect; nothing else in `flows` does.
"""

from __future__ import annotations

from engine.prefect_flow import as_prefect
from flows.autoencoder import autoencoder as _autoencoder
from flows.digits import digits as _digits
from flows.dreams import dreams as _dreams
from flows.study import study as _study
from flows.wifi import wifi as _wifi

wifi = as_prefect(_wifi)
digits = as_prefect(_digits)
autoencoder = as_prefect(_autoencoder)
dreams = as_prefect(_dreams)
study = as_prefect(_study)
