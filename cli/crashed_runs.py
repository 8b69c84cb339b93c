"""Flow runs that a server takes for running although their journals say that their process is dead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from engine.journal import list_runs, read_run
from engine.store import Store

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

_MOST = 200


def settle(client: SyncPrefectClient, store: Store) -> int:
    """Mark such runs of this store as crashed: at once, and also where no heartbeat was ever heard.

    That is so after a power cut, and for a run with a temporary server that was killed with it.

    Returns:
        How many.
    """
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    types = [StateType.RUNNING, StateType.CANCELLING]
    state = FlowRunFilterState.model_validate({"type": {"any_": types}})
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state), limit=_MOST)
    journals = _journals(store, {str(run.id) for run in runs}) if runs else {}
    dead = [id_ for id_, path in journals.items() if read_run(path).status == "crashed"]
    for run in runs:
        if str(run.id) in dead:
            message = "its process is gone: it left its journal without an end"
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
    return len(dead)


def _journals(store: Store, wanted: set[str]) -> dict[str, Path]:
    """Flow run → its journal."""
    found: dict[str, Path] = {}
    for path in list_runs(store):
        if len(found) == len(wanted):
            break
        try:
            with path.open("rb") as file:
                header = json.loads(file.readline())
        except (OSError, ValueError):
            continue
        if (id_ := header.get("prefect_flow_run")) in wanted:
            found[id_] = path
    return found
