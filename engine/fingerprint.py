"""The code a stage depends on, symbol by symbol, without importing or running any of it.

A symbol's hash is that of its syntax tree, freed of comments, docstrings, annotations, import
aliases and the engine's decorators. References are followed through the project's own files; what
is installed enters a recipe by its version, elsewhere. Where a reference cannot be decided from
the text the larger dependency is taken: a stage may run once too often, never once too little.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .symbols.changes import Changes
from .symbols.files import Project
from .symbols.graph import Graph
from .symbols.places import file_of_module, is_foreign, place_of, source_file, stamp
from .symbols.values import LiveValues, cell_values, no_source

LIVE = "<live>"  # what a function holds that no source shows: closures, bound arguments


class Fingerprinter:
    """Fingerprints functions against one snapshot: a source file is read once, when it is needed.

    Summaries of source files are kept in `cache_dir` and shared by processes; without one they
    last as long as the process. May be used by several threads.
    """

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._cache_dir = None if cache_dir is None else os.fspath(cache_dir)
        self._graphs: dict[str, Changes] = {}
        self._lock = threading.RLock()

    def fingerprint(self, fn: Callable[..., Any]) -> dict[str, str]:
        """Symbol -> 16 hex digits for all that `fn` depends on, in order of name.

        `fn` may be a function, a method, a `functools.partial` or an object with `__call__`; what
        its closure or its arguments hold is the entry that ends in `<live>`. Raises LookupError
        when the source cannot be found or a value it holds cannot be compared.
        """
        file, live_name = _home(fn)
        root, _ = place_of(file, live_name)
        with self._lock:
            if root not in self._graphs:
                self._graphs[root] = Changes(Graph(Project(root, self._cache_dir)))
            changes = self._graphs[root]
            live = LiveValues(changes.project)
            text = live.describe(fn, "the stage")
            nodes = changes.closure(live.starts, {module for module, _ in live.starts if module})
            found = changes.graph.hashes(nodes)
        own = text.removeprefix("function ")
        if own not in found:
            name = own.split()[0] if isinstance(fn, types.FunctionType) else _first(live)
            found[f"{name}.{LIVE}"] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return dict(sorted(found.items()))

    def is_current(self) -> bool:
        """Whether the files read so far are as they were."""
        with self._lock:
            seen = [item for c in self._graphs.values() for item in c.project.seen.items()]
        return all(stamp(path) == known for path, known in seen)


_shared: dict[Path | None, Fingerprinter] = {}


def fingerprint(fn: Callable[..., Any], cache: Path | None = None) -> dict[str, str]:
    """Symbol -> 16 hex digits for all that `fn` depends on, files read again when they changed.

    For many functions at once a `Fingerprinter` is faster. Raises LookupError as it does.
    """
    fingerprinter = _shared.get(cache)
    if fingerprinter is None or not fingerprinter.is_current():
        fingerprinter = _shared[cache] = Fingerprinter(cache)
    return fingerprinter.fingerprint(fn)


def _home(fn: Any) -> tuple[str, str]:
    """Source file and module name of the first of the project's functions that `fn` is made of."""
    waiting, seen, foreign = [fn], set[int](), ""
    while waiting:
        value = waiting.pop(0)
        if value is None or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, types.FunctionType):
            file, name = source_file(value), value.__globals__.get("__name__", "")
            waiting += cell_values(value)
        else:
            name = (value if isinstance(value, type) else type(value)).__module__
            file = file_of_module(name)
        if file and not is_foreign(file):
            return file, name
        foreign = foreign or file or ""
        if isinstance(value, functools.partial):
            waiting += [value.func, *value.args, *value.keywords.values()]
        else:
            waiting += [getattr(value, part, None) for part in ("__func__", "fn", "__wrapped__")]
    if foreign:
        raise LookupError(
            f"{fn!r} comes from {foreign}, which is the engine's or an installed package and no "
            "part of this project. Wrap it in a function of the project; if the project itself is "
            "installed there, install it in place (pip install -e .)."
        )
    raise LookupError(no_source(fn))


def _first(live: LiveValues) -> str:
    module, symbol = next(node for node in live.starts if node[0])
    return f"{module}.{symbol}"
