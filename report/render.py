"""The page's text: everything it shows is gathered here and laid into the template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from engine import session
from engine.journal import RunRecord
from engine.outcome import Outcome
from engine.store import Store
from report.drawing import draw_graph
from report.lineage import Lineage
from report.page import Section
from report.provenance import make_entry, trace
from report.results import Figure, Results, Sentence, Table
from report.values import show, show_seconds

if TYPE_CHECKING:
    from pydantic import BaseModel

TEMPLATES = Path(__file__).parent / "templates"
_SHRUNK = 0.85


@dataclass
class Part:
    """A section with what was found for it, and the names of results that were not."""

    id: str
    title: str
    intro: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def render(
    record: RunRecord,
    store: Store,
    sections: Sequence[Section],
    about: str,
    parameters: type[BaseModel] | None,
    mark: str,
) -> str:
    """The page of a run as HTML; see `report.page.write_page`.

    Arguments:
        mark: hash of what is shown; left out where a result could not be read, so that the
            next run tries again.
    """
    lineage = Lineage(record, store)
    results = Results(record, (session.active() or store).load)
    findings = results.findings()
    parts = _parts(results, sections)
    traces = {name: trace(lineage, call) for name, call in _makers(results, lineage)}
    graph = draw_graph(lineage)
    # The graph shrinks a little to fit the window; beyond that it scrolls.
    width = _SHRUNK * graph.width
    fit = f"@media screen {{ .graph svg {{ min-width: {width:.0f}px; }} }}\n"
    style = Markup((TEMPLATES / "style.css").read_text("utf-8") + fit)
    script = Markup((TEMPLATES / "script.js").read_text("utf-8"))
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"seconds": show_seconds, "moment": _moment, "address": _address}
    return environment.get_template("page.html.j2").render(
        record=record,
        mark="" if results.faults else mark,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        about=[" ".join(text.split()) for text in about.split("\n\n") if text.strip()],
        changed=list(_changed(record.parameters, parameters)),
        parameters=[(name, show(value)) for name, value in _flat(record.parameters)],
        findings=findings,
        sentences=_unplaced_sentences(results, sections),
        parts=parts,
        traces=traces,
        graph=graph,
        stages={group.stage: group.id for group in lineage.groups[::-1]},
        entries=[make_entry(lineage, group) for group in lineage.groups],
        outcomes=[o for o in Outcome if o.word in record.counts],
        versions=lineage.versions(),
        faults=results.faults,
    )


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
        wanted = dict.fromkeys([*section.sentences, *section.figures, *section.tables])
        part.missing = [name for name in wanted if not results.named(name)]
        parts.append(part)
    rest = Part(f"part-{len(parts) + 1}", "More figures" if parts else "Figures")
    for name in results.record.results:
        if name not in placed:
            rest.figures += [f for f in results.figures(name) if f.name == name]
    return [*parts, rest] if rest.figures else parts


def _unplaced_sentences(results: Results, sections: Sequence[Section]) -> list[Sentence]:
    placed = {full for s in sections for name in s.sentences for full in results.named(name)}
    names = [name for name in results.record.results if name not in placed]
    return [sentence for name in names for sentence in results.sentences(name)]


def _makers(results: Results, lineage: Lineage) -> Iterator[tuple[str, Any]]:
    for name, artifact in results.record.results.items():
        maker = lineage.maker_of(artifact)
        if maker is not None:
            yield name, maker


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _changed(
    parameters: Mapping[str, Any], model: type[BaseModel] | None
) -> Iterator[tuple[str, str, str]]:
    """Name, value and default of each parameter that is not at its default."""
    if model is None:
        return
    defaults = dict(_flat(model().model_dump(mode="json")))
    for name, value in _flat(parameters):
        if name not in defaults or defaults[name] != value:
            yield name, show(value), show(defaults[name]) if name in defaults else ""


def _hash(text: str) -> str:
    """A script or style as the page's own security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _moment(iso: str) -> str:
    """`2026-11-22 16:45 UTC` for an ISO 8601 time in UTC."""
    return f"{iso[:10]} {iso[11:16]} UTC" if len(iso) >= 16 else iso


def _address(name: str) -> str:
    """A result's name as part of an element's id."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-")
