"""Writes a project to a folder and fingerprints its stages in a new Python process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import engine

# The engine's own imports are left out, so that a process starts in a few hundredths of a second.
_PROGRAM = """
import importlib, json, sys, types
engine, request = sys.argv[1], json.loads(sys.argv[2])
sys.dont_write_bytecode = True

class Stage:
    __module__ = "engine.stage"
    def __init__(self, fn):
        self.fn = fn
    def __call__(self, *args):
        return self.fn(*args)

package = types.ModuleType("engine")
package.__path__ = [engine]
package.stage = lambda fn=None, **options: Stage(fn) if fn else Stage
sys.modules["engine"] = package
from engine.fingerprint import Fingerprinter
from pathlib import Path

cache = Path(request["cache"]) if request["cache"] else None
before = set(sys.modules)
for root in request["roots"]:
    sys.path.insert(0, root)
    fingerprinter = Fingerprinter(cache)
    found, errors = {}, {}
    for name in request["modules"]:
        for label, value in vars(importlib.import_module(name)).items():
            if isinstance(value, Stage):
                try:
                    found[label] = fingerprinter.fingerprint(value.fn)
                except LookupError as error:
                    errors[label] = str(error)
    print(json.dumps({"found": found, "errors": errors, "loaded": sorted(sys.modules)}))
    sys.path.remove(root)
    importlib.invalidate_caches()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) is None or root in sys.modules[name].__file__:
            del sys.modules[name]
"""


def write(root: Path, files: dict[str, str]) -> None:
    """Writes files whose text is indented as a block."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def run_all(
    roots: Sequence[Path], *modules: str, cache: Path | None = None
) -> list[dict[str, Any]]:
    """For each project its stages' fingerprints, errors by stage, and the loaded modules."""
    request = {
        "roots": [str(root) for root in roots],
        "modules": modules,
        "cache": str(cache) if cache else None,
    }
    folder = str(Path(engine.__path__[0]))
    command = [sys.executable, "-S", "-I", "-c", _PROGRAM, folder, json.dumps(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # What the projects themselves print is no JSON object.
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(roots)
    return answers


def run(root: Path, *modules: str, cache: Path | None = None) -> dict[str, Any]:
    """The same for one project."""
    return run_all([root], *modules, cache=cache)[0]


def fingerprints(root: Path, *modules: str) -> dict[str, dict[str, str]]:
    """Stage -> symbol -> hash."""
    answer = run(root, *modules)
    assert not answer["errors"], answer["errors"]
    found: dict[str, dict[str, str]] = answer["found"]
    return found
