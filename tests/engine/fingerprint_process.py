"""Writes a project to a folder and fingerprints its stages in a new Python process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import engine

# The engine's own imports are left out, so that a process starts in a few hundredths of a second.
_PROGRAM = """
import importlib, json, sys, types
root, engine, request = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.dont_write_bytecode = True
sys.path.insert(0, root)

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

cache = request["cache"]
fingerprinter = Fingerprinter(Path(cache) if cache else None)
found, errors = {}, {}
for name in request["modules"]:
    for label, value in vars(importlib.import_module(name)).items():
        if isinstance(value, Stage):
            try:
                found[label] = fingerprinter.fingerprint(value.fn)
            except LookupError as error:
                errors[label] = str(error)
print(json.dumps({"found": found, "errors": errors, "loaded": sorted(sys.modules)}))
"""


def write(root: Path, files: dict[str, str]) -> None:
    """Writes files whose text is indented as a block."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def run(root: Path, *modules: str, cache: Path | None = None) -> dict[str, Any]:
    """Fingerprints of the modules' stages, errors by stage, and the modules that were loaded."""
    folder = str(Path(engine.__path__[0]))
    request = json.dumps({"modules": modules, "cache": str(cache) if cache else None})
    command = [sys.executable, "-S", "-I", "-c", _PROGRAM, str(root), folder, request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def fingerprints(root: Path, *modules: str) -> dict[str, dict[str, str]]:
    """Stage -> symbol -> hash."""
    answer = run(root, *modules)
    assert not answer["errors"], answer["errors"]
    found: dict[str, dict[str, str]] = answer["found"]
    return found
