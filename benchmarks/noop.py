"""A rerun with nothing to do: `latentflow run wifi` beside `dvc repro` and `snakemake`.

The peers get a pipeline with the same graph: as many stages, each with the files that ours has
made, of the same sizes, and a script of their own to watch. Whole processes, in turn.

    make env-peers && .venv/bin/python benchmarks/noop.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.timing import Command, in_turn, table
from engine import Parameters, Store, flow, stage
from engine.journal import RunRecord, list_runs, read_run

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / ".venv" / "bin"

_MAKE = """import sys
size, target = int(sys.argv[1]), sys.argv[2]
with open(target, "wb") as file:
    file.write(target.encode() * (size // len(target) + 1))
    file.truncate(size)
"""


def main() -> None:
    """Print the two tables of this benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--preset", default="quick")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        here = {"LATENTFLOW_STORE": str(base / "store")}
        program = str(Path(sys.executable).with_name("latentflow"))
        arguments = [program, "run", "wifi", "--local", "--preset", chosen.preset]
        latentflow = Command(arguments, ROOT, here)
        first = latentflow.seconds()
        run = read_run(list_runs(Store(base / "store"), "wifi", 1)[0])
        contestants = {"latentflow": latentflow.seconds}
        for name, prepare in (("dvc repro", _dvc), ("snakemake", _snakemake)):
            command = prepare(base / name.split()[0], run)
            command.seconds()
            contestants[name] = command.seconds
        size = sum(a.size for s in run.stages.values() for a in s.artifacts)
        print(f"{len(run.stages)} stages, {size / 1e6:.1f} MB; first run {first:.1f} s\n")
        print(table(in_turn(contestants, chosen.rounds), "latentflow"))
        print()
        print(_per_stage(base / "tiny"))


def _files(run: RunRecord) -> list[tuple[str, list[tuple[str, int]], list[str]]]:
    """Slot, its files with their sizes, the files that it reads."""
    names: dict[str, str] = {}
    stages = []
    for number, call in enumerate(run.stages.values()):
        outputs = [(f"out/{number}-{i}.bin", a.size) for i, a in enumerate(call.artifacts)]
        for (path, _), artifact in zip(outputs, call.artifacts, strict=True):
            names.setdefault(artifact.digest, path)
        inputs = sorted({names[d] for d in call.inputs.values() if d in names})
        stages.append((f"stage{number}", outputs, inputs))
    return stages


def _dvc(folder: Path, run: RunRecord) -> Command:
    (folder / "out").mkdir(parents=True)
    stages = {}
    for name, outputs, inputs in _files(run):
        (folder / f"{name}.py").write_text(_MAKE)
        commands = [f"{sys.executable} {name}.py {size} {path}" for path, size in outputs]
        outs = [path for path, _ in outputs]
        stages[name] = {"cmd": commands, "deps": [f"{name}.py", *inputs], "outs": outs}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    quiet = {
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "site"),
        "HOME": str(folder),
    }
    dvc = str(PEERS / "dvc")
    Command([dvc, "init", "--no-scm", "-q"], folder, quiet).seconds()
    Command([dvc, "config", "core.analytics", "false"], folder, quiet).seconds()
    Command([dvc, "config", "core.check_update", "false"], folder, quiet).seconds()
    return Command([dvc, "repro", "-q"], folder, quiet)


def _snakemake(folder: Path, run: RunRecord) -> Command:
    (folder / "out").mkdir(parents=True)
    rules, last = [], []
    for name, outputs, inputs in _files(run):
        (folder / f"{name}.py").write_text(_MAKE)
        paths = [path for path, _ in outputs]
        commands = [f"{sys.executable} {name}.py {size} {path}" for path, size in outputs]
        rules.append(
            f"rule {name}:\n    input: {[f'{name}.py', *inputs]}\n    output: {paths}\n"
            f"    shell: {' && '.join(commands)!r}\n"
        )
        last += paths
    text = f"rule all:\n    input: {last}\n\n" + "\n".join(rules)
    (folder / "Snakefile").write_text(text)
    quiet = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    return Command([str(PEERS / "snakemake"), "-c1", "-q", "all"], folder, quiet)


class _Count(Parameters):
    stages: int = 200


@stage
def _seed(*, size: int = 8) -> list[int]:
    return list(range(size))


@stage
def _step(values: list[int], *, add: int = 0) -> list[int]:
    return [value + add for value in values]


@flow(name="tiny", parameters=_Count, presets={})
def _tiny(parameters: _Count) -> dict[str, object]:
    seed = _seed()
    return {str(n): _step.labelled(str(n))(seed, add=n) for n in range(parameters.stages)}


def _per_stage(root: Path) -> str:
    """The engine's own cost, on stages that do next to nothing."""
    store = Store(root)
    parameters = _tiny.configure()
    rows = []
    for what in ("first run", "cached run", "plan"):
        started = time.perf_counter()
        if what == "plan":
            _tiny.plan(parameters, store=store)
        else:
            _tiny.run(parameters, store=store)
        cost = (time.perf_counter() - started) / (parameters.stages + 1) * 1e3
        rows.append(f"| {what} | {cost:.2f} |")
    return "| tiny stages | ms a stage |\n| --- | ---: |\n" + "\n".join(rows)


if __name__ == "__main__":
    os.environ.setdefault("DO_NOT_TRACK", "1")
    main()
