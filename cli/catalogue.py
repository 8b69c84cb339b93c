"""The flows there are: modules of the package `flows` that define one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from cli.errors import BrokenFlow
from engine.errors import InputError, LatentflowError
from engine.flow import Flow
from engine.parameters import nearest

_NO_FLOW = ("deployed",)  # the same flows again, as Prefect's


def find_flow(name: str) -> Flow[Any]:
    """The flow of that name.

    Raises:
        InputError: there is none; the nearest name is suggested.
        BrokenFlow: its module cannot be imported.
    """
    found = _load(name) if name in _modules() else None
    if found is None:
        raise InputError(f"there is no flow {name}{nearest(name, list(all_flows()))}")
    return found


def all_flows() -> dict[str, Flow[Any] | BrokenFlow]:
    """Every flow by name; one that cannot be imported as its error."""
    found: dict[str, Flow[Any] | BrokenFlow] = {}
    for name in _modules():
        try:
            flow = _load(name)
        except BrokenFlow as error:
            found[name] = error
            continue
        if flow is not None:
            found[name] = flow
    return found


def _modules() -> list[str]:
    """Names of the modules in `flows` that may define one, none of them imported."""
    import flows

    found = (info.name for info in pkgutil.iter_modules(flows.__path__))
    return sorted(name for name in found if name not in _NO_FLOW and not name.startswith("_"))


def _load(name: str) -> Flow[Any] | None:
    try:
        module = importlib.import_module(f"flows.{name}")
    except LatentflowError:
        raise
    except Exception as error:
        raise BrokenFlow(
            f"flow {name} cannot be imported: {type(error).__name__}: {error}; mend flows/{name}.py "
            "or what it imports (--debug shows where)"
        ) from error
    found = getattr(module, name, None)
    return found if isinstance(found, Flow) else None
