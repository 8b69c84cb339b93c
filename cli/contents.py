"""What is inside an artifact: a table's head, an array's range, JSON, a picture's sentence."""

from __future__ import annotations

import json
from typing import Any

from cli import words
from cli.screen import Screen, Table
from engine import Artifact, Store

_GAP = 2
_FIRST = ("name", "value", "unit", "expected")  # columns that a reader looks for


def describe(store: Store, artifact: Artifact, rows: int) -> Any:
    """The contents as plain JSON data; of a table the first `rows`, of arrays their ranges."""
    value = None if artifact.format == "parquet" else store.load(artifact)
    if artifact.format == "parquet":
        return {**artifact.spec, "head": _head(store, artifact, rows)}
    if artifact.format == "npz":
        return {name: _range(array) for name, array in _arrays(artifact, value).items()}
    if artifact.format == "json":
        return value
    return dict(artifact.spec)


def print_contents(screen: Screen, store: Store, artifact: Artifact, rows: int) -> None:
    """Show what is inside; raises DamagedObject for a damaged object."""
    if artifact.format == "parquet":
        _print_table(screen, store, artifact, rows)
    elif artifact.format == "npz":
        _print_arrays(screen, _arrays(artifact, store.load(artifact)))
    elif artifact.format == "json":
        _print_json(screen, store.load(artifact), rows)
    else:
        store.open(artifact)
        spec = artifact.spec
        if "width" in spec:
            screen.print(f"{spec['width']} × {spec['height']} pixels")
        if spec.get("alt"):
            screen.print(str(spec["alt"]))


def _head(store: Store, artifact: Artifact, rows: int) -> list[dict[str, Any]]:
    """The first rows, read without pandas."""
    import pyarrow.parquet as pq

    path = store.open(artifact)
    with pq.ParquetFile(path, memory_map=True) as file:
        batch = next(file.iter_batches(batch_size=max(1, rows)), None)
    found: list[dict[str, Any]] = batch.slice(0, rows).to_pylist() if batch is not None else []
    return found


def _print_table(screen: Screen, store: Store, artifact: Artifact, rows: int) -> None:
    columns, total = artifact.spec.get("columns", {}), artifact.spec.get("rows", 0)
    head = _head(store, artifact, rows)
    cells = {name: [words.number(row.get(name)) for row in head] for name in columns}
    shown: list[str] = []
    room = screen.width
    for name, texts in cells.items():
        room -= max(len(name), len(columns[name]), *map(len, texts), 1) + _GAP
        if room < 0 and shown:
            break
        shown.append(name)
    numeric = tuple(n for n in shown if columns[n].startswith(("float", "int", "uint")))
    made = Table(shown, right=numeric)
    made.add(*(columns[name] for name in shown), style="dim")
    for index in range(len(head)):
        made.add(*(cells[name][index] for name in shown))
    screen.print_table(made)
    hidden = [name for name in columns if name not in shown]
    size = f"{words.plural(total, 'row')} × {words.plural(len(columns), 'column')}"
    more = f"; not shown: {', '.join(hidden)}" if hidden else ""
    screen.print(f"{size}{more}", style="dim")


def _arrays(artifact: Artifact, value: Any) -> dict[str, Any]:
    return {"array": value} if artifact.spec.get("single") else dict(value)


def _range(array: Any) -> dict[str, Any]:
    import numpy as np

    found: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if array.size and array.dtype.kind in "iufb":
        numbers = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        if numbers.size:
            found |= {"min": numbers.min().item(), "max": numbers.max().item()}
            found["mean"] = float(numbers.mean())
        found["not_finite"] = int(array.size - numbers.size)
    return found


def _print_arrays(screen: Screen, arrays: dict[str, Any]) -> None:
    made = Table(["array", "shape", "dtype", "min", "max", "mean"], right=("min", "max", "mean"))
    for name, array in arrays.items():
        found = _range(array)
        shape = " × ".join(map(str, found["shape"]))
        low, high, mean = (words.number(found.get(key)) for key in ("min", "max", "mean"))
        made.add(name, shape, found["dtype"], low, high, mean)
    screen.print_table(made)


def _print_json(screen: Screen, value: Any, rows: int) -> None:
    """Lists of rows as tables, the rest as JSON."""
    tables = dict(value) if isinstance(value, dict) else {"": value}
    tables = {name: found for name, found in tables.items() if _is_rows(found)}
    for name, found in tables.items():
        if name:
            screen.print(f"{name}:", style="dim")
        _print_rows(screen, found, rows)
    rest = {k: v for k, v in value.items() if k not in tables} if isinstance(value, dict) else value
    if rest and not (tables and rest is value):
        _print_lines(screen, rest, rows)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _print_rows(screen: Screen, value: list[dict[str, Any]], rows: int) -> None:
    found = dict.fromkeys(name for row in value for name in row)
    names = [*(n for n in _FIRST if n in found), *(n for n in found if n not in _FIRST)]
    made = Table(names, wide=names)
    for row in value[:rows]:
        made.add(*(words.number(row.get(name)) for name in names))
    screen.print_table(made)
    screen.print(f"{min(rows, len(value))} of {words.plural(len(value), 'row')}", style="dim")


def _print_lines(screen: Screen, value: Any, rows: int) -> None:
    lines = json.dumps(value, indent=1, ensure_ascii=False).splitlines()
    room = 4 * rows
    for line in lines[:room]:
        screen.print(line)
    if len(lines) > room:
        screen.print(f"… {len(lines) - room} more lines (--rows or --json)", style="dim")
