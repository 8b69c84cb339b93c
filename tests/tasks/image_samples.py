"""The same small images as every kind of source, and a flow that loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from engine import Parameters, Store, flow
from engine.session import Session
from tasks.images import Images, check_images, load_images, source_images

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 12, 12), dtype=np.uint8)
LABELS = np.array(["cat", "dog <b>&amp;", "10", "9"])[np.arange(40) % 4]


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def as_npz(folder: Path) -> Path:
    return save(folder / "own.npz", x=PIXELS, y=LABELS)


def as_table(folder: Path, suffix: str) -> Path:
    table = pd.DataFrame(PIXELS.reshape(40, -1), columns=[f"p{i}" for i in range(144)])
    table.insert(0, "label", LABELS)
    path = folder / f"own{suffix}"
    if suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


def as_folder(folder: Path) -> Path:
    root = folder / "own"
    for index, (pixels, label) in enumerate(zip(PIXELS, LABELS, strict=True)):
        (root / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / label / f"{index:03}.png")
    return root


SOURCES: dict[str, Callable[[Path], Path]] = {
    "npz": as_npz,
    "csv": lambda folder: as_table(folder, ".csv"),
    "parquet": lambda folder: as_table(folder, ".parquet"),
    "folder": as_folder,
}


class Data(Parameters):
    path: str
    size: int = 12
    seed: int = 0


def check(p: Data) -> None:
    check_images(p.path, size=p.size, seed=p.seed)


@flow(name="pictures", parameters=Data, presets={}, check=check)
def pictures(p: Data) -> dict[str, Any]:
    raw: Any = source_images(p.path)
    return load_images(raw, size=p.size, seed=p.seed)._asdict()


def run(store: Store, path: Path, **options: Any) -> Images:
    results = pictures.run(Data(path=str(path), **options), store=store).results
    return Images(*(store.load(results[name]) for name in Images._fields))


def store_source(store: Store, path: Path) -> Any:
    with Session(store).active():
        return source_images(path)
