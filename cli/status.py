"""`latentflow status` and `latentflow runs`: how things stand, and what has been run."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cli import options, words
from cli.catalogue import all_flows
from cli.errors import BrokenFlow
from cli.messages import print_json, show_logs
from cli.screen import Screen, Styled, Table
from engine import Flow, InputError, LatentflowError, Outcome, Store
from engine.journal import RunRecord, list_runs, read_run
from engine.mentions import objects_in
from engine.parameters import nearest
from engine.pins import list_pins

_COLOUR = {
    "completed": "green",
    "running": "yellow",
    "failed": "red",
    "crashed": "red",
    "interrupted": "magenta",
}


@dataclass
class _Standing:
    """How one flow stands.

    Arguments:
        state: `fresh`, `stale`, `never ran` or `broken`.
        note: what would run, or what is wrong.
    """

    flow: str
    state: str
    note: str
    last: RunRecord | None
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The standing as plain JSON data."""
        last = self.last
        return {
            "flow": self.flow,
            "state": self.state,
            "note": self.note,
            "bytes": self.bytes,
            "last_run": None if last is None else _summary(last),
        }


def status(json: options.Json = False) -> None:
    """Show whether each flow is fresh, and how its last run ended.

    Fresh: a run would reuse every stage. A flow is judged by the parameters of its
    last run, or by the standard preset if it never ran.
    """
    show_logs()
    store = Store()
    here = {name.removeprefix("objects/") for name in store.storage.names("objects")}
    standings = [_look(name, flow, store, here) for name, flow in all_flows().items()]
    if json:
        print_json({"store": store.address, "flows": [s.to_json() for s in standings]})
        return
    screen = Screen()
    made = Table(
        ["flow", "state", "last run", "outcome", "keeps", ""], right=("keeps",), wide=("",)
    )
    for standing in standings:
        last = standing.last
        made.add(
            standing.flow,
            Styled(standing.state, "green" if standing.state == "fresh" else "yellow"),
            words.when(last.started) if last else "–",
            Styled(last.status, _COLOUR.get(last.status, "")) if last else "–",
            words.size(standing.bytes) if standing.bytes else "–",
            standing.note,
        )
    screen.print_table(made)
    screen.print(f"store: {store.address}", style="dim")


def runs(
    flow: Annotated[
        str | None, typer.Argument(metavar="FLOW", help="Only the runs of this flow.")
    ] = None,
    newest: Annotated[
        int, typer.Option("--newest", "-n", min=1, metavar="N", help="How many runs to list.")
    ] = 20,
    json: options.Json = False,
) -> None:
    """List runs, the newest first.

    Each with when it was, how it ended and what its stages did.
    """
    store = Store()
    paths = list_runs(store, flow)
    if flow is not None and not paths:
        known = list({*all_flows(), *(path.parent.name for path in list_runs(store))})
        if flow not in known:
            raise InputError(f"there is no flow {flow}{nearest(flow, known)}")
    records = [read_run(path) for path in paths[:newest]]
    pins = set(list_pins(store))
    if json:
        print_json([{**_summary(record), "pinned": record.id in pins} for record in records])
        return
    screen = Screen()
    made = Table(
        ["run", "flow", "preset", "when", "status", "seconds", "stages"],
        right=("seconds",),
        wide=("stages",),
    )
    for record in records:
        made.add(
            record.id.rpartition("-")[0] + (" *" if record.id in pins else ""),
            record.flow,
            record.preset or "–",
            words.when(record.started),
            Styled(record.status, _COLOUR.get(record.status, "")),
            f"{record.seconds:.2f}",
            words.outcomes(record.counts),
        )
    if not records:
        screen.print("no runs yet: latentflow run FLOW makes one")
        return
    screen.print_table(made)
    if len(paths) > newest:
        screen.print(f"{len(paths) - newest} older: --newest {len(paths)} lists all", style="dim")
    if pins & {record.id for record in records}:
        screen.print("* pinned: gc keeps it", style="dim")


def _look(name: str, flow: Flow[Any] | BrokenFlow, store: Store, here: set[str]) -> _Standing:
    paths = list_runs(store, name)
    last = read_run(paths[0]) if paths else None
    kept = _kept_bytes(paths, here)
    if isinstance(flow, BrokenFlow):
        return _Standing(name, "broken", str(flow), last, kept)
    try:
        known = flow.parameters.model_validate(last.parameters) if last else flow.configure()
    except ValidationError as error:
        places = {".".join(map(str, fault["loc"])) for fault in error.errors(include_url=False)}
        note = f"the last run's parameters no longer fit: {', '.join(sorted(places))}"
        return _Standing(name, "stale", note, last, kept)
    try:
        plan = flow.plan(known, store=store)
    except LatentflowError as error:
        return _Standing(name, "broken", str(error), last, kept)
    sure = sum(call.outcome is Outcome.RUN for call in plan.stale)
    unsure = len(plan.stale) - sure
    note = ""
    if not plan.fresh:
        may = f", {unsure} more may" if unsure else ""
        note = f"{sure} of {words.plural(len(plan.calls), 'stage')} would run{may}"
    state = "fresh" if plan.fresh else "stale" if last else "never ran"
    return _Standing(name, state, note, last, kept)


def _kept_bytes(paths: list[Path], here: set[str]) -> int:
    """Bytes of the distinct objects that these runs made or read and that are still there."""
    sizes: dict[str, int] = {}
    for path in paths:
        with contextlib.suppress(OSError):
            sizes |= objects_in(path.read_bytes())
    return sum(size for address, size in sizes.items() if address in here)


def _summary(record: RunRecord) -> dict[str, Any]:
    return {
        "run": record.id,
        "flow": record.flow,
        "preset": record.preset,
        "started": record.started,
        "status": record.status,
        "seconds": record.seconds,
        "outcomes": record.counts,
        "error": record.error,
    }
