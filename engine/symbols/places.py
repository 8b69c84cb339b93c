"""Where code lies: a function's source file, and which project a file is part of."""

# Most of a run in which nothing changed is spent on paths, and Path is several times slower.
# ruff: noqa: PTH100, PTH113, PTH116, PTH118, PTH119, PTH120, PTH122, PTH206

from __future__ import annotations

import os
import sys
import time
import types

_ENGINE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_INSTALLED = {"site-packages", "dist-packages", ".venv"}
_CLOCK_TICK = 100_000_000  # ns; file systems round the times of files


def is_foreign(path: str) -> bool:
    """Whether a file or folder belongs to the engine, to Python or to an installed package."""
    return path.startswith((_ENGINE_FOLDER + os.sep, _STANDARD_LIBRARY + os.sep)) or not (
        _INSTALLED.isdisjoint(path.split(os.sep))
    )


def place_of(file: str, live_name: str = "") -> tuple[str, str]:
    """Project root and dotted name of a source file, by the folders that hold `__init__.py`.

    `live_name` is the module's name where it was imported; it counts for folders without
    `__init__.py` only, so that a file run as a script keeps its name.
    """
    folder, base = os.path.split(file)
    stem = os.path.splitext(base)[0]
    parts = [] if stem == "__init__" else [stem]
    while _is_package(folder) or _is_package(os.path.dirname(folder)):
        folder, name = os.path.split(folder)
        parts.insert(0, name)
    live = live_name.split(".")
    missing = live[: len(live) - len(parts)]
    if parts and live[len(missing) :] == parts and folder.split(os.sep)[-len(missing) :] == missing:
        return os.sep.join(folder.split(os.sep)[: -len(missing)]) or os.sep, live_name
    return folder, ".".join(parts)


def _is_package(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "__init__.py"))


def stamp(path: str) -> tuple[int, ...]:
    """What changes when the file or folder is written; empty when it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    if abs(time.time_ns() - status.st_mtime_ns) < _CLOCK_TICK:
        return (time.monotonic_ns(),)  # a second write could still get the same time
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def source_file(fn: types.FunctionType) -> str | None:
    """The file that the function's code was read from, or None when there is none."""
    file = fn.__code__.co_filename
    of_module = fn.__globals__.get("__file__") or ""
    # A script's code may hold a path relative to a folder that was left since.
    if os.path.basename(of_module) == os.path.basename(file):
        file = of_module
    file = os.path.abspath(file)
    return file if file.endswith(".py") and os.path.isfile(file) else None


def file_of_module(name: str | None) -> str:
    file = getattr(sys.modules.get(name or ""), "__file__", None)
    return os.path.abspath(file) if file else ""
