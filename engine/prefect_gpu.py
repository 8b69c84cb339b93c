"""One training at a time where a GPU is: a lease of Prefect's, which ends with its holder."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.gpus import count_gpus

if TYPE_CHECKING:
    from engine.stage import Stage

log = logging.getLogger(__name__)

_LEASE_SECONDS = 60.0  # renewed while the stage is computed; a killed one's place is free after it


@contextlib.contextmanager
def gpu_alone(stage: Stage[Any, Any]) -> Iterator[None]:
    """Hold this machine's GPUs while the block runs, if the stage would use them.

    TensorFlow takes the memory of all GPUs that it sees, so it is one lease for all of them. Stages
    in this process share what it has taken already; those with a process of their own do not.
    """
    wants = stage.options.own_process and "tensorflow" in stage.options.packages
    if not wants or not count_gpus():
        yield
        return
    from prefect import get_client
    from prefect.concurrency.sync import concurrency
    from prefect.exceptions import ObjectAlreadyExists

    name = f"latentflow-gpu-{socket.gethostname()}"
    with get_client(sync_client=True) as client, contextlib.suppress(ObjectAlreadyExists):
        client.upsert_global_concurrency_limit_by_name(name, 1)  # another run may be as quick
    log.info("%s waits for its turn on the GPU", stage.name)
    with concurrency(
        name, lease_duration=_LEASE_SECONDS, strict=True, raise_on_lease_renewal_failure=False
    ):
        yield
