"""The flow `digits` beside scikit-learn and openTSNE: time, memory and quality.

make env-peers && .venv/bin/python benchmarks/digits.py flow
.venv/bin/python benchmarks/digits.py tsne --sizes 5000 15000
.venv/bin/python benchmarks/digits.py tsne --sizes 60000 --skip scikit-learn
.venv/bin/python benchmarks/digits.py scaling
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.timing import Command, in_turn, table

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / ".venv" / "bin" / "python"
IMAGES = ROOT / "data" / "mnist.npz"
# All of them take as many steps, from the first two principal components, on both cores.
PERPLEXITY, STEPS, NEIGHBOURS = 30, 750, 10
TSNES = ("latentflow", "scikit-learn", "openTSNE")
MEASURED = 15_000  # points whose neighbours are looked at, among all
# OpenMP's threads would wait for each other in busy loops: beside any other work that makes
# scikit-learn and openTSNE many times slower, and the comparison worthless.
FAIR = {"OMP_WAIT_POLICY": "PASSIVE"}


def main() -> None:
    """Print one of the benchmark's tables, or play one contestant's part."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = options.add_subparsers(dest="part", required=True)
    flow = parts.add_parser("flow", help="the first run beside a script with scikit-learn alone")
    flow.add_argument("--rounds", type=int, default=3)
    tsne = parts.add_parser("tsne", help="t-SNE beside scikit-learn's and openTSNE")
    tsne.add_argument("--sizes", type=int, nargs="+", default=[5000, 15_000])
    tsne.add_argument("--skip", nargs="+", choices=TSNES, default=[])
    tsne.add_argument("--rounds", type=int, default=1)
    scaling = parts.add_parser("scaling", help="each stage from 10,000 to 60,000 images")
    scaling.add_argument("--sizes", type=int, nargs="+", default=[10_000, 20_000, 40_000, 60_000])
    scaling.add_argument("--rounds", type=int, default=3)
    embed = parts.add_parser("embed", help="one t-SNE of the points in a file")
    embed.add_argument("name", choices=TSNES)
    embed.add_argument("points", type=Path)
    embed.add_argument("target", type=Path)
    chosen = options.parse_args()
    if chosen.part == "flow":
        compare_flow(chosen.rounds)
    elif chosen.part == "tsne":
        compare_tsne(chosen.sizes, chosen.skip, chosen.rounds)
    elif chosen.part == "scaling":
        time_stages(chosen.sizes, chosen.rounds)
    else:
        embed_points(chosen.name, chosen.points, chosen.target)


def compare_flow(rounds: int) -> None:
    """Whole processes in turn; the script draws nothing, so the flow runs without figures too."""
    used: dict[str, list[tuple[float, float]]] = {}

    def contestant(name: str, run: Callable[[], tuple[float, ...]]) -> Callable[[], float]:
        def seconds() -> float:
            took, processor, peak = run()
            used.setdefault(name, []).append((processor, peak))
            return took

        return seconds

    def first_run(*more: str) -> tuple[float, ...]:
        program = str(Path(sys.executable).with_name("latentflow"))
        arguments = [program, "run", "digits", "--local", "--preset", "quick"]
        offline = ["--set", "data.offline=true"]  # neither side waits for a network
        with tempfile.TemporaryDirectory() as folder:
            here = {"LATENTFLOW_STORE": folder, **FAIR}
            return Command([*arguments, *offline, *more], ROOT, here).usage()

    def plain(dtype: str) -> tuple[float, ...]:
        script = str(ROOT / "benchmarks" / "plain_digits.py")
        return Command([sys.executable, script, str(IMAGES), dtype], ROOT, FAIR).usage()

    runs: dict[str, Callable[[], tuple[float, ...]]] = {
        "latentflow, no figures": lambda: first_run("--until", "tabulate_digits"),
        "latentflow, all": first_run,
        "scikit-learn, float32": lambda: plain("float32"),
        "scikit-learn, float64": lambda: plain("float64"),
    }
    contestants = {name: contestant(name, run) for name, run in runs.items()}
    times = in_turn(contestants, rounds, warm_up=0)
    print(f"flow digits, preset quick, empty store, {rounds} rounds\n")
    print(table(times, next(iter(runs))))
    print("\n| | processor time, median [s] | peak memory [GB] |\n| --- | ---: | ---: |")
    for name, each in used.items():
        processor = statistics.median(seconds for seconds, _ in each)
        print(f"| {name} | {processor:.1f} | {max(peak for _, peak in each):.2f} |")


def compare_tsne(sizes: list[int], skip: list[str], rounds: int) -> None:
    """The fit alone is timed, by each contestant itself, after its imports."""
    import numpy as np

    space, codes = _space()
    names = [name for name in TSNES if name not in skip]
    print(f"t-SNE, perplexity {PERPLEXITY}, {STEPS} steps, 40 components of unit rows of MNIST\n")
    print(
        "| points | | median [s] | × latentflow | processor time [s] | neighbours kept | beside latentflow's | "
        "trustworthiness | own class |\n| ---: | --- |" + " ---: |" * 7
    )
    for size in sizes:
        rows = np.random.default_rng(0).permutation(len(space))[:size]
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "points.npy"
            np.save(source, space[rows])
            times = in_turn({name: _embedder(name, source) for name in names}, rounds, warm_up=0)
            busy = {name: _report(source, name)["processor"] for name in names}
            quality = {
                name: measure(space[rows], np.load(source.with_name(f"{name}.npy")), codes[rows])
                for name in names
            }
        ours = statistics.median(times[names[0]]), quality[names[0]][0]
        for name in names:
            seconds, (kept, trust, own) = statistics.median(times[name]), quality[name]
            print(
                f"| {size:,} | {name} | {seconds:.1f} | {seconds / ours[0]:.1f} | {busy[name]:.1f} | "
                f"{kept:.4f} | {100 * (kept / ours[1] - 1):+.1f} % | {trust:.4f} | {own:.4f} |",
                flush=True,
            )


def _space() -> tuple[Any, Any]:
    """The points, float32 (60,000, 40), and their classes, by scikit-learn."""
    import numpy as np
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import normalize

    with np.load(IMAGES) as images:
        rows = images["x_train"].reshape(60_000, -1).astype(np.float32)
        codes = images["y_train"].astype(np.int64)
    return PCA(40, random_state=0).fit_transform(normalize(rows)), codes


def _embedder(name: str, source: Path) -> Callable[[], float]:
    python = str(PEERS) if name == "openTSNE" else sys.executable
    target = str(source.with_name(f"{name}.json"))
    arguments = [python, str(Path(__file__)), "embed", name, str(source), target]

    def seconds() -> float:
        Command(arguments, ROOT, {"PYTHONPATH": str(ROOT), **FAIR}).seconds()
        return _report(source, name)["seconds"]

    return seconds


def _report(source: Path, name: str) -> dict[str, float]:
    report: dict[str, float] = json.loads(source.with_name(f"{name}.json").read_text())
    return report


def embed_points(name: str, source: Path, target: Path) -> None:
    """Write the embedding beside `target` (.npy), and into it the seconds of wall and processor time."""
    import numpy as np

    points = np.load(source)
    fit: Callable[[], Any]
    if name == "openTSNE":
        import openTSNE  # type: ignore[import-not-found]

        model = openTSNE.TSNE(
            perplexity=PERPLEXITY, n_iter=STEPS - 250, n_jobs=2, random_state=0, verbose=False
        )

        def fit() -> Any:
            return model.fit(points)
    elif name == "scikit-learn":
        from sklearn.manifold import TSNE

        own = TSNE(perplexity=PERPLEXITY, max_iter=STEPS, n_jobs=2, random_state=0)

        def fit() -> Any:
            return own.fit_transform(points)
    else:
        import sklearnex.manifold  # noqa: F401  # imports are not timed

        from tasks.embedding import embed_tsne

        def fit() -> Any:
            found = embed_tsne.fn(
                points, sample=len(points), perplexity=PERPLEXITY, iterations=STEPS, seed=0
            )
            return found.points["xy"]

    started, processor = time.perf_counter(), time.process_time()
    xy = fit()
    used = {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - processor,
    }
    np.save(target.with_suffix(".npy"), np.asarray(xy, dtype=np.float32))
    target.write_text(json.dumps(used))


def measure(points: Any, xy: Any, codes: Any) -> tuple[float, float, float]:
    """Share of the 10 nearest neighbours kept, trustworthiness, share with its neighbours' class.

    Owes nothing to the project's own figures of quality: exact distances in float64, neighbours in
    the picture from scikit-learn's k-d tree.
    """
    import numpy as np
    from sklearn.metrics import euclidean_distances
    from sklearn.neighbors import NearestNeighbors

    k, total = NEIGHBOURS, len(points)
    tree = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(xy)
    shown = tree.kneighbors(return_distance=False)
    rows = np.sort(np.random.default_rng(0).permutation(total)[:MEASURED])
    kept, penalty = 0, 0
    for some in np.array_split(rows, math.ceil(len(rows) / 250)):
        apart = euclidean_distances(points[some].astype(np.float64), points.astype(np.float64))
        apart[np.arange(len(some)), some] = np.inf
        ordered = np.sort(apart, axis=1)
        for row, distances, near in zip(ordered, apart, shown[some], strict=True):
            rank = np.searchsorted(row, distances[near]) + 1
            kept += int((rank <= k).sum())
            penalty += int(np.maximum(rank - k, 0).sum())
    votes = np.array([np.bincount(codes[near], minlength=10).argmax() for near in shown[rows]])
    trust = 1 - 2 * penalty / (len(rows) * k * (2 * total - 3 * k - 1))
    return kept / (len(rows) * k), trust, float((votes == codes[rows]).mean())


def time_stages(sizes: list[int], rounds: int) -> None:
    """Seconds of each stage's function at each size, medians over seeds; t-SNE is left out."""
    _stage_seconds(sizes[0], 1)  # the first call of a stage starts its libraries
    found = {size: _stage_seconds(size, rounds) for size in sizes}
    first, last = sizes[0], sizes[-1]
    bound = last * math.log(last) / (first * math.log(first))
    print(f"seconds of each stage, medians of {rounds} seeds; n log n would grow × {bound:.2f}\n")
    heads = [f"{size:,}" for size in sizes]
    print(f"| stage | {' | '.join(heads)} | grows × | exponent | within n log n |")
    print(f"| --- |{' ---: |' * len(sizes)} ---: | ---: | --- |")
    for name in found[first]:
        seconds = [found[size][name] for size in sizes]
        growth = seconds[-1] / seconds[0]
        exponent = math.log(growth) / math.log(last / first)
        cells = " | ".join(f"{s:.3f}" for s in seconds)
        verdict = "yes" if growth <= bound else "no"
        print(f"| {name} | {cells} | {growth:.2f} | {exponent:.2f} | {verdict} |")


def _stage_seconds(size: int, rounds: int) -> dict[str, float]:
    from engine import File
    from tasks.centroids import invert_centroids
    from tasks.clustering import cluster_digits
    from tasks.components import fit_components, project
    from tasks.images import load_images
    from tasks.prototypes import fit_prototypes
    from tasks.scaling import fit_scaling, scale_images
    from tasks.scores import rate_cell, score_clusters

    times: dict[str, list[float]] = {}

    def timed(stage: Any, *inputs: Any, what: str = "", **parameters: Any) -> Any:
        started = time.perf_counter()
        value = stage.fn(*inputs, **parameters)
        times.setdefault(f"{stage.name} {what}", []).append(time.perf_counter() - started)
        return value

    raw = File(IMAGES.read_bytes(), ".npz")
    # The same test images at every size: the training part alone grows.
    test = load_images.fn(raw, limit=10_000).test
    for seed in range(rounds):
        train, _, about = timed(load_images, raw, limit=size)
        for scaling in ("standard-normalise", "normalise"):
            learned = timed(fit_scaling, train, what=scaling, scaling=scaling)
        timed(scale_images, train, test, learned)
        basis = timed(fit_components, train, learned).basis
        space = timed(project, train, test, basis, learned)
        pair = {"train": space.train, "test": space.test}
        for algorithm, k in itertools.product(("minibatch", "kmeans"), (100, 1000)):
            what = f"{algorithm}, {k:,} clusters"
            how = {"algorithm": algorithm, "clusters": k, "seed": seed}
            cell = timed(cluster_digits, pair, what=what, **how)
            if algorithm == "kmeans":
                whole = times[f"{cluster_digits.name} {what}"][-1]
                each = times.setdefault(f"{cluster_digits.name} {what}, an iteration", [])
                each.append(whole / cell.summary["iterations"])
        for stage in (rate_cell, score_clusters):
            timed(stage, cell, train, test, about)
        timed(fit_prototypes, pair, train, test, about, per_class=50, seed=seed)
        timed(invert_centroids, cell.centroids, learned, about, basis)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


if __name__ == "__main__":
    main()
