"""Write down how long the stages of a store's newest runs took, for estimates on other machines.

    latentflow run study --preset quick     # and the other presets, each in an empty store
    python benchmarks/durations.py quick

adds the seconds of each stage, the mean of its calls, to `cli/durations.json`, beside what the
machine's probe took.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict

from cli.expectation import MEASURED, probe_machine
from engine import Outcome, Store
from engine.journal import list_runs, read_run


def main(preset: str) -> None:
    """Read the newest run of each flow that ran with this preset, and rewrite the file."""
    store = Store()
    known = json.loads(MEASURED.read_text()) if MEASURED.exists() else {"seconds": {}}
    known["probe_seconds"] = round(statistics.median(probe_machine() for _ in range(5)), 5)
    seen = set()
    for path in list_runs(store):
        run = read_run(path)
        if run.preset != preset or run.flow in seen or run.status != "completed":
            continue
        seen.add(run.flow)
        taken: dict[str, list[float]] = defaultdict(list)
        for stage in run.stages.values():
            if stage.outcome in (Outcome.RAN, Outcome.UNCHANGED, Outcome.CACHED):
                taken[stage.stage].append(stage.seconds)
        means = {name: round(statistics.fmean(values), 3) for name, values in taken.items()}
        known["seconds"].setdefault(run.flow, {})[preset] = dict(sorted(means.items()))
        print(f"{run.flow} {preset}: {len(means)} stages, {sum(map(sum, taken.values())):.0f} s")
    MEASURED.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
