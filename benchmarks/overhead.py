"""The first run of a flow's stages beside a plain script that calls the same functions.

The plain script keeps everything in memory: no store, no digests, no records, no Prefect.
Whole processes, in turn.

    .venv/bin/python benchmarks/overhead.py
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.timing import Command, in_turn, table
from engine import File, session
from engine.stage import Stage

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print the table of this benchmark, or play the plain script's part."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--flow", default="wifi")
    options.add_argument("--preset", default="standard")
    options.add_argument("--plain", action="store_true", help="run the plain script and end")
    chosen = options.parse_args()
    if chosen.plain:
        run_plain(chosen.flow, chosen.preset)
        return
    same = ["--flow", chosen.flow, "--preset", chosen.preset]
    plain = Command([sys.executable, str(Path(__file__)), "--plain", *same], ROOT, {})
    contestants = {"plain script": plain.seconds, "latentflow": lambda: _first_run(chosen)}
    print(f"flow {chosen.flow}, preset {chosen.preset}, empty store\n")
    print(table(in_turn(contestants, chosen.rounds), "plain script"))


def _first_run(chosen: argparse.Namespace) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("latentflow")), "run", chosen.flow]
        arguments = [*command, "--local", "--preset", chosen.preset]
        return Command(arguments, ROOT, {"LATENTFLOW_STORE": folder}).seconds()


def run_plain(name: str, preset: str) -> dict[str, Any]:
    """Wire the flow with plain function calls instead of stages; returns its results as values."""

    def call(self: Stage[Any, Any], *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)

    def call_each(self: Stage[Any, Any], *args: Any, over: Any, **kwargs: Any) -> list[Any]:
        choices = [list(v.values()) if isinstance(v, dict) else list(v) for v in over.values()]
        return [
            self.fn(*args, **kwargs, **dict(zip(over, cell, strict=True)))
            for cell in itertools.product(*choices)
        ]

    Stage.__call__ = call  # type: ignore[method-assign]
    Stage.map = call_each  # type: ignore[method-assign]
    session.source = lambda path, max_bytes=0: File(Path(path).read_bytes(), Path(path).suffix)  # type: ignore[assignment, return-value]
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    return dict(flow.fn(flow.configure(preset)))


if __name__ == "__main__":
    main()
