"""The pages' text: what is gathered of a run and laid into the templates."""

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
from engine.journal import RunRecord, list_runs, read_run
from engine.outcome import Outcome
from engine.store import Store
from report.atlas import Atlas, find_atlas
from report.code import Code, CodePage, to_html
from report.drawing import Graph, draw_graph
from report.latent_map import Map, find_map
from report.lineage import Lineage
from report.page import Section
from report.provenance import make_entry, trace
from report.results import Figure, Finding, Results, Sentence, Table
from report.site import Site
from report.timeline import draw_timeline
from report.values import show, show_seconds

if TYPE_CHECKING:
    from pydantic import BaseModel

TEMPLATES = Path(__file__).parent / "templates"
_SHRUNK = 0.85
_RUNS = 20
_POLICY = (
    # Nothing may come from elsewhere, and no script but the site's own may run, whatever a label
    # holds. Opened from a disk, some browsers take `file:` and some `'self'` for the site itself.
    "default-src 'none'; img-src 'self' file: data:; script-src 'self' file:; "
    "style-src 'self' file:{}"
)


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


@dataclass(frozen=True)
class PastRun:
    """A line of the list of a flow's runs; `href` is empty where a run has no page."""

    record: RunRecord
    href: str
    outcomes: list[Outcome]


class Pages:
    """Lays values into the site's templates."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.style = site.add_static("style.css")
        self.script = site.add_static("script.js")
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {
            "seconds": show_seconds,
            "moment": _moment,
            "show": show,
            "python": lambda text: Markup(to_html(text)),
        }

    def write(self, name: str, template: str, **values: Any) -> Path:
        """Write a page; raises StoreError where that cannot be."""
        return self.site.write(name, self.text(name, template, **values))

    def text(
        self,
        name: str,
        template: str,
        styles: str = "",
        scripts: Sequence[str] = (),
        styled_by_scripts: bool = False,
        **values: Any,
    ) -> str:
        """A page's text.

        Arguments:
            name: the page's name in the site, from which its links lead.
            styles: rules of this page alone.
            scripts: names of scripts in the site besides the one that all pages have.
            styled_by_scripts: whether they bring styles of their own along.
        """
        self.site.needs |= {self.style, self.script, *scripts}
        own = f" '{_hash(styles)}'" if styles else ""
        policy = _POLICY.format(" 'unsafe-inline'" if styled_by_scripts else own)
        return self._templates.get_template(template).render(
            root="../" * name.count("/"),
            style=self.style,
            scripts=[self.script, *scripts],
            styles=Markup(styles),
            policy=policy,
            **values,
        )


@dataclass
class Gathered:
    """All that the pages of one run show."""

    record: RunRecord
    sections: Sequence[Section]
    about: list[str]
    lineage: Lineage
    results: Results
    findings: list[Finding]
    parts: list[Part]

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
    lineage = Lineage(record, store)
    results = Results(record, (session.active() or store).load, site)
    paragraphs = [" ".join(text.split()) for text in about.split("\n\n") if text.strip()]
    findings = results.findings()
    return Gathered(
        record, sections, paragraphs, lineage, results, findings, _parts(results, sections)
    )


def write_run_page(
    pages: Pages,
    found: Gathered,
    parameters: type[BaseModel] | None,
    comparison: Mapping[str, Any] | None,
) -> None:
    """The page of a run: manifest, timeline, graph, results, recipes with their code.

    Arguments:
        comparison: `page`, `old` (a run's id) and `equal` of the comparison with an earlier run.
    """
    name, lineage, record = found.run_page, found.lineage, found.record
    recipes = [r.recipe.code for call in record.stages.values() if (r := lineage.read(call))]
    code = Code(pages.site, recipes, lambda page: _code_page(pages, page), pages.style)
    lineage.page = ""
    graph = draw_graph(lineage)
    pages.write(
        name,
        "run.html.j2",
        styles=_fit(graph),
        record=record,
        flow_page=f"{record.flow}.html",
        comparison=comparison,
        changed=list(_changed(record.parameters, parameters)),
        parameters=[(key, show(value)) for key, value in _flat(record.parameters)],
        timeline=draw_timeline(lineage),
        graph=graph,
        entries=[make_entry(lineage, group, code) for group in lineage.groups],
        outcomes=_outcomes(record),
        versions=lineage.versions(),
        figures=[f for part in found.parts for f in part.figures],
        results=[
            (key, artifact, lineage.maker_of(artifact)) for key, artifact in record.results.items()
        ],
        lineage=lineage,
    )


def write_flow_page(
    pages: Pages,
    found: Gathered,
    store: Store,
    parameters: type[BaseModel] | None,
    mark: str,
) -> Path:
    """The page of a flow: the results of its newest run, and a list of its runs.

    Arguments:
        mark: hash of what is shown; left out where a result could not be read, so that the
            next run tries again.
    """
    record, lineage, results = found.record, found.lineage, found.results
    lineage.page = found.run_page
    traces = {name: trace(lineage, call) for name, call in _makers(results, lineage)}
    graph = draw_graph(lineage)
    return pages.write(
        f"{record.flow}.html",
        "flow.html.j2",
        styles=_fit(graph),
        record=record,
        run_page=found.run_page,
        mark="" if results.faults else mark,
        about=found.about,
        changed=list(_changed(record.parameters, parameters)),
        findings=found.findings,
        sentences=_unplaced_sentences(results, found.sections),
        parts=found.parts,
        traces=traces,
        graph=graph,
        stages={group.stage: lineage.href(group) for group in lineage.groups[::-1]},
        repeated=len(lineage.groups) < len(record.stages),
        outcomes=_outcomes(record),
        runs=list(_runs(pages.site, store, record)),
        faults=results.faults,
    )


def flow_card(found: Gathered) -> dict[str, Any]:
    """What the index shows of a flow."""
    record = found.record
    pictures = [(part, part.figures[0]) for part in found.parts if part.figures]
    numbers = {figure.name: number for number, figure in enumerate(_figures(found), 1)}
    return {
        "flow": record.flow,
        "lead": found.about[0] if found.about else "",
        "run": record.id,
        "started": record.started,
        "seconds": sum(call.seconds for call in record.stages.values()),
        "preset": record.preset or "standard",
        "findings": [vars(finding) for finding in found.findings],
        "figures": len(numbers),
        "pictures": [
            {
                "source": figure.source,
                "alt": figure.alt,
                "part": part.title,
                "id": f"figure-{numbers[figure.name]}",
                "width": figure.artifact.spec.get("width"),
                "height": figure.artifact.spec.get("height"),
            }
            for part, figure in pictures
        ],
        "interactive": [
            {"page": page, "title": title}
            for part in found.parts
            for page, title in [
                *((each.page, each.title) for each in part.maps),
                *((each.page, each.title) for each in part.atlases),
            ]
        ],
    }


def _code_page(pages: Pages, page: CodePage) -> str:
    return pages.text(f"code/{page.module}", "code.html.j2", page=page)


def _figures(found: Gathered) -> list[Figure]:
    return [figure for part in found.parts for figure in part.figures]


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
        part.missing = [name for name in wanted if not results.named(name)]
        parts.append(part)
    rest = Part(f"part-{len(parts) + 1}", "More figures" if parts else "Figures")
    for name in results.record.results:
        if name not in placed:
            rest.figures += [f for f in results.figures(name) if f.name == name]
    return [*parts, rest] if rest.figures else parts


def _unplaced_sentences(results: Results, sections: Sequence[Section]) -> list[Sentence]:
    placed = {
        full
        for s in sections
        for name in (*s.sentences, *s.maps, *s.atlases)
        for full in results.named(name)
    }
    names = [name for name in results.record.results if name not in placed]
    return [sentence for name in names for sentence in results.sentences(name)]


def _makers(results: Results, lineage: Lineage) -> Iterator[tuple[str, Any]]:
    for name, artifact in results.record.results.items():
        maker = lineage.maker_of(artifact)
        if maker is not None:
            yield name, maker


def _runs(site: Site, store: Store, shown: RunRecord) -> Iterator[PastRun]:
    """The flow's newest runs, whatever became of them."""
    for path in list_runs(store, shown.flow, _RUNS):
        record = shown if path.stem == shown.id else read_run(path)
        page = run_page(record)
        yield PastRun(record, page if site.exists(page) else "", _outcomes(record))


def _outcomes(record: RunRecord) -> list[Outcome]:
    return [outcome for outcome in Outcome if outcome.word in record.counts]


def _fit(graph: Graph) -> str:
    """The graph shrinks a little to fit the window; beyond that it scrolls."""
    return f"@media screen {{ .graph svg {{ min-width: {_SHRUNK * graph.width:.0f}px; }} }}"


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
    """A style as the page's own security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _moment(iso: str) -> str:
    """`2026-11-22 16:45 UTC` for an ISO 8601 time in UTC."""
    return f"{iso[:10]} {iso[11:16]} UTC" if len(iso) >= 16 else iso
