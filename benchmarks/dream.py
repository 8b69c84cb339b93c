"""Carving beside the post's eager loop, and a photo of 12 million pixels: time and memory.

.venv/bin/python benchmarks/dream.py posts
.venv/bin/python benchmarks/dream.py large
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import Command, in_turn

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "data" / "mnist.npz"
SIDE = 560
LAYER = "Conv2D_3"
QUADRANTS = {"one": [(1, 1)], "all four": [(0, 0), (0, 1), (1, 0), (1, 1)]}
CASCADE = [{"grid": "2x2"}, {"grid": "4x4"}, {"grid": "8x8"}]
WIDTHS = (1024, 2048, 4096)


def main() -> None:
    """Print one of the benchmark's tables, or play one contestant's part."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = options.add_subparsers(dest="part", required=True)
    posts = parts.add_parser("posts", help="the post's loop at 560 pixels, one quadrant and four")
    posts.add_argument("--rounds", type=int, default=5)
    posts.add_argument("--model", type=Path, help="a CNN's .keras file; else one is trained")
    large = parts.add_parser("large", help="2x2, 4x4 and 8x8 tiles of photos of growing size")
    large.add_argument("--model", type=Path)
    one = parts.add_parser("one", help="one dream of one photo")
    one.add_argument("model", type=Path)
    one.add_argument("width", type=int)
    chosen = options.parse_args()
    if chosen.part == "one":
        dream_once(chosen.model, chosen.width)
        return
    with tempfile.TemporaryDirectory() as folder:
        model = chosen.model or train(Path(folder))
        if chosen.part == "posts":
            compare_posts(model, chosen.rounds)
        else:
            compare_sizes(model)


def compare_posts(model: Path, rounds: int) -> None:
    """Both in one process, in turn: TensorFlow's import and the network's loading count for neither."""
    from benchmarks.plain_dream import carve
    from tasks.dreams.networks import open_network
    from tasks.dreams.tones import to_luma

    network = open_network(model)
    grey = to_luma(np.asarray(photo(SIDE, SIDE)))
    index = live_map(network, grey)
    for name, quadrants in QUADRANTS.items():
        dream = Ours(network, grey, quadrants, index)
        race(
            f"{name} quadrant(s), {SIDE} px, map {index}",
            {
                "the post's loop, eager": partial(carve, network, LAYER, grey, quadrants, index),
                "ours, graph included": Ours(network, grey, quadrants, index).anew,
                "ours, further dreams": dream.carve,
            },
            rounds,
        )
        print(f"graphs traced: {dream.ascent.traces}")


def race(title: str, runs: dict[str, Callable[[], Any]], rounds: int) -> None:
    """A table of wall and processor time, and how far the last contestant is from the first."""
    results: dict[str, Any] = {}
    used: dict[str, list[float]] = {who: [] for who in runs}

    def run(who: str) -> float:
        started, processor = time.perf_counter(), time.process_time()
        results[who] = runs[who]()
        used[who].append(time.process_time() - processor)
        return time.perf_counter() - started

    times = in_turn({who: partial(run, who) for who in runs}, rounds)
    first, *_, last = times
    print(f"\n{title}\n")
    print("| | wall [s] | processor [s] | times faster | in processor time |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for who, seconds in times.items():
        own = used[who][-rounds:]
        ratio = statistics.median(e / s for e, s in zip(times[first], seconds, strict=True))
        processor = statistics.median(used[first][-rounds:]) / statistics.median(own)
        print(
            f"| {who} | {statistics.median(seconds):.2f} ({min(seconds):.2f} – {max(seconds):.2f}) | "
            f"{statistics.median(own):.2f} | {ratio:.1f} | {processor:.1f} |"
        )
    theirs, ours = (np.array(results[who][1]) for who in (first, last))
    apart = np.abs(ours - theirs).max() / np.abs(theirs).max()
    off = np.abs(results[first][0] - results[last][0]).max()
    print(
        f"\nfinal activations {np.round(theirs, 3)} and {np.round(ours, 3)}, at most "
        f"{100 * apart:.2f} % of the largest apart; pictures at most {off:.4f} deviations apart"
    )


class Ours:
    """A dream in mode `seed` by the project's functions; its graph serves every further dream."""

    def __init__(self, network: Any, grey: np.ndarray, quadrants: list[Any], index: int) -> None:
        from tasks.dreams.ascent import Ascent
        from tasks.dreams.carving import Layer
        from tasks.dreams.levels import lay_out
        from tasks.dreams.objectives import channel
        from tasks.dreams.tones import standardise_picture

        objective = channel(LAYER, index)
        self._network = network
        self.grey = standardise_picture(grey)
        levels: list[dict[str, Any]] = [{"grid": "1x1"}]
        levels.append({"grid": "2x2", "tiles": quadrants})
        self.layers = [
            Layer(one.grid, one.places, [objective] * len(one.places))
            for one in lay_out(levels, self.grey.shape, (28, 28), mode="seed")
        ]
        self._objective = objective
        self.ascent = Ascent(network, [objective])

    def anew(self) -> tuple[np.ndarray, list[float]]:
        """The first dream of a process: its graph is built as well."""
        from tasks.dreams.ascent import Ascent

        self.ascent = Ascent(self._network, [self._objective])
        return self.carve()

    def carve(self) -> tuple[np.ndarray, list[float]]:
        """The final picture and its activations, as `benchmarks.plain_dream.carve` gives them."""
        from benchmarks.plain_dream import EPOCHS, EPSILON, LOOPS
        from tasks.dreams.ascent import Climbing
        from tasks.dreams.carving import carve_seed
        from tasks.dreams.dreaming import rate_tiles
        from tasks.dreams.resizing import on_one_thread

        how = Climbing(steps=EPOCHS, rate=EPSILON)
        levels = [[layer] for layer in self.layers]
        with on_one_thread():
            *_, last = carve_seed(self.ascent, [self.grey], levels, how, loops=LOOPS)
            rated = rate_tiles(self.ascent, last.pictures[0], self.layers, is_standardised=True)
        return last.pictures[0], list(rated.values())


def compare_sizes(model: Path) -> None:
    """Each photo in a process of its own: from the file to the full-size PNGs."""
    print("| photo | million pixels | wall [s] | processor [s] | of it per million | peak [GB] |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for width in WIDTHS:
        arguments = [sys.executable, __file__, "one", str(model), str(width)]
        environment = {"PYTHONPATH": str(ROOT)}
        seconds, processor, peak = Command(arguments, ROOT, environment).usage()
        pixels = width * width * 3 / 4 / 1e6
        print(
            f"| {width} × {width * 3 // 4} | {pixels:.1f} | {seconds:.1f} | {processor:.1f} | "
            f"{processor / pixels:.2f} | {peak:.2f} |",
            flush=True,
        )


def dream_once(model: Path, width: int) -> None:
    """All stages of a dream of one photo in colour, three levels of tiles, two loops."""
    from engine import File
    from tasks.dreams.ascent import Climbing
    from tasks.dreams.choosing import choose_maps
    from tasks.dreams.dreaming import carve_picture
    from tasks.dreams.finishing import finish_picture
    from tasks.dreams.photo import load_photo

    buffer = io.BytesIO()
    photo(width, width * 3 // 4).save(buffer, "JPEG", quality=92)
    network = File(None, ".keras", model)
    pixels, about = load_photo.fn(File(buffer.getvalue(), ".jpg"))
    started = time.perf_counter()
    choices = choose_maps.fn(network, pixels, levels=CASCADE).choices
    chosen = time.perf_counter()
    carved = carve_picture.fn(
        network, pixels, choices, levels=CASCADE, loops=2, climbing=Climbing(16, 0.03)
    )
    dreamt = time.perf_counter()
    finish_picture.fn(carved.picture, pixels, about, carved.summary)
    done = time.perf_counter()
    print(f"{chosen - started:.1f} {dreamt - chosen:.1f} {done - dreamt:.1f}", file=sys.stderr)


def photo(width: int, height: int) -> Any:
    """scikit-learn's flower.jpg, cut to the shape and enlarged."""
    from PIL import Image, ImageOps

    from tasks.dreams.photo import default_photo

    with Image.open(default_photo()) as image:
        return ImageOps.fit(image.convert("RGB"), (width, height), Image.Resampling.BICUBIC)


def live_map(network: Any, grey: np.ndarray) -> int:
    """The map that the lower right quadrant drives most: all four must have a gradient to climb."""
    import keras
    import tensorflow as tf

    part = keras.Model(network.inputs[0], network.get_layer(LAYER).output)
    full = tf.image.per_image_standardization(grey[None, ..., None])
    half = grey.shape[0] // 2
    tiles = [full[:, a : a + half, b : b + half] for a in (0, half) for b in (0, half)]
    small = tf.concat(
        [tf.image.resize(tile, [28, 28], "bicubic", antialias=True) for tile in tiles], 0
    )
    return int(tf.reduce_min(tf.reduce_mean(part(small), (1, 2)), 0).numpy().argmax())


def train(folder: Path) -> Path:
    """A CNN after one epoch over MNIST."""
    from tasks.dreams.cnn import train_cnn

    with np.load(IMAGES) as data:
        parts = [
            {"x": data[f"x_{part}"], "y": data[f"y_{part}"].astype(np.int64)}
            for part in ("train", "test")
        ]
    about = {"classes": [str(digit) for digit in range(10)]}
    cnn = train_cnn.fn(parts[0], parts[1], about, epochs=1, rate=4e-3, warm_up=0.2)
    path = folder / "cnn.keras"
    path.write_bytes(cnn.model.read_bytes())
    return path


if __name__ == "__main__":
    main()
