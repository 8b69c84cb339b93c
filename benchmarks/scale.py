"""A store of 100,000 records, an array of 2 GB, a sweep of a hundred cells on one worker and two.

.venv/bin/python benchmarks/scale.py records
.venv/bin/python benchmarks/scale.py array
.venv/bin/python benchmarks/scale.py sweep
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.timing import Command
from engine import Artifact, Parameters, Selection, Store, flow, stage
from engine.journal import StageRun
from engine.outcome import Outcome
from engine.recipe import Recipe
from engine.record import Record
from engine.runner import LocalRunner

ROOT = Path(__file__).resolve().parent.parent
SECONDS, MEGABYTES = 3.0, 300.0
BOUNDED = ("plan wifi --preset quick", "status", "gc --dry-run")
OF_THE_ARRAY = 1.2
SPEED_UP = 1.7


def main() -> None:
    """Print the table of one part; exit status 1 if a bound is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("part", choices=PARTS)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--stages", type=int, default=100, help="of each run")
    options.add_argument("--gigabytes", type=float, default=2.0)
    options.add_argument("--cells", type=int, default=100)
    options.add_argument("--work", type=float, default=0.5, help="seconds of a cell, about")
    options.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.worker:
        _STEPS[chosen.part](chosen)
        return
    with tempfile.TemporaryDirectory() as folder:
        if not PARTS[chosen.part](Path(folder), chosen):
            sys.exit("a bound is missed")


# Records


def records(folder: Path, chosen: argparse.Namespace) -> bool:
    """Light commands on a store with many records: old runs of two flows, and one true run."""
    program = str(Path(sys.executable).with_name("latentflow"))
    here = {"LATENTFLOW_STORE": str(folder / "store")}
    _command(["records", "--worker", str(folder / "store")], chosen).seconds()
    Command([program, "run", "wifi", "--local", "--preset", "quick"], ROOT, here).seconds()
    store = Store(folder / "store")
    count = sum(1 for _ in store.records.iterdir())
    size = sum(path.stat().st_size for path in store.runs.rglob("*.jsonl"))
    journals = sum(1 for _ in store.runs.rglob("*.jsonl"))
    print(f"{count} records, {journals} journals of {size / 1e6:.0f} MB in all\n")
    print("| command | median [s] | processor [s] | most [MB] | at most |")
    print("| --- | ---: | ---: | ---: | --- |")
    met = True
    commands = {
        "plan wifi --preset quick": ["plan", "wifi", "--preset", "quick"],
        "status": ["status"],
        "gc --dry-run": ["gc", "--dry-run"],
        "gc --dry-run --keep 100000": ["gc", "--dry-run", "--keep", "100000"],
        "runs": ["runs"],
    }
    for name, arguments in commands.items():
        command = Command([program, *arguments], ROOT, here)
        used = [command.usage() for _ in range(chosen.rounds + 1)][1:]
        seconds = statistics.median(wall for wall, _, _ in used)
        busy = statistics.median(processor for _, processor, _ in used)
        memory = max(peak for _, _, peak in used) * 1e3
        bound = name in BOUNDED
        met &= not bound or (seconds <= SECONDS and memory <= MEGABYTES)
        at_most = f"{SECONDS:g} s, {MEGABYTES:g} MB" if bound else ""
        print(f"| {name} | {seconds:.2f} | {busy:.2f} | {memory:.0f} | {at_most} |")
    return met


def _fill(chosen: argparse.Namespace) -> None:
    """Records, objects and journals as runs of other parameters would have left them."""
    store, dice = Store(Path(chosen.worker)), random.Random(0)
    where = {"cores": 2, "processor_flags": ["avx512f", "avx512_bf16"]}
    for number in range(chosen.records // chosen.stages):
        name = ("wifi", "digits")[number % 2]
        run = f"202601{1 + number % 28:02d}-{number:06d}-000000-abcdef"
        lines = [f'{{"event": "start", "flow": "{name}", "started": "2026-01-01T00:00:00+00:00"}}']
        for index in range(chosen.stages):
            text = f"{number} {index} {dice.random()}\n".encode()
            sha256 = hashlib.sha256(text).hexdigest()
            made = Artifact(
                "fit.table", sha256, sha256, "json", ".json", len(text), {"keys": ["n"]}
            )
            code = {f"tasks.many.stage_{index}": dice.randbytes(8).hex()}
            recipe = Recipe(f"stage_{index}", code, {"k": number}, {}, {})
            record = Record(recipe, (made,), 0.5, "2026-01-01T00:00:00+00:00", where)
            for path, data in (
                (store.path_of(made), text),
                (store.record_path(record.key), record.dumps()),
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            lines += _events(
                StageRun(f"stage_{index}", f"stage_{index}", record.key, Outcome.RAN), made
            )
        lines.append('{"event": "end", "status": "completed", "seconds": 1.0, "results": {}}')
        path = store.runs / name / f"{run}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")


def _events(made: StageRun, artifact: Artifact) -> list[str]:
    made.artifacts = [artifact]
    made.inputs = {"features": artifact.digest, "labels": artifact.digest}
    begin = {"event": "begin", "slot": made.slot, "key": made.key}
    return [json.dumps(begin), json.dumps({"event": "stage", **made.to_json()})]


# An array


class _Size(Parameters):
    rows: int = 1


@stage(packages=("numpy",))
def _draw(*, rows: int) -> Any:
    """Random numbers, a megabyte a row."""
    import numpy as np

    return np.random.default_rng(0).random((rows, 1 << 17))


@stage(packages=("numpy",))
def _add_up(array: Any) -> float:
    """The sum, read in slices as any stage may."""
    return float(sum(row.sum() for row in array))


@flow(name="large", parameters=_Size, presets={})
def _large(p: _Size) -> dict[str, Any]:
    return {"sum": _add_up(_draw(rows=p.rows))}


def array(folder: Path, chosen: argparse.Namespace) -> bool:
    """An array made, digested, written, proved and read."""
    rows = round(chosen.gigabytes * 1e9 / (1 << 20))
    size = rows << 20
    print("| an array of | step | [s] | most [MB] | × its size | at most |")
    print("| --- | --- | ---: | ---: | ---: | --- |")
    met = True
    for step in ("write", "read"):
        arguments = ["array", "--worker", f"{step}:{rows}:{folder / 'store'}"]
        seconds, _, peak = _command(arguments, chosen).usage()
        times = peak * 1e9 / size
        met &= times <= OF_THE_ARRAY
        print(
            f"| {size / 1e9:.2f} GB | {step} | {seconds:.1f} | {peak * 1e3:.0f} | {times:.2f} "
            f"| {OF_THE_ARRAY:g} |"
        )
    return met


def _handle(chosen: argparse.Namespace) -> None:
    step, rows, root = chosen.worker.split(":", 2)
    store = Store(Path(root))
    if step == "write":
        _large.run(_Size(rows=int(rows)), Selection(until=("_draw",)), store)
    else:
        _large.run(_Size(rows=int(rows)), store=store)


# A sweep


class _Cells(Parameters):
    cells: int = 100
    rounds: int = 1


@stage(packages=("numpy",))
def _prepare(*, size: int = 400) -> Any:
    """What all cells share."""
    import numpy as np

    return np.random.default_rng(0).random((size, size))


@stage(own_process=True, packages=("numpy",))
def _cell(matrix: Any, *, seed: int, rounds: int) -> float:
    """Work that threads of one process could not share: it holds the interpreter."""
    return _work(float(matrix[0, seed % len(matrix)]), rounds)


def _work(value: float, rounds: int) -> float:
    for _ in range(rounds):
        value = value * 1.000001 % 1.0
    return value


@flow(name="cells", parameters=_Cells, presets={})
def _sweep(p: _Cells) -> dict[str, Any]:
    made = _cell.map(_prepare(), over={"seed": list(range(p.cells))}, rounds=p.rounds)
    return {"cells": made}


def sweep(folder: Path, chosen: argparse.Namespace) -> bool:
    """The same sweep from an empty store, with one worker process and with two, in turn."""
    started = time.perf_counter()
    _work(0.5, 2_000_000)
    rounds = int(2_000_000 * chosen.work / (time.perf_counter() - started))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(chosen.rounds):
        for workers, taken in seconds.items():
            root = folder / f"{number}-{workers}"
            arguments = ["sweep", "--worker", f"{workers}:{rounds}:{root}"]
            taken.append(_command(arguments, chosen).seconds())
    speed_up = statistics.median(a / b for a, b in zip(seconds[1], seconds[2], strict=True))
    print(f"{chosen.cells} cells of about {chosen.work:g} s, {os.cpu_count()} cores\n")
    print(
        "| worker processes | median [s] | times as fast | at least |\n| ---: | ---: | ---: | --- |"
    )
    print(f"| 1 | {statistics.median(seconds[1]):.1f} | 1 | |")
    print(f"| 2 | {statistics.median(seconds[2]):.1f} | {speed_up:.2f} | {SPEED_UP:g} |")
    return speed_up >= SPEED_UP


def _run_sweep(chosen: argparse.Namespace) -> None:
    workers, rounds, root = chosen.worker.split(":", 2)
    parameters = _Cells(cells=chosen.cells, rounds=int(rounds))
    run = _sweep.run(parameters, store=Store(Path(root)), runner=LocalRunner(int(workers)))
    assert run.record.counts == {"ran": chosen.cells + 1}, run.record.counts


def _command(arguments: list[str], chosen: argparse.Namespace) -> Command:
    """This program in a process of its own, for one step."""
    rest = ["--cells", str(chosen.cells), "--records", str(chosen.records)]
    rest += ["--stages", str(chosen.stages)]
    return Command([sys.executable, "-m", "benchmarks.scale", *arguments, *rest], ROOT, {})


PARTS: dict[str, Callable[[Path, argparse.Namespace], bool]] = {
    "records": records,
    "array": array,
    "sweep": sweep,
}
_STEPS: dict[str, Callable[[argparse.Namespace], None]] = {
    "records": _fill,
    "array": _handle,
    "sweep": _run_sweep,
}

if __name__ == "__main__":
    main()
