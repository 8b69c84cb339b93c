"""A small flow with one result of every kind, and texts that try to break out of a page."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, Parameters, Picture, Selection, Store, flow, source, stage
from report.page import Section, page_of

if TYPE_CHECKING:
    import pandas as pd

EVIL = "<script>alert('room')</script><b>\"&'"
SECTIONS = (
    Section(
        f"How many? {EVIL}",
        EVIL,
        figures=("curve", "absent"),
        tables=("scan",),
        sentences=("choice",),
    ),
    Section("Cells", tables=("cells", "summary", "rare"), occasional=("rare",)),
)


class Inner(Parameters):
    """A section of parameters."""

    ks: tuple[int, ...] = (2, 3, 4)


class SampleParameters(Parameters):
    """What the sample flow takes."""

    rows: int = 5
    path: str | None = None
    shade: int = 7
    inner: Inner = Inner()


class Table(NamedTuple):
    """Numbers and their names."""

    numbers: pd.DataFrame
    about: dict[str, Any]


def draw_png(shade: int) -> bytes:
    """One grey pixel as a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes([0, shade]))
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@stage
def fetch(*, rows: int) -> File:
    """Bytes as from a file."""
    return File(bytes(range(rows)), ".bin")


@stage
def read(raw: File) -> Table:
    """A table with a label that is no label."""
    import pandas as pd

    values = list(raw.read_bytes())[:40]
    frame = pd.DataFrame({"value": [v / 7 for v in values], "label": [EVIL] * len(values)})
    return Table(frame, {"name": EVIL})


@stage
def measure(numbers: pd.DataFrame, *, k: int) -> dict[str, Any]:
    """One number for each k."""
    return {"k": k, "inertia": 246_812.34 / k, "label": EVIL}


@stage
def collect(cells: list[dict[str, Any]]) -> pd.DataFrame:
    """All cells as a table."""
    import pandas as pd

    return pd.DataFrame(cells)


@stage
def choose(scan: pd.DataFrame) -> dict[str, Any]:
    """A choice on which the criteria disagree."""
    return {"sentence": f"Silhouette prefers 5, {EVIL} prefers 4.", "agreement": False}


@stage
def judge(scan: pd.DataFrame, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Three headline numbers: met, not met, not judged."""
    row = {"unit": "%", "expected": 98.3, "low": 97.5, "high": 99.1, "source": "collect"}
    return [
        {"name": f"accuracy {EVIL}", "value": 98.31, "met": True, **row},
        {"name": "purity", "value": 12, "met": False, **row},
        {"name": "new", "value": None, "met": None, "source": EVIL},
    ]


@stage
def draw(scan: pd.DataFrame, *, shade: int = 7) -> Picture:
    """A picture whose finding holds markup."""
    return Picture(draw_png(shade), "png", f"The curve bends at k = 5 {EVIL}")


@flow(
    name="sample",
    parameters=SampleParameters,
    presets={},
    page=page_of(SECTIONS, about=f"What was done.\n\nMore {EVIL}", parameters=SampleParameters),
)
def sample(p: SampleParameters) -> dict[str, Any]:
    """Every kind of result."""
    raw: Any = fetch(rows=p.rows) if p.path is None else source(p.path)
    table = read(raw)
    cells = measure.map(table.numbers, over={"k": p.inner.ks})
    scan = collect(cells)
    return {
        "findings": judge(scan, table.about),
        "choice": choose(scan),
        "scan": scan,
        "cells": cells,
        "summary": table.about,
        "curve": draw(scan, shade=p.shade),
        "unplaced": draw.labelled("dark")(scan, shade=1),
    }


def run(folder: Path, *overrides: str, selection: Selection | None = None) -> tuple[Any, Store]:
    """Run the sample on a store in this folder."""
    store = Store(folder)
    return sample.run(sample.configure(overrides=overrides), selection, store), store
