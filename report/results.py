"""A run's named results as what the page shows: pictures, tables, sentences, headline numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.artifact import Artifact
from engine.compare import flat
from engine.errors import DamagedObject
from engine.journal import RunRecord
from report.site import Site
from report.timing import add_seconds
from report.values import is_number, show, show_column

log = logging.getLogger(__name__)

FINDINGS = "findings"
PICTURES = {"png", "svg", "gif"}
# A person looks a few hundred rows through; of more the first few tell what is in the table.
_MOST_ROWS, _FIRST_ROWS = 400, 12


@dataclass(frozen=True)
class Figure:
    """A picture with its finding; `source` is its file's name in the site."""

    name: str
    title: str
    artifact: Artifact
    source: str

    @property
    def alt(self) -> str:
        """What it shows, in a sentence."""
        return str(self.artifact.spec.get("alt") or "") or self.title


@dataclass(frozen=True)
class Column:
    """One column of a table; `numeric` ones are aligned to the right."""

    name: str
    numeric: bool
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table, or the first rows of a long one."""

    name: str
    title: str
    artifact: Artifact
    columns: list[Column]
    rows: int

    @property
    def shown(self) -> int:
        """How many of the rows are shown."""
        return len(self.columns[0].cells) if self.columns else 0

    @property
    def long(self) -> bool:
        """Whether it is to be shown in a window of its own that scrolls."""
        return self.shown > _FIRST_ROWS


@dataclass(frozen=True)
class Finding:
    """One headline number and the band it is held against; `met` is None where there is none."""

    name: str
    value: str
    expected: str
    band: str
    met: bool | None
    source: str


@dataclass(frozen=True)
class Sentence:
    """A statement that a stage computed; `agreed` is False where its criteria disagree."""

    name: str
    text: str
    agreed: bool | None
    artifact: Artifact


@dataclass
class Results:
    """Looks named results up and loads them, once each.

    Arguments:
        load: artifact → value.
        site: where pictures are copied to.
        faults: results that could not be read, in words.
    """

    record: RunRecord
    load: Callable[[Artifact], Any]
    site: Site
    faults: list[str] = field(default_factory=list)

    def named(self, name: str) -> dict[str, Artifact]:
        """The result of this name, or all members of a list or dict of results."""
        found = self.record.results
        return {n: a for n, a in found.items() if n == name or n.startswith(f"{name}[")}

    def figures(self, name: str) -> Iterator[Figure]:
        """The pictures of this name."""
        for full, artifact in self.named(name).items():
            picture = self.read(full, artifact) if artifact.format in PICTURES else None
            if picture is not None:
                source = self.site.add_picture(artifact, picture.data)
                yield Figure(full, title_of(full), artifact, source)

    def tables(self, name: str, slots: str = "") -> Iterator[Table]:
        """The tables of this name: data frames, lists of rows, and dicts of values.

        Arguments:
            slots: those that each row of a data frame stands for, to add what they took.
        """
        for full, artifact in self.named(name).items():
            if artifact.format in ("parquet", "json"):
                value = self.read(full, artifact)
                if slots and hasattr(value, "columns"):
                    value = add_seconds(value, slots, self.record)
                if value is not None:
                    rows, columns = _columns(value)
                    yield Table(full, title_of(full), artifact, columns, rows)

    def sentences(self, name: str) -> Iterator[Sentence]:
        """What JSON results of this name say in words."""
        for full, artifact in self.named(name).items():
            said = {"sentence", "finding"} & set(artifact.spec.get("keys") or ())
            value = self.read(full, artifact) if said else None
            if isinstance(value, Mapping):
                text = value.get("sentence") or value.get("finding")
                if text:
                    yield Sentence(title_of(full), str(text), value.get("agreement"), artifact)

    def findings(self) -> list[Finding]:
        """The headline numbers, in the order of the result `findings`."""
        artifact = self.record.results.get(FINDINGS)
        value = self.read(FINDINGS, artifact) if artifact else None
        if isinstance(value, Mapping):
            value = next((v for v in value.values() if isinstance(v, list)), [])
        return [_finding(row) for row in value or [] if isinstance(row, Mapping)]

    def read(self, name: str, artifact: Artifact) -> Any:
        """The result's value; None, and a fault noted, where it is damaged for good."""
        try:
            return self.load(artifact)
        except DamagedObject as damage:
            log.warning("the page lacks %s: %s", name, damage)
            self.faults.append(f"{name} could not be read ({damage.fault})")
            return None


def title_of(name: str) -> str:
    """A result's name as a heading: `draw_best_pairs` is Best pairs."""
    text = name.removeprefix("draw_").replace("_", " ")
    return text[:1].upper() + text[1:]


def _columns(value: Any) -> tuple[int, list[Column]]:
    """Number of rows, and the columns of the first of them."""
    if hasattr(value, "columns"):
        head = value.head(_shown(len(value)))
        return len(value), [_column(str(n), head[n].tolist()) for n in head.columns]
    if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        head = value[: _shown(len(value))]
        return len(value), [_column(n, [row.get(n) for row in head]) for n in names]
    if isinstance(value, Mapping):
        pairs = list(flat(value)) if value else []
        values = [show(v) for _, v in pairs]
        return len(pairs), [
            Column("name", False, [n for n, _ in pairs]),
            Column("value", all(is_number(v) for _, v in pairs), values),
        ]
    items = value if isinstance(value, list) else [value]
    return len(items), [_column("value", items[: _shown(len(items))])]


def _shown(rows: int) -> int:
    return rows if rows <= _MOST_ROWS else _FIRST_ROWS


def _column(name: str, values: Sequence[Any]) -> Column:
    values = [
        v if v is None or isinstance(v, int | float | list | dict) else str(v) for v in values
    ]
    numeric = any(is_number(v) for v in values) and not any(isinstance(v, str) for v in values)
    return Column(name, numeric, show_column(values) if numeric else [show(v) for v in values])


def _finding(row: Mapping[str, Any]) -> Finding:
    unit = str(row.get("unit") or "")
    low, high = row.get("low"), row.get("high")
    if low is not None and high is not None:
        band = show(low) if low == high else f"{show(low)} to {show(high)}"
    elif low is not None:
        band = f"at least {show(low)}"
    else:
        band = f"at most {show(high)}" if high is not None else ""
    met, expected = row.get("met"), row.get("expected")
    return Finding(
        name=str(row.get("name", "")),
        value=_with_unit(show(row.get("value")), unit),
        expected=_with_unit(show(expected), unit) if is_number(expected) else str(expected or ""),
        band=_with_unit(band, unit) if band else "",
        met=met if isinstance(met, bool) else None,
        source=str(row.get("source") or ""),
    )


def _with_unit(text: str, unit: str) -> str:
    # A no-break space: 98.3 and its % stay on one line.
    return f"{text}\N{NO-BREAK SPACE}{unit}" if unit else text
