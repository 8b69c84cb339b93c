"""The parts of a group's run: runs of their own, whose results the group's stages take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.journal import RunRecord, read_run
from engine.outcome import Outcome
from engine.store import Store
from report.lineage import Elsewhere, Lineage
from report.site import Site


@dataclass(frozen=True)
class Part:
    """A flow of the group: what became of it, its run where there is one, and its pages in the site.

    Arguments:
        page: of the flow; empty where it has none.
        run_page: of the run; empty where nothing was stale in it, or it failed before it began.
    """

    flow: str
    status: str
    error: str
    record: RunRecord | None
    page: str
    run_page: str

    @property
    def counts(self) -> dict[Outcome, int]:
        """Outcome → number of stages."""
        counts = self.record.counts if self.record else {}
        return {outcome: counts[outcome.word] for outcome in Outcome if outcome.word in counts}


def find_parts(record: RunRecord, store: Store, site: Site) -> list[Part]:
    """The parts that a group's journal names, in the order in which they ran; none of other runs."""
    return [_find(name, about, store, site) for name, about in record.parts.items()]


def makers_elsewhere(parts: list[Part], store: Store) -> dict[str, Elsewhere]:
    """Digest → the stage of a part that made it, and where that is told of."""
    found: dict[str, Elsewhere] = {}
    for part in parts:
        for stage, digest, page in _made(part, store):
            found.setdefault(digest, Elsewhere(part.flow, stage, page))
    return found


def _find(name: str, about: Mapping[str, Any], store: Store, site: Site) -> Part:
    path = store.runs / name / f"{about.get('run')}.jsonl"
    run = read_run(path) if path.exists() else None
    page, run_page = f"{name}.html", f"runs/{name}/{about.get('run')}.html"
    return Part(
        name,
        str(about.get("status", "")),
        str(about.get("error", "")),
        run,
        page if site.exists(page) else "",
        run_page if site.exists(run_page) else "",
    )


def _made(part: Part, store: Store) -> Iterator[tuple[str, str, str]]:
    """Stage, digest of what it made, and the page that tells of it."""
    if part.record is None:
        return
    lineage = Lineage(part.record, store, part.run_page)
    for call in part.record.stages.values():
        page = lineage.href(lineage.group_of(call)) if part.run_page else part.page
        for artifact in call.artifacts:
            yield call.slot, artifact.digest, page
