"""What the pages of a run show: its results, loaded and sorted into the flow's sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine import session
from engine.journal import RunRecord
from engine.store import Store
from report.atlas import Atlas, find_atlas
from report.latent_map import Map, find_map
from report.lineage import Lineage
from report.page import Section
from report.parts import Part as GroupPart
from report.parts import find_parts, makers_elsewhere
from report.results import Figure, Finding, Results, Sentence, Table
from report.site import Site


@dataclass
class Part:
    """A section with what was found for it, and the names of results that were not."""

    id: str
    title: str
    intro: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    maps: list[Map] = field(default_factory=list)
    atlases: list[Atlas] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class Gathered:
    """All that the pages of one run show; `flows` are the parts of a group's run."""

    record: RunRecord
    sections: Sequence[Section]
    about: list[str]
    lineage: Lineage
    results: Results
    findings: list[Finding]
    parts: list[Part]
    flows: list[GroupPart]

    @property
    def run_page(self) -> str:
        """The run's page in the site."""
        return run_page(self.record)


def run_page(record: RunRecord) -> str:
    """The name of a run's page in the site."""
    return f"runs/{record.flow}/{record.id}.html"


def gather(
    record: RunRecord, store: Store, site: Site, sections: Sequence[Section], about: str
) -> Gathered:
    """Load a run's results and sort them into the sections."""
    flows = find_parts(record, store, site)
    site.needs |= {flow.run_page for flow in flows if flow.run_page}
    lineage = Lineage(record, store)
    lineage.elsewhere = makers_elsewhere(flows, store)
    results = Results(record, (session.active() or store).load, site)
    paragraphs = [" ".join(text.split()) for text in about.split("\n\n") if text.strip()]
    findings = results.findings()
    parts = _parts(results, sections)
    return Gathered(record, sections, paragraphs, lineage, results, findings, parts, flows)


def _parts(results: Results, sections: Sequence[Section]) -> list[Part]:
    parts, placed = [], set()
    for number, section in enumerate(sections, 1):
        part = Part(f"part-{number}", section.title, section.intro)
        for name in section.sentences:
            part.sentences += results.sentences(name)
        for name in section.figures:
            part.figures += [f for f in results.figures(name) if f.name not in placed]
            placed |= set(results.named(name))
        for name in section.tables:
            part.tables += results.tables(name, dict(section.seconds).get(name, ""))
        part.maps = [m for name in section.maps if (m := find_map(results, name))]
        part.atlases = [a for name in section.atlases if (a := find_atlas(results, name))]
        wanted = dict.fromkeys(
            [
                *(*section.sentences, *section.figures, *section.tables),
                *(*section.maps, *section.atlases),
            ]
        )
        expected = [name for name in wanted if name not in section.occasional]
        part.missing = [name for name in expected if not results.named(name)]
        parts.append(part)
    rest = Part(f"part-{len(parts) + 1}", "More figures" if parts else "Figures")
    for name in results.record.results:
        if name not in placed:
            rest.figures += [f for f in results.figures(name) if f.name == name]
    return [*parts, rest] if rest.figures else parts


def unplaced_sentences(results: Results, sections: Sequence[Section]) -> list[Sentence]:
    """What results say that no section names."""
    placed = {
        full
        for s in sections
        for name in (*s.sentences, *s.maps, *s.atlases)
        for full in results.named(name)
    }
    names = [name for name in results.record.results if name not in placed]
    return [sentence for name in names for sentence in results.sentences(name)]
