"""The pages of a run and of its flow: what is gathered, laid into the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from engine.compare import flat
from engine.journal import RunRecord, StageRun, list_runs, read_run
from engine.outcome import Outcome
from engine.store import Store
from report.code import Code, CodePage
from report.drawing import Graph, draw_graph
from report.gathered import Gathered, run_page, unplaced_sentences
from report.layout import Pages
from report.lineage import Lineage
from report.provenance import make_entry, trace
from report.results import Figure, Finding, Results
from report.site import Site
from report.timeline import draw_timeline
from report.values import show_exact

if TYPE_CHECKING:
    from pydantic import BaseModel

_SHRUNK = 0.85
_RUNS = 20


@dataclass(frozen=True)
class PastRun:
    """A line of the list of a flow's runs; `href` is empty where a run has no page."""

    record: RunRecord
    href: str
    outcomes: list[Outcome]


class FlowCard(TypedDict):
    """What the index shows of a flow."""

    flow: str
    lead: str
    parts: list[str]
    run: str
    started: str
    seconds: float
    preset: str
    findings: list[dict[str, Any]]
    figures: int
    pictures: list[dict[str, Any]]
    interactive: list[dict[str, Any]]


def write_run_page(
    pages: Pages,
    found: Gathered,
    parameters: type[BaseModel] | None,
    comparison: Mapping[str, Any] | None,
) -> None:
    """The page of a run: manifest, timeline, graph, results, recipes with their code.

    Arguments:
        comparison: `page`, `started` and `said` of the comparison with an earlier run.
    """
    name, lineage, record = found.run_page, found.lineage, found.record
    recipes = [r.recipe.code for call in record.stages.values() if (r := lineage.read(call))]
    code = Code(pages.site, recipes, lambda page: _code_page(pages, page), pages.style)
    lineage.page, lineage.root = "", "../../"
    graph = draw_graph(lineage)
    pages.write(
        name,
        "run.html.j2",
        styles=_fit(graph),
        record=record,
        flow_page=f"{record.flow}.html",
        comparison=comparison,
        changed=list(_changed(record.parameters, parameters)),
        parameters=[(key, show_exact(value)) for key, value in flat(record.parameters)],
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
    lineage.page, lineage.root = found.run_page, ""
    traces = {name: trace(lineage, call) for name, call in _makers(results, lineage)}
    graph = draw_graph(lineage)
    own = {group.stage: lineage.href(group) for group in lineage.groups[::-1]}
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
        sentences=unplaced_sentences(results, found.sections),
        parts=found.parts,
        traces=traces,
        graph=graph,
        stages={**_elsewhere(lineage), **own},
        flows=found.flows,
        took=record.seconds + sum(flow.record.seconds for flow in found.flows if flow.record),
        counts=_counts(found),
        repeated=len(lineage.groups) < len(record.stages),
        outcomes=_outcomes(record),
        runs=list(_runs(pages.site, store, record)),
        faults=results.faults,
    )


def flow_card(found: Gathered) -> FlowCard:
    """The card of a flow's page."""
    record = found.record
    pictures = [(part, part.figures[0]) for part in found.parts if part.figures]
    numbers = {figure.name: number for number, figure in enumerate(_figures(found), 1)}
    return {
        "flow": record.flow,
        "lead": found.about[0] if found.about else "",
        "run": record.id,
        "started": record.started,
        "parts": [flow.flow for flow in found.flows],
        "seconds": sum(call.seconds for call in _calls(found)),
        "preset": record.preset or "standard",
        "findings": [vars(finding) for finding in _mixed(found.findings)],
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


def _elsewhere(lineage: Lineage) -> dict[str, str]:
    """Stage of another run → where it is told of."""
    names = {f"{o.flow}/{o.slot.partition('[')[0]}": o for o in lineage.elsewhere.values()}
    return {name: href for name, o in names.items() if (href := lineage.href_elsewhere(o))}


def _counts(found: Gathered) -> dict[Outcome, int]:
    """Outcome → number of stages, those of a group's parts included."""
    own = {outcome: found.record.counts.get(outcome.word, 0) for outcome in Outcome}
    every = [own, *(flow.counts for flow in found.flows)]
    sums = {outcome: sum(counts.get(outcome, 0) for counts in every) for outcome in Outcome}
    return {outcome: number for outcome, number in sums.items() if number}


def _mixed(findings: Sequence[Finding]) -> list[Finding]:
    """The first two of every part of a group before the rest, for a list that is cut short."""
    seen: Counter[str] = Counter()
    first: list[Finding] = []
    rest: list[Finding] = []
    for finding in findings:
        part, slash, _ = finding.source.partition("/")
        seen[part] += 1
        (first if not slash or seen[part] <= 2 else rest).append(finding)
    return [*first, *rest]


def _calls(found: Gathered) -> list[StageRun]:
    """The calls of the run and of its parts; what several have in common is computed once."""
    runs = [found.record, *(flow.record for flow in found.flows if flow.record)]
    return list({call.key: call for run in runs for call in run.stages.values()}.values())


def _code_page(pages: Pages, page: CodePage) -> str:
    return pages.text(f"code/{page.module}", "code.html.j2", page=page)


def _figures(found: Gathered) -> list[Figure]:
    return [figure for part in found.parts for figure in part.figures]


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


def _changed(
    parameters: Mapping[str, Any], model: type[BaseModel] | None
) -> Iterator[tuple[str, str, str]]:
    """Name, value and default of each parameter that is not at its default."""
    if model is None:
        return
    defaults = dict(flat(model().model_dump(mode="json")))
    for name, value in flat(parameters):
        if name not in defaults or defaults[name] != value:
            default = show_exact(defaults[name]) if name in defaults else ""
            yield name, show_exact(value), default
