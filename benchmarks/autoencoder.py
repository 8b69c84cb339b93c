"""The autoencoder's training beside the post's own code in Keras: images a second, time to its quality.

.venv/bin/python -m benchmarks.autoencoder speed
.venv/bin/python -m benchmarks.autoencoder reference
.venv/bin/python -m benchmarks.autoencoder quality
.venv/bin/python -m benchmarks.autoencoder search
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import Command
from flows.autoencoder_parameters import PRESETS
from flows.latent_training import LatentTraining

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "data" / "mnist.npz"
REFERENCE = ROOT / "benchmarks" / "autoencoder_reference.csv"
PLAIN = ROOT / "benchmarks" / "plain_autoencoder.py"
SEED: dict[str, Any] = PRESETS["seed"]["training"]
# The recipe `fast` is what a training takes unless it is told otherwise.
FAST: dict[str, Any] = LatentTraining().model_dump(include=set(SEED))
ALL = 60_000
HELD_OUT = (
    10_000  # training images by which a schedule is chosen; quality is judged by the test images
)
BURST_ROWS, BURST_EPOCHS = 5_120, 4  # some seconds a contestant
KERAS = "Keras fit, float32"


def main() -> None:
    """Print one of the benchmark's tables, or play our part in one."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = options.add_subparsers(dest="part", required=True)
    speed = parts.add_parser("speed", help="images a second, loss and memory beside Keras's fit")
    speed.add_argument("--rounds", type=int, default=5)
    speed.add_argument("--loss-epochs", type=int, default=0, help="epochs on all images besides")
    parts.add_parser("reference", help="the post's recipe on all images, recorded as a table")
    quality = parts.add_parser("quality", help="seconds to the reference's last test loss")
    quality.add_argument("--rounds", type=int, default=3, help="bursts for Keras's speed")
    search = parts.add_parser("search", help="schedules for the recipe fast, on some images")
    search.add_argument("--rows", type=int, default=10_000)
    search.add_argument("--epochs", type=int, nargs="+", default=[12])
    search.add_argument("--rates", type=float, nargs="+", default=[1e-3, 2e-3, 4e-3])
    search.add_argument("--batches", type=int, nargs="+", default=[128])
    search.add_argument("--schedules", nargs="+", default=["cosine"])
    search.add_argument("--warm-ups", type=float, nargs="+", default=[0.5])
    search.add_argument("--variant", default="seed")
    ours = parts.add_parser("ours", help="one training of ours; prints JSON")
    ours.add_argument("recipe", type=json.loads)
    ours.add_argument("--rows", type=int, default=ALL)
    chosen = options.parse_args()
    if chosen.part == "speed":
        compare_speed(chosen.rounds, chosen.loss_epochs)
    elif chosen.part == "reference":
        command = [sys.executable, str(PLAIN), str(IMAGES), str(REFERENCE), "--epochs", "40"]
        subprocess.run(command, cwd=ROOT, check=True)
    elif chosen.part == "quality":
        time_to_quality(chosen.rounds)
    elif chosen.part == "search":
        search_schedules(chosen)
    else:
        print(json.dumps(train_ours(chosen.recipe, chosen.rows)))


def compare_speed(rounds: int, loss_epochs: int) -> None:
    """Bursts in turn; each contestant times its own steps, after those that compile."""
    contestants = _contestants()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, recipe in contestants.items():
            found[name].append(_burst(recipe))
    print(
        f"seed recipe, z = 16, batch 128, {rounds} rounds of {BURST_EPOCHS - 1} timed epochs of "
        f"{BURST_ROWS:,} images\n\n| | images/s, median | min – max | × Keras fit (median of the "
        "rounds) | processor ms an image | × Keras fit |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for name, each in found.items():
        speeds = [one["images_per_second"] for one in each]
        works = [one["processor_ms"] for one in each]
        print(
            f"| {name} | {statistics.median(speeds):,.0f} | {min(speeds):,.0f} – {max(speeds):,.0f} | "
            f"{_ratio(speeds, [one['images_per_second'] for one in found[KERAS]]):.2f} | "
            f"{statistics.median(works):.2f} | {1 / _ratio(works, [one['processor_ms'] for one in found[KERAS]]):.2f} |"
        )
    if loss_epochs:
        print(
            "\n| all 60,000 images | test loss after epochs 1, 2, … | peak memory [GB] |\n"
            "| --- | --- | ---: |"
        )
        for name, recipe in contestants.items():
            whole = _burst(recipe, ALL, loss_epochs)
            told = " ".join(f"{loss:.4f}" for loss in whole["losses"])
            print(f"| {name} | {told} | {whole['peak']:.2f} |", flush=True)


def _contestants() -> dict[str, dict[str, Any] | None]:
    """Name → recipe of ours, None for the plain script."""
    from tasks.training.precision import resolve_precision

    precisions = dict.fromkeys([resolve_precision("auto"), "float32"])
    return {KERAS: None} | {
        f"latentflow, {name}": {**SEED, "precision": name} for name in precisions
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def _burst(
    recipe: dict[str, Any] | None, rows: int = BURST_ROWS, epochs: int = BURST_EPOCHS
) -> dict[str, Any]:
    """One process that trains: what it printed, with its peak memory in GB."""
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder) / "printed.json"
        size = ["--rows", str(rows)]
        if recipe is None:
            curve = str(Path(folder) / "curve.csv")
            arguments = [str(PLAIN), str(IMAGES), curve, "--epochs", str(epochs), *size]
        else:
            told = json.dumps({**recipe, "epochs": epochs})
            arguments = ["-m", "benchmarks.autoencoder", "ours", told, *size]
        # exec: the peak is that of the process alone
        shell = ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(printed)]
        seconds, _, peak = Command([*shell, sys.executable, *arguments], ROOT, {}).usage()
        return {**json.loads(printed.read_text().splitlines()[-1]), "peak": peak, "wall": seconds}


def train_ours(recipe: dict[str, Any], rows: int = ALL, held_out: int = 0) -> dict[str, Any]:
    """Train by `recipe`: speed between reports, test loss of each epoch and the seconds to it.

    Where training images are held out, the last ones, they stand for the test images.
    The calls that compile and those that end with the test images do not count for the speed, the
    seconds to a loss count everything but the start of Python.
    """
    started = time.perf_counter()
    import numpy as np

    from engine.work import Progress, Work
    from tasks.autoencoder.training import train_autoencoder

    with np.load(IMAGES) as images:
        train, test = (
            {"x": images[f"x_{part}"], "y": images[f"y_{part}"].astype(np.int64)}
            for part in ("train", "test")
        )
    if held_out:
        test = {name: values[-held_out:] for name, values in train.items()}
    train = {name: values[: min(rows, ALL - held_out)] for name, values in train.items()}
    reports: list[tuple[float, float, float]] = []

    def report(progress: Progress) -> None:
        reports.append((time.perf_counter() - started, time.process_time(), progress.done))

    with Work(report=report).active():
        found = train_autoencoder.fn(train, test, **{"z": 16, "variant": "seed", **recipe})
    batch = recipe.get("batch", 128)
    per_epoch = -(-rows // batch)
    spans = [
        [after[i] - before[i] for i in range(3)]
        for before, after in itertools.pairwise(reports)
        if before[2] >= per_epoch and after[2] % per_epoch
    ]
    wall, processor, steps = (
        (sum(span[i] for span in spans) for i in range(3)) if spans else (1, 0, 0)
    )
    return {
        "images_per_second": batch * steps / wall,
        "processor_ms": 1000 * processor / max(batch * steps, 1),
        "seconds": [round(when, 1) for when, _, done in reports if done % per_epoch == 0],
        "losses": found.history["test_loss"].tolist(),
    }


def time_to_quality(rounds: int) -> None:
    """The recipe fast once in full; Keras's seconds follow from its speed before and after."""
    if not REFERENCE.exists():
        sys.exit(f"{REFERENCE} is missing; python -m benchmarks.autoencoder reference makes it")
    with REFERENCE.open(newline="") as file:
        target = [float(row["test_loss"]) for row in csv.DictReader(file)]
    recipes = {
        variant: {**FAST, "variant": variant, "precision": "auto"}
        for variant in ("seed", "corrected")
    }
    speeds = [_burst(None)["images_per_second"] for _ in range(rounds)]
    print("| | epochs | test loss | seconds | × Keras |\n| --- | ---: | ---: | ---: | ---: |")
    rows = []
    for variant, recipe in recipes.items():
        rows.append((variant, _burst(recipe, ALL, FAST["epochs"])))
        speeds += [_burst(None)["images_per_second"] for _ in range(rounds)]
    plain = len(target) * ALL / statistics.median(speeds)
    print(f"| Keras fit, seed recipe | {len(target)} | {target[-1]:.4f} | {plain:,.0f} | 1.0 |")
    for variant, found in rows:
        last, seconds = found["losses"][-1], found["seconds"][-1]
        print(
            f"| recipe fast, decoder {variant} | {len(found['losses'])} | {last:.4f} | {seconds:,.0f} "
            f"| {plain / seconds:.1f}{'' if last <= target[-1] else ', not reached'} |"
        )


def search_schedules(chosen: argparse.Namespace) -> None:
    """A row a schedule: the loss of training images that were held out, after its last epoch."""
    print(f"{min(chosen.rows, ALL - HELD_OUT):,} images, decoder {chosen.variant}, z = 16\n")
    print(
        "| epochs | batch | schedule | rate | warm-up | loss of images held out |\n"
        "| ---: | ---: | --- | ---: | ---: | ---: |"
    )
    for epochs, batch, schedule, rate, warm_up in itertools.product(
        chosen.epochs, chosen.batches, chosen.schedules, chosen.rates, chosen.warm_ups
    ):
        recipe = {"epochs": epochs, "batch": batch, "schedule": schedule, "rate": rate}
        recipe["warm_up"] = 0.0 if schedule == "constant" else warm_up
        recipe |= {"precision": "auto", "variant": chosen.variant}
        loss = train_ours(recipe, chosen.rows, HELD_OUT)["losses"][-1]
        print(
            f"| {epochs} | {batch} | {schedule} | {rate:g} | {warm_up:g} | {loss:.5f} |", flush=True
        )


if __name__ == "__main__":
    main()
