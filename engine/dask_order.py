"""One call of a stage as JSON data: what a run sends to a worker of a Dask cluster, and the way back.

Names, handles, parameters and the recipe travel; arrays do not, and nothing is pickled. A worker
makes the same recipe from its own code, or refuses: a record is never written under the key of
code that did not compute it.
"""

from __future__ import annotations

import functools
import importlib
import os
import socket
import sys
from typing import Any

from engine.call import Call
from engine.errors import InputError
from engine.parcel import pack, unpack
from engine.recipe import Recipe, explain
from engine.stage import Bound, Stage, read_all_code
from engine.store import Store, project_root
from engine.symbols.places import is_foreign, stamp

Order = dict[str, Any]

_SHOWN = 5


class WorkerUnfit(InputError):
    """A worker that must not compute a call: it has other code, other packages or another store."""


def make_order(store: Store, call: Call) -> Order:
    """What a worker needs to compute the call; its lock is held by this process.

    Raises:
        InputError: the stage is defined where no other process can import it from.
    """
    assert call.recipe is not None
    module = call.stage.fn.__module__
    if module == "__main__":
        raise InputError(
            f"stage {call.stage.name} is defined in a script: only stages of a module can be "
            "computed by workers"
        )
    return {
        "slot": call.slot,
        "module": module,
        "stage": call.stage.fn.__qualname__,
        "label": call.stage.label,
        "inputs": pack(call.bound.inputs, call.stage.name),
        "params": pack(call.bound.params, call.stage.name),
        "recipe": call.recipe.to_json(),
        "store": store.address,
        "holder": f"(pid {os.getpid()} on {socket.gethostname()},",
    }


def read_order(order: Order, loaded: LoadedCode) -> tuple[Store, Call]:
    """The store and the call of an order, as this worker has them.

    Arguments:
        loaded: the project's code in this process.

    Raises:
        WorkerUnfit: the worker has other code or packages, or does not see the run's store.
    """
    if order["module"] not in sys.modules:
        loaded.check()
    try:
        stage = _find_stage(order)
        bound = Bound(unpack(order["inputs"]), unpack(order["params"]))
    except (ImportError, AttributeError) as error:
        raise WorkerUnfit(
            f"it has other code than this run ({error}): bring {project_root()} there to the same "
            "state and restart the worker"
        ) from error
    read_all_code()  # as it was loaded just now
    loaded.note()
    sent, own = Recipe.from_json(order["recipe"]), stage.recipe(bound)
    if own.key != sent.key:
        reasons = [reason.text for reason in explain(own, sent)]
        more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise WorkerUnfit(
            f"it has other code or packages than this run ({'; '.join(reasons[:_SHOWN])}{more}): "
            f"bring {project_root()} there to the same state and restart the worker"
        )
    store = Store(order["store"])
    if order["holder"] not in store.lock(own.key).holder():
        raise WorkerUnfit(
            f"it does not see this run's store {order['store']}: name a folder that all machines "
            "share, or a bucket, with LATENTFLOW_STORE"
        )
    return store, Call(order["slot"], stage, bound, recipe=own)


def _find_stage(order: Order) -> Stage[Any, Any]:
    module = importlib.import_module(order["module"])
    stage: Any = functools.reduce(getattr, order["stage"].split("."), module)
    if not isinstance(stage, Stage):
        raise AttributeError(f"{order['module']}.{order['stage']} is no stage")
    return stage.labelled(order["label"]) if order["label"] else stage


class LoadedCode:
    """The project's files that this process has loaded, as they were then.

    A worker lives for days. What it has loaded stays as it is when a file is edited, while the
    fingerprint of a stage that it loads afterwards would tell of the edited file.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, ...]] = {}

    def note(self) -> None:
        """Remember the files of all modules loaded since the last time."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if file and file not in self._known and not is_foreign(file):
                self._known[file] = stamp(file)

    def check(self) -> None:
        """Raise WorkerUnfit if one of them has changed."""
        for file, known in self._known.items():
            if stamp(file) != known:
                raise WorkerUnfit(
                    f"{file} there has changed since it was loaded: restart the worker"
                )
