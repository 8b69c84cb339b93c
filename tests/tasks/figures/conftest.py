"""Small tables such as the analysis stages make, for data sets of any number of features and classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

LONG = "a class whose name is forty characters {:02d}"
ODD = ("<b>bold & loud</b>", "$5 and $6", "_hidden", "two\nlines. Of text")


def make_frames(
    features: int = 7, classes: int = 4, rows: int = 240, unit: str = "dBm", names: str = "plain",
    clusters: int = 5, lone: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Return every table a figure takes; `lone` makes the last cluster one single point."""
    rng = np.random.default_rng(7)
    if names == "long":
        labels = [LONG.format(i) for i in range(classes)]
    elif names == "odd":
        labels = [ODD[i % len(ODD)] + ("" if i < len(ODD) else str(i)) for i in range(classes)]
    else:
        labels = [f"room {i + 1:02d}" for i in range(classes)]
    columns = [
        f"WLAN-{i}" if unit == "dBm" else f"a long feature name {i}" for i in range(features)
    ]
    group = np.arange(rows) % classes
    centres = rng.uniform(-80, -20, (classes, features))
    points = np.round(centres[group] + rng.normal(0, 3, (rows, features)))
    data = pd.DataFrame(points, columns=columns)
    label = pd.DataFrame({"label": np.array(labels, dtype=object)[group]})
    number = (
        group % clusters
        if classes >= clusters
        else np.where(
            (group == 0) & (np.arange(rows) % 3 == 0), clusters - 1, group % max(clusters - 1, 1)
        )
    )
    if lone:
        number = np.where(number == clusters - 1, 0, number)
        number[rows // 2] = clusters - 1
    about = {"name": "made", "unit": unit, "rows": rows, "classes": sorted(labels),
             "features": columns, "label": "room"}  # fmt: skip
    frames: dict[str, Any] = {
        "features": data, "labels": label, "about": about,
        "assignment": pd.DataFrame({"cluster": number.astype(np.int64)}),
    }  # fmt: skip
    frames |= _densities(columns, sorted(labels)) | _by_k(rng) | _clusters(frames, clusters)
    frames |= _components(data) | _accuracies(columns, rng)
    return frames


def _densities(columns: list[str], labels: list[str]) -> dict[str, Any]:
    curves, peaks = [], []
    for i, feature in enumerate(columns):
        for j, label in enumerate(labels):
            x = np.linspace(-90, -10, 40)
            main = -70 + 4 * j + i
            curve = np.exp(-(((x - main) / 5) ** 2))
            peaks.append((feature, label, float(main), 1.0, 1))
            if i in (0, 1) and j == 1:
                curve += 0.3 * np.exp(-(((x + 20) / 4) ** 2))
                peaks.append((feature, label, -20.0 + i, 0.3, 2))
            curves.append(
                pd.DataFrame({"feature": feature, "label": label, "value": x, "density": curve})
            )
    return {
        "curves": pd.concat(curves, ignore_index=True),
        "peaks": pd.DataFrame(peaks, columns=["feature", "label", "value", "density", "rank"]),
    }


def _by_k(rng: np.random.Generator) -> dict[str, Any]:
    ks = np.arange(2, 13)
    inertia = 4e5 / ks + np.where(ks < 5, 3e5 * (5 - ks), 0)
    scan = pd.DataFrame(
        {
            "k": ks, "inertia": inertia, "silhouette": 0.4 - 0.02 * np.abs(ks - 5),
            "calinski_harabasz": 1800.0 - 90 * np.abs(ks - 4),
            "davies_bouldin": 0.9 + 0.05 * np.abs(ks - 5),
        }
    )  # fmt: skip
    uniform = pd.DataFrame(
        [(k, r, 9e6 / k**0.4 * (1 + 0.01 * r)) for k in range(1, 14) for r in range(4)],
        columns=["k", "reference", "inertia"],
    )
    stability = pd.DataFrame(
        [(k, r, 0.95 - 0.03 * abs(k - 4) - 0.005 * r) for k in ks for r in range(5)],
        columns=["k", "resample", "ari"],
    )
    choice = {
        "best": {"silhouette": 5, "calinski_harabasz": 4, "davies_bouldin": 5, "gap": 5,
                 "stability": 4},
        "knee": 5, "null_knee": None, "sentence": "", "agreement": False,
        "gap": [{"k": int(k), "gap": 1 + 0.1 * min(int(k), 5), "s_k": 0.01} for k in ks],
    }  # fmt: skip
    profiles = {}
    for k in (3, 4, 5, 6):
        cluster = np.sort(np.arange(120) % k)
        profiles[str(k)] = pd.DataFrame(
            {"cluster": cluster, "order": np.arange(120),
             "silhouette": np.clip(rng.normal(0.5 - 0.05 * abs(k - 5), 0.15, 120), -1, 1)}
        )  # fmt: skip
    return {"scan": scan, "uniform": uniform, "stability": stability, "choice": choice,
            "profiles": profiles}  # fmt: skip


def _clusters(frames: dict[str, Any], clusters: int) -> dict[str, Any]:
    data, label, number = frames["features"], frames["labels"]["label"], frames["assignment"]
    classes = frames["about"]["classes"]
    table = np.array(
        [[int(((number["cluster"] == c) & (label == name)).sum()) for name in classes]
         for c in range(clusters)]
    )  # fmt: skip
    size = table.sum(axis=1)
    counts = pd.DataFrame(table, columns=classes)
    counts.insert(0, "cluster", np.arange(clusters))
    counts["size"] = size
    counts["purity"] = table.max(axis=1) / np.maximum(size, 1)
    counts["majority"] = [classes[i] for i in table.argmax(axis=1)]
    centroids = data.groupby(number["cluster"].to_numpy()).mean().reset_index(names="cluster")
    columns = list(data.columns)
    pairs = pd.DataFrame(
        [(columns[0], columns[1], 0.52), (columns[-1], columns[0], 0.47)],
        columns=["x", "y", "silhouette"],
    )
    return {"counts": counts, "centroids5": centroids, "centroids4": centroids.iloc[:-1],
            "pairs": pairs}  # fmt: skip


def _components(data: pd.DataFrame) -> dict[str, Any]:
    centred = data.to_numpy() - data.to_numpy().mean(axis=0)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    ratio = values**2 / (values**2).sum()
    number = np.arange(1, len(ratio) + 1)
    loadings = pd.DataFrame(vectors, columns=data.columns)
    loadings.insert(0, "component", number)
    scores = pd.DataFrame(centred @ vectors.T, columns=[f"pc{i}" for i in number])
    variance = pd.DataFrame({"component": number, "ratio": ratio, "cumulative": ratio.cumsum()})
    return {"variance": variance, "loadings": loadings, "scores": scores}


def _accuracies(columns: list[str], rng: np.random.Generator) -> dict[str, Any]:
    importance = np.sort(rng.dirichlet(np.ones(len(columns))))[::-1]
    results = pd.DataFrame(
        [
            (space, k, split, min(1.0, best - 0.05 / k + 0.002 * (split % 3)), 0, 0, 0.97)
            for space, best in (("raw", 0.985), ("pca3", 0.99), ("standardised", 0.955))
            for k in (4, 5, 8, 10, 11, 20, 30)
            for split in range(5)
        ],
        columns=["space", "clusters", "split", "accuracy", "empty_clusters", "unmapped_clusters",
                 "mean_purity"],
    )  # fmt: skip
    return {
        "forest_scores": pd.DataFrame({"split": range(5), "accuracy": [0.98, 0.984, 0.99, 0.978, 0.982]}),
        "importances": pd.DataFrame({"feature": columns, "importance": importance}),
        "results": results,
    }  # fmt: skip


@pytest.fixture
def frames() -> dict[str, Any]:
    """Tables like those of the wifi data: 7 signals, 4 rooms, 5 clusters."""
    return make_frames()


@pytest.fixture
def framed() -> Callable[..., dict[str, Any]]:
    """The maker of the tables, for other numbers of features and classes and other names."""
    return make_frames
