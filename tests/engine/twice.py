"""Running a flow twice from nothing, as two strangers would, and comparing what it made."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from engine import Selection, Store

ROOT = Path(__file__).parent.parent.parent


def differing_stages(
    flow: str,
    folder: Path,
    preset: str = "standard",
    overrides: Sequence[str] = (),
    until: Sequence[str] = (),
) -> list[str]:
    """The calls of a flow that made something else the second time.

    Each time is a process of its own with a fresh store, another hash seed and another order of
    whatever a set holds.

    Arguments:
        flow: where it is importable from, e.g. `flows.wifi:wifi`.
        folder: an empty one, for the two stores.
    """
    made = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.engine.twice", flow, str(folder / seed), preset]
        done = subprocess.run(
            [*command, json.dumps(list(overrides)), json.dumps(list(until))],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout.splitlines()[-1]))
    assert made[0].keys() == made[1].keys()
    return [slot for slot in made[0] if made[0][slot] != made[1][slot]]


def _main(flow: str, store: str, preset: str, overrides: str, until: str) -> None:
    module, _, name = flow.partition(":")
    found = getattr(importlib.import_module(module), name)
    parameters = found.configure(preset, json.loads(overrides))
    selection = Selection(until=tuple(json.loads(until)))
    run = found.run(parameters, selection, Store(Path(store)))
    made = {
        slot: [(a.name, a.digest, a.sha256) for a in stage.artifacts]
        for slot, stage in sorted(run.record.stages.items())
    }
    sys.stdout.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
