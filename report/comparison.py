"""The page that shows what differs between two runs, figures side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.artifact import Artifact
from engine.compare import Change, Comparison
from engine.errors import DamagedObject
from engine.journal import RunRecord
from engine.store import Store
from report.results import PICTURES
from report.values import is_number, show, show_exact

if TYPE_CHECKING:
    from report.layout import Pages

_MOST_ROWS = 300
_WORDS = {
    "parameters": ("parameter", "parameters"),
    "code": ("function or constant", "functions or constants"),
    "versions": ("version or setting", "versions or settings"),
    "digests": ("result", "results"),
    "metrics": ("number", "numbers"),
}


@dataclass(frozen=True)
class Difference:
    """One line of a table: what differs, before and after, and by how much where both are numbers."""

    name: str
    old: str
    new: str
    by: str = ""


@dataclass(frozen=True)
class Pair:
    """A picture that differs; a side that has none is empty."""

    name: str
    old: str
    old_alt: str
    new: str
    new_alt: str


def say_differences(found: Comparison) -> str:
    """How much of each kind differs: `1 parameter and 5 results differ`; empty if nothing does."""
    parts = [
        f"{len(changes):,} {_WORDS[kind][len(changes) > 1]}"
        for kind, changes in found.sections.items()
        if changes
    ]
    if not parts:
        return ""
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    alone = len(parts) == 1 and parts[0].startswith("1 ")
    return f"{listed} {'differs' if alone else 'differ'}"


def comparison_page(old: RunRecord, new: RunRecord) -> str:
    """The name of the page in the site."""
    return f"compare/{old.flow}-{old.id}..{new.flow}-{new.id}.html"


def write_comparison(pages: Pages, store: Store, found: Comparison) -> None:
    """Write the page of a comparison, with its card."""
    name = comparison_page(found.old, found.new)
    journals = [f"{run.flow}/{run.id}" for run in (found.old, found.new)]
    before = pages.site.needs
    pages.site.needs = set()
    pages.write(
        name,
        "compare.html.j2",
        found=found,
        said=say_differences(found),
        parameters=[_difference(change, show_exact) for change in found.parameters],
        versions=[_difference(change, show_exact) for change in found.versions],
        metrics=sorted(map(_difference, found.metrics), key=lambda d: not d.by)[:_MOST_ROWS],
        code=[
            (_became(change), change.name, found.stages.get(change.name, []))
            for change in found.code
        ],
        digests=found.digests[:_MOST_ROWS],
        pairs=list(_pairs(pages, store, found)),
        most=_MOST_ROWS,
    )
    pages.site.write_card(name, journals, {})
    pages.site.needs = before


def _difference(change: Change, shown: Callable[[Any], str] = show) -> Difference:
    by = ""
    if is_number(change.old) and is_number(change.new):
        delta = change.new - change.old
        by = ("+" if delta > 0 else "") + show(delta)
    return Difference(change.name, shown(change.old), shown(change.new), by)


def _became(change: Change) -> str:
    return "added" if change.old is None else "removed" if change.new is None else "changed"


def _pairs(pages: Pages, store: Store, found: Comparison) -> Iterator[Pair]:
    """The named pictures that differ, in the order of the new run."""
    names = [*found.new.results, *(n for n in found.old.results if n not in found.new.results)]
    for name in names:
        sides = [run.results.get(name) for run in (found.old, found.new)]
        shown = [a for a in sides if a is not None and a.format in PICTURES]
        if shown and len({a.digest for a in shown}) + (len(shown) == 1) > 1:
            (old, old_alt), (new, new_alt) = (_picture(pages, store, a) for a in sides)
            yield Pair(name, old, old_alt, new, new_alt)


def _picture(pages: Pages, store: Store, artifact: Artifact | None) -> tuple[str, str]:
    """A picture's file in the site and its finding."""
    if artifact is None or artifact.format not in PICTURES:
        return "", ""
    try:
        picture = store.load(artifact)
    except DamagedObject:
        return "", ""
    return pages.site.add_picture(artifact, picture.data), str(artifact.spec.get("alt") or "")
