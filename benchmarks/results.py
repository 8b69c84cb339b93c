"""Keep what a full run found: headline numbers, seconds of each stage, figures.

    latentflow run study --preset standard
    .venv/bin/python -m benchmarks.results study draw_plane 'draw_comparison[flower]'

writes the newest completed run of the flow, the runs of its parts included, to
`benchmarks/results/<flow>-<preset>/`, or to another folder there (`--folder`), with the figures, and
as CSV the tables, of the stages that are named: all calls of one, or that with a label.
"""

from __future__ import annotations

import argparse
import re
import shlex
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from cli.findings import read_findings
from engine import Store
from engine.journal import RunRecord, list_runs, read_run

FOLDER = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Write the folder of one flow."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("flow")
    options.add_argument("outputs", nargs="*")
    options.add_argument("--folder", help="its name, where a preset does not say enough")
    chosen = options.parse_args()
    store = Store()
    found = map(read_run, list_runs(store, chosen.flow))
    run = next((r for r in found if r.status == "completed"), None)
    if run is None:
        sys.exit(f"there is no completed run of {chosen.flow} in {store.address}")
    folder = FOLDER / (chosen.folder or f"{run.flow}-{run.preset}")
    folder.mkdir(parents=True, exist_ok=True)
    parts = [
        read_run(store.runs / name / f"{part['run']}.jsonl") for name, part in run.parts.items()
    ]
    runs = [*parts, run]
    told = [f"# `{shlex.join(run.environment['command'])}`", ""]
    told += [f"Run {run.id}: {sum(each.seconds for each in runs):,.0f} s.", ""]
    told += _findings(run, store)
    kept = [
        (re.sub(r"[^\w.=-]+", "-", f"{each.flow}-{stage.slot}").rstrip("-"), artifact)
        for each in runs
        for stage in each.stages.values()
        if stage.slot in chosen.outputs or stage.stage in chosen.outputs
        for artifact in stage.artifacts
        if artifact.format in ("png", "parquet")
    ]
    for name, artifact in kept:
        if artifact.format == "parquet":
            table = name + artifact.name.removeprefix(artifact.name.partition(".")[0]) + ".csv"
            store.load(artifact).to_csv(folder / table, index=False)
            told += [f"[{table}]({table})", ""]
        else:
            (folder / f"{name}.png").write_bytes(store.open(artifact).read_bytes())
            told += [f"![{artifact.spec.get('alt', '')}]({name}.png)", ""]
    told += _seconds(runs)
    (folder / "README.md").write_text("\n".join(told) + "\n")
    print(
        f"{folder}: {len(kept)} figures and tables, {sum(len(each.stages) for each in runs)} stages"
    )


def _findings(run: RunRecord, store: Store) -> list[str]:
    rows, sentence = read_findings(run, store)
    table = ["| | result | value | expected |", "| --- | --- | ---: | --- |"]
    table += [
        f"| {_sign(row.get('met'))} | {row['name']} | {_value(row)} | {row.get('expected') or ''} |"
        for row in rows
    ]
    return [sentence, "", *table, ""]


def _sign(met: Any) -> str:
    return {True: "met", False: "**not met**"}.get(met, "")


def _value(row: dict[str, Any]) -> str:
    value = row.get("value")
    text = f"{value:.4g}" if isinstance(value, float) else f"{value}"
    return f"{text} {row.get('unit') or ''}".strip()


def _seconds(runs: list[RunRecord]) -> list[str]:
    """What the records say of each stage's computation, whenever it was."""
    table = [
        "| flow | stage | calls | seconds in all | median |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for run in runs:
        taken: dict[str, list[float]] = defaultdict(list)
        for stage in run.stages.values():
            taken[stage.stage].append(stage.seconds)
        table += [
            f"| {run.flow} | {stage} | {len(values):,} | {sum(values):,.1f} | {statistics.median(values):.2f} |"
            for stage, values in taken.items()
        ]
    return table


if __name__ == "__main__":
    main()
