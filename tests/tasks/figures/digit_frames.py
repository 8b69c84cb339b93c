"""Small images, clusterings and sweeps such as the digits' stages make, for any number of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tasks.scores import confuse

Frames = dict[str, Any]

ODD = ("<b>bold & loud</b>", "$5 and $6", "_hidden", "two\nlines. Of text")


def make_digits(
    classes: int = 10, height: int = 28, width: int = 28, rows: int = 600, clusters: int = 20,
    names: str = "digits",
) -> Frames:  # fmt: skip
    """Return every array and table a figure takes; 85 % of the rows lie in a cluster of their class."""
    rng = np.random.default_rng(11)
    if names == "odd":
        labels = [ODD[i % 4] + ("" if i < 4 else str(i)) for i in range(classes)]
    elif names == "long":
        labels = [f"a class whose name is very long {i:02d}" for i in range(classes)]
    else:
        labels = [str(i) for i in range(classes)]
    codes = np.concatenate([np.arange(classes), rng.integers(0, classes, rows - classes)])
    shapes = np.zeros((classes, height, width))
    for code in range(classes):
        shapes[code, code * height // classes :: 5, width // 4 : -(width // 4)] = 1
    light = shapes[codes] * rng.uniform(150, 255, (rows, 1, 1))
    images = light.astype(np.uint8)
    told = np.where(rng.random(rows) < 0.85, codes, (codes + 1) % classes)
    label = np.arange(clusters) % classes
    own = [np.flatnonzero(label == code) for code in range(classes)]
    number = np.array([own[c][r % len(own[c])] if len(own[c]) else 0 for r, c in enumerate(told)])
    size = np.bincount(number, minlength=clusters)
    right = np.bincount(number[label[number] == codes], minlength=clusters)
    mapped = np.arange(clusters) != clusters - 1
    angle = 2 * np.pi * codes / classes
    xy = 30 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 3, (rows, 2))
    axes, _ = np.linalg.qr(rng.normal(size=(height * width, min(40, height * width))))
    ratio = np.sort(rng.dirichlet(np.ones(axes.shape[1])))[::-1]
    return {
        "about": {"name": "made", "classes": labels, "shape": [height, width], "rows": rows},
        "train": {"x": images, "y": codes.astype(np.int64)},
        "images": np.stack([images[codes == c][0] for c in label]),
        "mapping": pd.DataFrame(
            {"cluster": range(clusters), "label": [labels[c] for c in label], "size": size,
             "purity": right / np.maximum(size, 1), "mapped": mapped}
        ),
        "assignment": {"train": number.astype(np.int32)},
        "confusion": confuse(codes, told, labels),
        "points": {"xy": xy.astype(np.float32), "rows": np.arange(rows)},
        "quality": {"knn": 0.421, "trustworthiness": 0.9876, "label_accuracy": 0.953,
                    "neighbours": 10},
        "basis": {"components": axes.T.astype(np.float32), "ratio": ratio.astype(np.float32)},
        "curve": pd.DataFrame(
            {"component": np.arange(1, len(ratio) + 1), "ratio": ratio, "cumulative": ratio.cumsum()}
        ),
        "labels": pd.DataFrame(
            {"prototype": range(clusters), "label": [labels[c] for c in label],
             "size": rng.integers(1, 99, clusters)}
        ),
        "prototypes": pd.DataFrame(
            [(m, m * classes, seed, 1 - 0.3 / m**0.5 - 0.002 * seed) for m in (1, 5, 20)
             for seed in (0, 1, 2)],
            columns=["per_class", "prototypes", "seed", "accuracy"],
        ),
        "means": make_means(),
    }  # fmt: skip


def make_means(
    scalings: tuple[str, ...] = ("unit", "standard", "normalise", "standard-normalise"),
    spaces: tuple[str, ...] = ("raw", "pca15", "pca40"),
    ks: tuple[int, ...] = (10, 40, 100, 300), seeds: int = 3,
) -> pd.DataFrame:  # fmt: skip
    """Return means over seeds: minibatch everywhere, KMeans for normalise in pca40 alone."""
    gain = {"unit": 0.0, "standard": -0.06, "normalise": 0.04}
    rows = []
    for scaling in scalings:
        for space in spaces:
            dimensions = 784 if space == "raw" else int(space.removeprefix("pca"))
            for algorithm in ("minibatch", "kmeans"):
                if algorithm == "kmeans" and (scaling, space) != ("normalise", "pca40"):
                    continue
                for k in ks:
                    error = (0.45 - gain.get(scaling, -0.03)) * (10 / k) ** 0.45
                    error -= 0.01 * (algorithm == "kmeans") + 0.004 * (dimensions == 40)
                    rows.append((scaling, space, algorithm, k, dimensions, seeds, 1 - error, 0.008))
    columns = ["scaling", "space", "algorithm", "clusters", "dimensions", "seeds", "accuracy",
               "accuracy_sd"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
