"""The sweep of the newest finished run of `digits` as Markdown, and what its clusterings cost.

.venv/bin/latentflow run digits --local && .venv/bin/python benchmarks/digits_sweep.py
"""

from __future__ import annotations

import sys
import time
from typing import Any

from engine import Store
from engine.journal import RunRecord, list_runs, read_run
from flows.digit_cells import CELLS
from report.timing import add_seconds
from tasks.clustering import cluster_digits

Row = dict[str, Any]  # of the means

MANY = 5  # seeds, at least so many for the first table
TIMED = "normalise"  # the scaling whose clusterings are timed again
NAMES = {"kmeans": "KMeans", "minibatch": "MiniBatch", "raw": "all pixels"}
SPACE = "\N{NO-BREAK SPACE}"


def main() -> None:
    """Print three tables: many seeds, all scalings and spaces, processor time."""
    store = Store()
    records = map(read_run, list_runs(store, "digits"))
    run = next((run for run in records if run.status == "completed"), None)
    if run is None:
        sys.exit("no finished run of digits in this store: latentflow run digits --local")
    means = add_seconds(store.load(run.results["means"]), CELLS, run)
    rows: list[Row] = means.to_dict("records")  # type: ignore[assignment]
    print(f"Accuracy [%] on the test images, mean ± sd of {MANY} seeds; median seconds of a cell\n")
    print_many_seeds([row for row in rows if row["seeds"] >= MANY])
    print("\nAccuracy [%] of MiniBatchKMeans, mean ± sd of the seeds\n")
    print_all([row for row in rows if row["algorithm"] == "minibatch"])
    print(f"\nProcessor seconds of one clustering, scaling {TIMED}, seed 0\n")
    print_processor_time([row for row in rows if row["scaling"] == TIMED], run, store)


def print_many_seeds(rows: list[Row]) -> None:
    """One line a number of clusters."""
    groups = _group(rows, "scaling", "space", "algorithm")
    heads = [f"{NAMES[kind]}, {where}, {_say_space(space)} | [s]" for where, space, kind in groups]
    _print_head("k", heads, 2 * len(heads))
    for line in zip(*groups.values(), strict=True):
        cells = [f"{_say_accuracy(row)} | {_say_seconds(row['seconds'])}" for row in line]
        print(f"| {line[0]['clusters']:,} | {' | '.join(cells)} |")


def print_all(rows: list[Row]) -> None:
    """One line a scaling and space, one column a number of clusters."""
    _print_head("", [f"{k:,}" for (k,) in _group(rows, "clusters")])
    for (scaling, space), line in _group(rows, "scaling", "space").items():
        cells = [_say_accuracy(row) for row in line]
        print(f"| {scaling}, {_say_space(space)} | {' | '.join(cells)} |")


def print_processor_time(rows: list[Row], run: RunRecord, store: Store) -> None:
    """One line an algorithm and space; computed again, since the records hold wall time alone."""
    _print_head("", [f"{k:,}" for (k,) in _group(rows, "clusters")])
    for (algorithm, space), line in _group(rows, "algorithm", "space").items():
        points = _load_space(run, store, space)
        # The first call starts the libraries and reads the points from the disk.
        cluster_digits.fn(points, clusters=line[0]["clusters"], algorithm=algorithm)
        seconds = []
        for row in line:
            started = time.process_time()
            cluster_digits.fn(points, clusters=row["clusters"], algorithm=algorithm)
            seconds.append(_say_seconds(time.process_time() - started))
        print(f"| {NAMES[algorithm]}, {_say_space(space)} | {' | '.join(seconds)} |", flush=True)


def _group(rows: list[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def _load_space(run: RunRecord, store: Store, space: str) -> dict[str, Any]:
    slot = f"project[{TIMED},components={space}]"
    made = run.stages[slot if space != "raw" else f"scale_images[learned={TIMED}]"]
    return {a.name.rpartition(".")[2]: store.load(a) for a in made.artifacts[:2]}


def _print_head(first: str, heads: list[str], columns: int = 0) -> None:
    print(f"| {first} | {' | '.join(heads)} |")
    print(f"| --- |{' ---: |' * (columns or len(heads))}")


def _say_space(space: str) -> str:
    return NAMES.get(space) or f"{space.removeprefix('pca')} components"


def _say_accuracy(row: Row) -> str:
    # Without a break: the lines of a wide table are to stay lines.
    text = f"{100 * row['accuracy']:.1f} ± {100 * row['accuracy_sd']:.1f}"
    return text.replace(" ", SPACE)


def _say_seconds(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


if __name__ == "__main__":
    main()
