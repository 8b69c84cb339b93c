"""The project's source files: which are the project's own, where a module lies, what it says."""

# Most of a run in which nothing changed is spent on paths, and Path is several times slower.
# ruff: noqa: PTH100, PTH112, PTH113, PTH118, PTH119, PTH120, PTH122, PTH123, PTH208

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .places import is_foreign, stamp
from .reference import ENGINE

if TYPE_CHECKING:
    from .summary import Summary

FORMAT = 2  # of the summaries; raise it when the text of a symbol or the references change

_SUMMARIES: dict[str, Summary] = {}  # by content, so that it never goes stale


class Project:
    """A snapshot of the source files under a root: each one is read once."""

    def __init__(self, root: str, cache_dir: str | None) -> None:
        self.root = root
        self.cache_dir = cache_dir
        self.seen: dict[str, tuple[int, ...]] = {}  # what the snapshot rests on
        # A script outside the packages it uses finds them as Python does.
        paths = [os.path.abspath(path) for path in sys.path]
        self._search = [root, *(p for p in paths if not is_foreign(p + os.sep) and p != root)]
        self._homes: dict[str, str | None] = {ENGINE: None, "__main__": None}
        self._ours: dict[str, bool] = {}
        self._places: dict[str, str | None] = {}
        self._read: dict[str, Summary | None] = {}

    def is_ours(self, reference: str) -> bool:
        """Whether `module:path` may be a file of this project."""
        module = reference.partition(":")[0]
        known = self._ours.get(module)
        if known is None:
            known = self._ours[module] = self._home(module.partition(".")[0]) is not None
        return known

    def adopt(self, root: str, module: str) -> None:
        """Makes sure that a file from elsewhere is found under its name."""
        top = module.partition(".")[0]
        if self._home(top) is None and top != ENGINE:
            self._homes[top] = root
            self._ours.clear()

    def _home(self, top: str) -> str | None:
        if top not in self._homes:
            # As for Python, a file anywhere goes before a folder without `__init__.py`.
            found = [(folder, self._file(folder, top) or "") for folder in self._search if top]
            found.sort(key=lambda home: not home[1].endswith(".py"))
            self._homes[top] = next((folder for folder, path in found if path), None)
        return self._homes[top]

    def _file(self, folder: str, dotted: str) -> str | None:
        parts = dotted.split(".")
        if "" in parts:
            return None
        base = os.path.join(folder, *parts)
        package = os.path.join(base, "__init__.py")
        for path in (package, base + ".py"):
            if os.path.isfile(path):
                return path
        return base if os.path.isdir(base) else None

    def locate(self, module: str) -> str | None:
        """The module's file, its folder when it is a package without `__init__.py`, or None."""
        if module not in self._places:
            home = self._home(module.partition(".")[0])
            parent = (
                (self.locate(module.rpartition(".")[0]) or "") if home and "." in module else ""
            )
            in_file = parent.endswith(".py") and not parent.endswith("__init__.py")
            found = None if home is None or in_file else self._file(home, module)
            self._places[module] = found
        return self._places[module]

    def submodules(self, module: str) -> Iterator[str]:
        """All modules right under a package, in order of name."""
        path = self.locate(module)
        folder = path if path is None or os.path.isdir(path) else os.path.dirname(path)
        if folder is None or (folder != path and os.path.basename(path or "") != "__init__.py"):
            return
        for name in sorted({os.path.splitext(entry)[0] for entry in os.listdir(folder)}):
            is_module = name.isidentifier() and name not in {"__init__", "__main__", "__pycache__"}
            if is_module and self.locate(f"{module}.{name}") is not None:
                yield f"{module}.{name}"

    def summary(self, module: str) -> Summary | None:
        """What the module's file says, or None when it is not a file of this project."""
        if module not in self._read:
            path = self.locate(module)
            is_file = path is not None and path.endswith(".py")
            self._read[module] = self._summarise(module, path) if path and is_file else None
        return self._read[module]

    def _summarise(self, module: str, path: str) -> Summary:
        for watched in (os.path.dirname(path), path):
            self.seen[watched] = stamp(watched)
        with open(path, "rb") as stream:
            source = stream.read()
        is_package = os.path.basename(path) == "__init__.py"
        package = module if is_package else module.rpartition(".")[0]
        version = f"{FORMAT} {sys.version_info[0]}.{sys.version_info[1]} {module} {package}\n"
        key = hashlib.sha256(version.encode() + source).hexdigest()
        if key not in _SUMMARIES:
            try:
                _SUMMARIES[key] = self._load(key) or self._make(key, source, module, package)
            except RecursionError as error:
                raise LookupError(
                    f"{path} holds an expression nested deeper than Python's recursion limit, so "
                    "what it names cannot be followed. Split it into several."
                ) from error
        return _SUMMARIES[key]

    def _load(self, key: str) -> Summary | None:
        if self.cache_dir is None:
            return None
        try:
            with open(os.path.join(self.cache_dir, f"{key}.json"), "rb") as stream:
                data = json.loads(stream.read())
        except (OSError, ValueError):
            return None
        return data if _is_summary(data) else None

    def _make(self, key: str, source: bytes, module: str, package: str) -> Summary:
        from .summary import summarise  # needs ast, which a warm cache does not

        summary = summarise(source, module, package)
        if self.cache_dir is not None:
            text = json.dumps(summary, separators=(",", ":"))
            _write(Path(self.cache_dir, f"{key}.json"), text)
        return summary


def _write(target: Path, text: str) -> None:
    """Writes the file whole or not at all; a cache that cannot be written is no error."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_summary(data: Any) -> bool:
    """Whether a cache file has the shape of a summary; a damaged one is made again."""
    tables = ("symbols", "imports", "inner")
    lists = ("stars", "loads", "later")
    if not isinstance(data, dict) or len(data) != len(tables) + len(lists) + 1:
        return False
    pairs = data.get("foreign")
    return (
        all(isinstance(data.get(name), dict) for name in tables)
        and all(_is_names(data.get(name)) for name in lists)
        and isinstance(pairs, list)
        and all(_is_names(pair) and len(pair) == 2 for pair in pairs)
        and all(map(_is_names, data["imports"].values()))
        and all(isinstance(found, list) for found in data["inner"].values())
        and all(_is_names(f) and len(f) == 3 for found in data["inner"].values() for f in found)
        and all(map(_is_symbol, data["symbols"].values()))
    )


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and (not value or set(map(type, value)) == {str})


def _is_symbol(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    words = isinstance(value.get("hash"), str) and isinstance(value.get("kind"), str)
    return words and all(
        _is_names(part) for name, part in value.items() if name not in {"hash", "kind"}
    )
