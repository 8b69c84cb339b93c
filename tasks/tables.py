"""A table of signals with a class label: read, checked, and split into features and labels.

Whatever would make a later stage fail or mislead is refused here, and `check_table` refuses the
same before any work starts.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage
from tasks.table_files import MAX_BYTES, BadTable, read_frame, shorten

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)

__all__ = ["BadTable", "Table", "check_table", "read_table"]

_MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
# Later tables put these columns beside those named after features or classes.
_TAKEN_BY_FEATURES = {"cluster", "component"}
_TAKEN_BY_CLASSES = {"cluster", "size", "purity", "majority"}


class Table(NamedTuple):
    """features: float64, one column a signal · labels: one column `label`, str · about: name, unit,
    rows, label, features, classes (naturally sorted), sizes {class: rows}, constant columns."""

    features: pd.DataFrame
    labels: pd.DataFrame
    about: dict[str, Any]


@stage(packages=("pandas", "pyarrow"))
def read_table(
    raw: File,
    *,
    label: str = "room",
    names: list[str] | None = None,
    unit: str = "",
    class_names: dict[str, str] | None = None,
    max_rows: int = 2_000_000,
    name: str = "table",
) -> Table:
    """Features and labels of a .csv, .tsv, .txt (separator found among , ; tab) or .parquet file.

    Arguments:
        label: the column that holds the class.
        names: the columns of a text file that has no header line; they may leave out the label,
            which then comes last.
        unit: of the features, for axes.
        class_names: label as it stands in the file -> name to show; where given, for every label.
        max_rows: more are refused.
        name: what messages and pages call the table.

    Raises BadTable, which names column, row, fault and remedy.
    """
    return _parse(
        raw.read_bytes(), raw.suffix, name, label, names, unit, class_names or {}, max_rows
    )


def check_table(
    path: Path | str,
    label: str,
    *,
    names: list[str] | None = None,
    class_names: dict[str, str] | None = None,
    max_rows: int = 2_000_000,
) -> dict[str, Any]:
    """Make sure that `read_table` will take this file; returns its `about`.

    Raises BadTable, also where the file is missing, a folder, unreadable or too large.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadTable(f"{path}: {size:,} bytes, limit {MAX_BYTES:,}; take a sample of it")
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadTable(f"{path}: there is no such file; check the path") from None
    except IsADirectoryError:
        raise BadTable(f"{path}: this is a folder; name the file in it") from None
    except OSError as error:
        raise BadTable(f"{path}: cannot be read: {error.strerror}") from error
    return _parse(data, path.suffix, path.name, label, names, "", class_names or {}, max_rows).about


def _parse(
    data: bytes,
    suffix: str,
    name: str,
    label: str,
    names: list[str] | None,
    unit: str,
    class_names: dict[str, str],
    max_rows: int,
) -> Table:
    import pandas as pd

    try:
        frame = read_frame(data, suffix, names, label, max_rows)
        _check_columns(list(frame.columns), label)
        labels = _read_labels(frame[label], class_names)
        signals = [column for column in frame.columns if column != label]
        features = pd.DataFrame({column: _read_numbers(frame[column]) for column in signals})
    except BadTable as error:
        raise BadTable(f"{name}: {error}") from error
    constant = [column for column in signals if features[column].min() == features[column].max()]
    if constant:
        log.warning("%s: the same value in every row: %s", name, ", ".join(constant))
    sizes = Counter(labels)
    classes = sorted(sizes, key=_natural)
    about = {
        "name": name,
        "unit": unit,
        "rows": len(frame),
        "label": label,
        "features": signals,
        "classes": classes,
        "sizes": {each: sizes[each] for each in classes},
        "constant": constant,
    }
    return Table(features, pd.DataFrame({"label": pd.Series(labels, dtype="str")}), about)


def _check_columns(columns: list[str], label: str) -> None:
    if "" in columns:
        raise BadTable(
            f"column {columns.index('') + 1} has no name; give it one, or leave it out (pandas writes "
            "such a column for its index: save with index=False)"
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise BadTable(f"two columns are called {twice[0]!r}; names must differ: rename one")
    if label not in columns:
        near = difflib.get_close_matches(label, columns, 1, cutoff=0.5) or [
            column for column in columns if column.casefold() == label.casefold()
        ]
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadTable(
            f"no column is called {label!r}: there are {_listing(columns)}; {hint}Name the column "
            "that holds the class of each row with the parameter label"
        )
    if len(columns) == 1:
        raise BadTable(f"{label!r} is the only column; at least one numeric column is needed")
    taken = sorted(_TAKEN_BY_FEATURES.intersection(columns) - {label})
    if taken:
        raise BadTable(
            f"a signal cannot be called {taken[0]!r} (results use it): rename the column"
        )


def _read_labels(column: pd.Series, class_names: dict[str, str]) -> list[str]:
    import pandas as pd

    if pd.api.types.is_float_dtype(column.dtype):
        # Parquet keeps integers with gaps as floats: 1.0 means the class 1.
        whole = column.dropna() % 1 == 0
        column = column.astype("Int64") if whole.all() else column
    text = column.astype("str").str.strip()
    missing = column.isna() | text.isin(["", "<NA>", "nan", "NaN"])
    _refuse(missing, column.name, "has no label", "fill them in or remove the rows")
    labels: list[str] = text.tolist()
    if class_names:
        unnamed = sorted(set(labels) - set(class_names), key=_natural)
        if unnamed:
            raise BadTable(
                f"column {column.name!r}: class_names has no name for {_listing(unnamed)}; it names "
                f"{_listing(list(class_names))}"
            )
        labels = [class_names[each] for each in labels]
    sizes = Counter(labels)
    if len(sizes) < 2:
        raise BadTable(
            f"column {column.name!r}: every row is {shorten(labels[0])}; at least 2 classes are "
            "needed: is this the label column?"
        )
    small = sorted((each for each, count in sizes.items() if count < 2), key=_natural)
    if small:
        raise BadTable(
            f"column {column.name!r}: {len(small)} of {len(sizes)} classes have one row only "
            f"({_listing(small)}), at least 2 are needed: merge or remove them, or is this not the "
            "label column?"
        )
    taken = sorted(_TAKEN_BY_CLASSES.intersection(sizes))
    if taken:
        raise BadTable(
            f"column {column.name!r}: a class cannot be called {taken[0]!r} (results use it): "
            "rename it with class_names"
        )
    return labels


def _read_numbers(column: pd.Series) -> np.ndarray:
    import numpy as np
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy("float64", na_value=np.nan)
        missing = np.isnan(values)
    else:
        text = column.astype("str").str.strip()
        values = pd.to_numeric(text, errors="coerce").to_numpy("float64", na_value=np.nan)
        missing = (column.isna() | text.str.lower().isin(_MISSING)).to_numpy()
        strange = np.flatnonzero(np.isnan(values) & ~missing)
        if strange.size:
            found = text.iloc[int(strange[0])]
            comma = re.fullmatch(r"[+-]?\d+,\d+", found)
            remedy = "write decimals with a point" if comma else "turn it into numbers or remove it"
            raise BadTable(
                f"column {column.name!r}: number expected, found {shorten(found)} in data row "
                f"{strange[0] + 1} ({strange.size:,} such rows); {remedy}"
            )
    _refuse(missing, column.name, "has no value", "fill the gaps or remove the rows")
    _refuse(np.isinf(values), column.name, "is infinite", "replace them or remove the rows")
    return np.asarray(values)


def _refuse(rows: pd.Series | np.ndarray, column: object, fault: str, remedy: str) -> None:
    import numpy as np

    found = np.flatnonzero(np.asarray(rows))
    if found.size:
        raise BadTable(
            f"column {column!r}: data row {found[0] + 1} {fault} ({found.size:,} such rows); {remedy}"
        )


def _natural(text: str) -> tuple[list[str | int], str]:
    """Sorts `room 2` before `room 10`."""
    pieces = re.split(r"(\d+)", text.casefold())
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], text


def _listing(names: list[str]) -> str:
    shown = ", ".join(shorten(name) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
