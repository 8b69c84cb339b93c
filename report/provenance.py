"""Provenance for the page: one call's recipe with links back to the raw data, and group entries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.journal import StageRun
from engine.outcome import Outcome
from report.code import Code, Source
from report.lineage import Group, Input, Lineage
from report.values import show_exact


@dataclass(frozen=True)
class Origin:
    """An input of a call: its digest, and the entry of the stage that made it."""

    place: str
    digest: str
    maker: str
    href: str | None


@dataclass(frozen=True)
class Provenance:
    """How one result was made."""

    slot: str
    page: str
    href: str
    key: str
    outcome: Outcome
    seconds: float
    created: str
    where: str
    params: list[tuple[str, str]]
    inputs: list[Origin]
    ancestors: list[Group]
    code: list[tuple[str, str]]
    versions: list[tuple[str, str]]


@dataclass(frozen=True)
class Cell:
    """One call of a group: what sets it apart, and what became of it."""

    label: str
    params: list[str]
    call: StageRun


@dataclass(frozen=True)
class Symbol:
    """A function, class or constant that a stage depends on, and where its source is shown."""

    name: str
    hash: str
    href: str | None


@dataclass(frozen=True)
class Entry:
    """A group on the page: what its calls have in common, and each of them.

    Arguments:
        source: that of the stage's own function, where it is known.
    """

    group: Group
    common: Provenance
    differing: list[str]
    cells: list[Cell]
    symbols: list[Symbol]
    source: Source | None


def trace(lineage: Lineage, call: StageRun) -> Provenance:
    """How this call's result was made, back to the raw data."""
    record = lineage.read(call)
    recipe = record.recipe if record else None
    origins = [
        Origin(given.place, given.digest, *_maker(lineage, given)) for given in lineage.inputs(call)
    ]
    return Provenance(
        slot=call.slot,
        page=lineage.page,
        href=lineage.href(lineage.group_of(call)),
        key=call.key,
        outcome=call.outcome,
        seconds=call.seconds,
        created=record.created if record else "",
        where=_where(record.environment) if record else "",
        params=[(n, show_exact(v)) for n, v in recipe.params.items()] if recipe else [],
        inputs=origins,
        ancestors=lineage.ancestors(call),
        code=sorted(recipe.code.items()) if recipe else [],
        versions=[(n, v or "not installed") for n, v in recipe.env.items()] if recipe else [],
    )


def _maker(lineage: Lineage, given: Input) -> tuple[str, str | None]:
    """Who made an input, in words, and where that is told of."""
    if given.maker is not None:
        return given.maker.slot, lineage.href(lineage.group_of(given.maker))
    other = lineage.elsewhere.get(given.digest)
    if other is None:
        return "outside", None
    return f"{other.flow}/{other.slot}", lineage.href_elsewhere(other)


def make_entry(lineage: Lineage, group: Group, code: Code) -> Entry:
    """A group's entry: parameters and inputs that differ between its calls stand in their rows."""
    traces = [trace(lineage, call) for call in group.calls]
    rows = [dict(t.params) for t in traces]
    names = list(dict.fromkeys(name for row in rows for name in row))
    differing = [n for n in names if len({row.get(n) for row in rows}) > 1]
    first = traces[0]
    inputs = list(dict.fromkeys(origin for t in traces for origin in t.inputs))
    ancestors = {g.id: g for t in traces for g in t.ancestors}
    common = Provenance(
        slot=group.stage,
        page=first.page,
        href=first.href,
        key=first.key,
        outcome=group.outcome,
        seconds=group.seconds,
        created=max(t.created for t in traces),
        where=first.where,
        params=[(n, v) for n, v in first.params if n not in differing],
        inputs=inputs,
        ancestors=sorted(ancestors.values(), key=lambda g: (g.depth, g.stage)),
        code=first.code,
        versions=first.versions,
    )
    cells = [
        Cell(_label(call), [row.get(n, "") for n in differing], call)
        for call, row in zip(group.calls, rows, strict=True)
    ]
    symbols = [Symbol(name, digest, code.href(name, digest)) for name, digest in first.code]
    own = (code.source(*pair) for pair in first.code if pair[0].endswith(f".{group.stage}"))
    return Entry(
        group,
        common,
        differing,
        sorted(cells, key=lambda cell: _natural(cell.label)),
        symbols,
        next((source for source in own if source), None),
    )


def _label(call: StageRun) -> str:
    """`k=5` of the slot `fit_kmeans[k=5]`; the slot itself where it has no label."""
    label = call.slot.removeprefix(call.stage)
    return label.removeprefix("[").removesuffix("]") or call.slot


def _natural(text: str) -> list[tuple[int, str]]:
    """Sorts k=9 before k=10."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"([0-9]+)", text)]


def _where(environment: Mapping[str, Any]) -> str:
    cores = environment.get("cores")
    flags = " ".join(environment.get("processor_flags") or ())
    parts = [f"{cores} processor{'s' if cores != 1 else ''}" if cores else "", flags]
    return ", ".join(part for part in parts if part)
