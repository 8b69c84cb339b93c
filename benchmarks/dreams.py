"""The flow `dreams` beside loops as people write them: the atlas of a layer, map by map or in one batch.

.venv/bin/python benchmarks/dreams.py atlas --steps 30 200            # add --search for the flow's atlas

The dreams themselves are compared by `benchmarks/dream.py`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.plain_atlas import KINDS
from benchmarks.timing import Command, in_turn, table

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "data" / "mnist.npz"
LAYER, RATE = "Conv2D_3", 0.01
STARTS = 2048
ATLAS = ("latentflow", *KINDS)
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}


def main() -> None:
    """Print one of the benchmark's tables, or play one contestant's part."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = options.add_subparsers(dest="part", required=True)
    atlas = parts.add_parser("atlas", help="patterns of all maps, in one batch or one by one")
    atlas.add_argument("--maps", type=int, default=128)
    atlas.add_argument("--steps", type=int, nargs="+", default=[30, 200])
    atlas.add_argument("--rounds", type=int, default=3)
    atlas.add_argument("--search", action="store_true", help="the search of starts as well")
    atlas.add_argument("--skip", nargs="+", choices=KINDS, default=["eager"])
    atlas.add_argument("--model", type=Path, help="a trained CNN; else one is trained first")
    grow = parts.add_parser("grow", help="latentflow's part: all maps in one batch")
    for name in ("model", "starts", "target"):
        grow.add_argument(name, type=Path)
    for name in ("maps", "steps"):
        grow.add_argument(name, type=int)
    train = parts.add_parser("train", help="a CNN for the others, one epoch")
    train.add_argument("target", type=Path)
    chosen = options.parse_args()
    if chosen.part == "atlas":
        for steps in chosen.steps:
            compare_atlas(
                chosen.maps, steps, chosen.rounds, chosen.skip, chosen.model, chosen.search
            )
    elif chosen.part == "grow":
        grow_atlas(chosen.model, chosen.starts, chosen.target, chosen.maps, chosen.steps)
    else:
        train_network(chosen.target)


def compare_atlas(
    maps: int,
    steps: int,
    rounds: int,
    skip: list[str],
    model: Path | None = None,
    search: bool = False,
) -> None:
    """Each in a process of its own, in turn; timed from the network's file to the images.

    Tracing and compiling count; the start of Python and TensorFlow does not.
    """
    import numpy as np

    from tasks.dreams.start_images import draw_starts

    names = [name for name in ATLAS if name not in skip]
    used: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        if model is None:
            model = here / "cnn.keras"
            Command([sys.executable, __file__, "train", str(model)], ROOT, QUIET).seconds()
        starts = here / "starts.npy"
        pool = STARTS if search else maps
        np.save(starts, draw_starts(pool, (28, 28, 1), 0))

        def contestant(name: str) -> Callable[[], float]:
            target = here / f"{name}.npy"

            def seconds() -> float:
                took = _run(name, model, starts, maps, steps, target)
                used[name].append(took["processor"])
                return took["seconds"]

            return seconds

        times = in_turn({name: contestant(name) for name in names}, rounds, warm_up=0)
        images = {name: np.load(here / f"{name}.npy") for name in names}
        began = f"the best of {STARTS:,} starts" if search else "a start each"
        print(f"\natlas of {maps} maps of {LAYER}, {began}, {steps} steps, {rounds} rounds\n")
        print(table(times, names[0]))
        print("\n| | processor time, median [s] | × latentflow |\n| --- | ---: | ---: |")
        ours = statistics.median(used[names[0]])
        for name in names:
            own = statistics.median(used[name])
            print(f"| {name} | {own:.1f} | {own / ours:.1f} |")
        print(f"\n{say_equal(model, images)}", flush=True)


def _run(
    name: str, model: Path, starts: Path, maps: int, steps: int, target: Path
) -> dict[str, float]:
    if name == ATLAS[0]:
        arguments = [__file__, "grow", *map(str, (model, starts, target, maps, steps))]
    else:
        script = ROOT / "benchmarks" / "plain_atlas.py"
        arguments = [*map(str, (script, model, LAYER, starts, maps, steps, RATE, name, target))]
    Command([sys.executable, *arguments], ROOT, QUIET).seconds()
    took: dict[str, float] = json.loads(target.with_suffix(".json").read_text())
    return took


def say_equal(model: Path, images: dict[str, Any]) -> str:
    """How far the final activations of the others lie from ours, map by map."""
    import numpy as np

    from engine import File
    from tasks.dreams.viewer import Viewer

    viewer = Viewer(File(model.read_bytes(), ".keras"), layer=LAYER)
    own = {name: viewer.look(each).means.diagonal().astype(float) for name, each in images.items()}
    ours = own[ATLAS[0]]
    told = []
    for name, theirs in own.items():
        alive = (theirs > 0) | (ours > 0)
        apart = np.abs(ours - theirs)[alive] / np.maximum(theirs[alive], 1e-9)
        told.append(
            f"{name}: {int((theirs > 0).sum())} maps above zero, ours differ by {100 * np.median(apart):.3f} % "
            f"(median), {100 * apart.max():.2f} % at most; mean {theirs.mean():.4f} (ours {ours.mean():.4f})"
        )
    return "\n".join(told)


def grow_atlas(model: Path, starts: Path, target: Path, maps: int, steps: int) -> None:
    """What the flow's stages do, from the file of a network on."""
    import numpy as np

    from engine import File
    from tasks.dreams.atlas import grow_patterns, search_starts
    from tasks.training.runtime import start_tensorflow

    start_tensorflow()
    import keras  # noqa: F401 — its start is not what is compared

    begun = time.perf_counter(), time.process_time()
    network, pool = File(model.read_bytes(), ".keras"), np.load(starts)
    if len(pool) > maps:
        pool = search_starts.fn(network, layer=LAYER, starts=len(pool), most=maps).searched
    found = grow_patterns.fn(
        network, pool, layer=LAYER, steps=steps, rate=RATE, total_variation=0.0, jitter=0,
        hold=False,
    )  # fmt: skip
    took = {"seconds": time.perf_counter() - begun[0], "processor": time.process_time() - begun[1]}
    np.save(target, found.images)
    target.with_suffix(".json").write_text(json.dumps(took))


def train_network(target: Path) -> None:
    """A CNN as the flow trains it in one epoch."""
    import numpy as np

    from tasks.dreams.cnn import train_cnn

    with np.load(IMAGES) as data:
        train, test = (
            {"x": data[f"x_{part}"], "y": data[f"y_{part}"].astype(np.int64)}
            for part in ("train", "test")
        )
    about: dict[str, Any] = {"classes": [str(digit) for digit in range(10)]}
    cnn = train_cnn.fn(train, test, about, epochs=1, rate=4e-3, warm_up=0.2, precision="auto")
    target.write_bytes(cnn.model.read_bytes())


if __name__ == "__main__":
    main()
