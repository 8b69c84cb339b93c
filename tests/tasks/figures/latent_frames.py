"""Arrays and tables such as the autoencoder's stages make, for images of any size and any classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tasks.autoencoder.card import compile_card
from tasks.autoencoder.spread import measure_spread
from tasks.scores import confuse
from tests.tasks.figures.digit_frames import ODD, Frames


def make_latents(
    classes: int = 10, height: int = 28, width: int = 28, z: int = 4, rows: int = 400,
    names: str = "digits", colours: bool = False,
) -> Frames:  # fmt: skip
    """Return what the pictures take: points in groups by class, images, walks, samples, a card."""
    rng = np.random.default_rng(4)
    labels = [str(i) for i in range(classes)]
    if names == "odd":
        labels = [ODD[i % 4] + ("" if i < 4 else str(i)) for i in range(classes)]
    elif names == "long":
        labels = [f"a class whose name is very long {i:02d}" for i in range(classes)]
    shape = (height, width, 3) if colours else (height, width)
    codes = np.arange(rows) % classes
    points = (rng.normal(0, 9, (classes, z))[codes] + rng.normal(0, 2, (rows, z))).astype("f4")
    told = np.where(rng.random(rows) < 0.8, codes, (codes + 1) % classes)
    about = {"name": "made", "classes": labels, "shape": [height, width]}
    images = {"x": _strokes(rng, codes, shape), "y": codes.astype(np.int64)}
    spread = measure_spread.fn(points, images, confuse(codes, told, labels), about)
    quality = {
        "knn": 0.51, "trustworthiness": 0.9876, "label_accuracy": 0.931, "space_accuracy": 0.968,
        "neighbours": 10,
    }  # fmt: skip
    steps, axes = 11, min(z, 16)
    angle = 2 * np.pi * codes / classes
    xy = 30 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 3, (rows, 2))
    return {
        "about": about,
        "images": images,
        "points": points,
        "rebuilt": _strokes(rng, codes, shape),
        "errors": pd.DataFrame(
            {"row": range(rows), "bce": rng.uniform(0.08, 0.2, rows), "floor": [0.058] * rows}
        ),
        "summary": {"rows": rows, "dimensions": z, "psnr": 20.5, "ssim": 0.87},
        "embedding": {"xy": xy.astype("f4"), "rows": np.arange(rows)},
        "qualities": {"train": quality, "test": {**quality, "knn": 0.52}},
        "kl": {"train": {"kl": 1.41}, "test": {"kl": 1.39}},
        "spread": spread,
        "units": pd.DataFrame(
            {"unit": range(1, z + 1), "mean": 0.0, "variance": points.var(axis=0),
             "active": points.var(axis=0) > 0.01}
        ),
        "grid": _strokes(rng, np.arange(48), shape),
        "plane": {"across": np.linspace(-12, 14.5, 8), "up": np.linspace(9, -9, 6)},
        "grid_summary": {
            "columns": 8, "rows": 6, "dimensions": z, "explained": 0.42, "finding": "A plane.",
        },
        "walks": _strokes(rng, np.arange(axes * steps), shape).reshape(axes, steps, *shape),
        "start": _strokes(rng, np.arange(2), shape),
        "axes": pd.DataFrame(
            {"axis": range(1, axes + 1), "low": -12.3, "high": 10.0, "own": 0.1, "effect": 1.0}
        ),
        "walk_summary": {"label": labels[-1], "dimensions": z, "finding": "A walk."},
        "ways": _strokes(rng, np.arange(60), shape).reshape(6, 10, *shape),
        "ends": _strokes(rng, np.arange(12), shape).reshape(6, 2, *shape),
        "pairs": pd.DataFrame(
            {"first": range(6), "second": range(6), "evenness": 0.8,
             "first_label": [labels[i % classes] for i in range(6)],
             "second_label": [labels[(i + 1) % classes] for i in range(6)]}
        ),
        "samples": _strokes(rng, np.arange(210), shape),
        "verdicts": pd.DataFrame(
            {"row": range(210), "source": np.repeat(["Gaussian mixture", "normal, deviation 0.5",
             "normal, deviation 1"], 70), "passes": np.arange(210) % 3 > 0}
        ),
        "shares": pd.DataFrame(
            {"source": ["Gaussian mixture", "normal, deviation 0.5", "normal, deviation 1"],
             "rows": 70, "share": [0.82, 0.0, 1.0], "clear": [0.61, 0.0, 1.0], "labels": [classes, 0, 3]}
        ),
        "judge": {"unseen": 0.959, "unseen_clear": 0.924, "blends": 0.796, "blends_clear": 0.608},
        "histories": {
            "z = 16": make_history(40), "z = 2": make_history(40, 0.16),
            "z = 16, VAE": make_history(12, 0.09, True),
        },
        "bounds": {"test_floor": 0.0581, "train_floor": 0.0584, "mean_image": 0.2625},
        "card": make_card(),
    }  # fmt: skip


def make_history(epochs: int, last: float = 0.084, variational: bool = False) -> pd.DataFrame:
    """Return a loss that falls towards `last`; of a VAE with a second term on top."""
    epoch = np.arange(1, epochs + 1)
    test = last + 0.04 / epoch
    table = pd.DataFrame({"epoch": epoch, "loss": test + 0.001, "test_loss": test})
    if variational:
        table = table.assign(cross_entropy=table["loss"], test_cross_entropy=test)
        table[["loss", "test_loss"]] += 0.03
    return table


def make_card(models: int = 3, neighbours: int = 10, clusters: int = 10) -> Any:
    """Return a card of some models and of components with as many numbers."""
    names = {f"z = {2**i}": {"kind": "autoencoder", "z": 2**i} for i in range(models - 1)}
    names["z = 16, VAE·0.0001"] = {"kind": "VAE", "z": 16}
    names["16 components"] = {"kind": "PCA", "z": 16}
    kept: dict[str, dict[str, Any]] = {
        name: {"bce": 0.095 + 0.01 * i, "above": 0.037 + 0.01 * i, "mse": 0.011, "psnr": 20.5 - i,
               "ssim": 0.87}
        for i, name in enumerate(names)
    }  # fmt: skip
    kept["16 components"] |= {"bce": None, "above": None}
    probes = {
        name: {"knn": 0.9 + 0.01 * i, "linear": 0.9, "active": 2**i, "neighbours": neighbours}
        for i, name in enumerate(names)
    }
    scores = {
        name: {"accuracy": 0.6, "ari": 0.4, "nmi": 0.52, "clusters": clusters} for name in names
    }
    share = {"Gaussian mixture": 0.8, "normal, deviation 1": 0.0}
    verdicts = {name: {"share": share} for name in names if name != "16 components"}
    return compile_card.fn(
        kept, probes, scores, verdicts, models=[{"name": n, **m} for n, m in names.items()]
    )


def _strokes(rng: np.random.Generator, codes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Bright bars whose place is the code, on black, uint8 (n, *shape)."""
    images = rng.integers(0, 25, (len(codes), *shape))
    for image, code in zip(images, codes, strict=True):
        image[(3 * code) % shape[0], 2:-2] = 230
    return images.astype(np.uint8)
