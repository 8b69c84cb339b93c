"""`latentflow run`: look at the keys first, then compute what is stale, here or through Prefect."""

from __future__ import annotations

import contextlib
import signal
import sys
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer

from cli import options, words
from cli.catalogue import find_flow
from cli.errors import ServerLost
from cli.expectation import estimate_missing, share_work
from cli.findings import print_findings, read_findings
from cli.messages import print_json, show_logs
from cli.process import Interrupts, end_now
from cli.progress import Progress, make_progress
from cli.screen import Screen
from engine import Flow, LatentflowError, Plan, Run, Selection, Store
from engine.group import PartsFailed
from engine.prefect_sweeps import Sweeps


@dataclass
class Order:
    """What to run and how."""

    flow: Flow[Any]
    parameters: Any
    preset: str
    selection: Selection
    store: Store
    plan: Plan
    served: bool
    verbose: bool
    quiet: bool
    sweeps: Sweeps

    @property
    def expected_seconds(self) -> float | None:
        """Seconds of the stale stages, None where one never ran."""
        return None if self.plan.without_estimate else self.plan.expected_seconds


def run(
    flow: options.FlowName,
    preset: options.Preset = "standard",
    set_: options.Set = [],  # noqa: B006 - typer copies it
    from_: options.From = [],  # noqa: B006
    until: options.Until = [],  # noqa: B006
    refresh: options.Refresh = [],  # noqa: B006
    local: Annotated[
        bool, typer.Option("--local", help="Run without Prefect, on the same store and keys.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Make a Prefect flow run even if nothing is stale.")
    ] = False,
    runner: options.Runner = "",
    scheduler: options.Scheduler = "",
    deep: options.Deep = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what stages and Prefect log.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Run a flow: compute the stages that are stale, and only those.

    Nothing stale: it says so at once. Else the run is a Prefect flow run, against PREFECT_API_URL if
    that is set and a temporary server if not; --local runs without Prefect.
    """
    if local and record:
        raise typer.BadParameter(
            "--record makes a Prefect flow run, --local makes none: choose one"
        )
    if local and (runner or scheduler):
        raise typer.BadParameter(
            "--local computes everything in this process, --runner and --scheduler are for a "
            "Prefect flow run: choose one"
        )
    sweeps = Sweeps() if local else Sweeps.chosen(runner, scheduler)
    show_logs(verbose)
    found = find_flow(flow)
    parameters = found.configure(preset, set_)
    store = Store()
    selection = Selection(tuple(refresh), tuple(from_), tuple(until), deep)
    plan = found.plan(parameters, selection, store)
    share_work(plan)
    judged = 0 if json else estimate_missing(plan, preset)
    served = record or not (local or plan.fresh)
    order = Order(found, parameters, preset, selection, store, plan, served, verbose, json, sweeps)
    progress = make_progress(plan, f"{flow} · {preset}", quiet=json or plan.fresh)
    if not (json or plan.fresh):
        Screen().print(_announce(plan, judged))
    try:
        with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
            finished = _execute(order, progress)
    except PartsFailed as failed:
        if failed.run.record.id:
            _report(order, failed.run, progress)
        raise
    _report(order, finished, progress)


def _announce(plan: Plan, judged: int) -> str:
    """How much is to be done, before it begins."""
    stale = words.plural(len(plan.stale), "stage")
    if plan.without_estimate and not plan.expected_seconds:
        return f"{stale} of {len(plan.calls)} to run; how long that takes is not known yet"
    about = words.seconds(plan.expected_seconds)
    source = ", judged by a short probe of this machine" if judged else ""
    more = f" and {plan.without_estimate} of unknown length" if plan.without_estimate else ""
    return f"{stale} of {len(plan.calls)} to run, about {about}{more}{source}"


def _execute(order: Order, progress: Progress) -> Run:
    interrupts = Interrupts(progress.interrupt, lambda: _stop(progress, 130))
    try:
        with interrupts:
            if order.served:
                return _run_served(order, progress, interrupts)
            return _run_here(order, progress)
    except KeyboardInterrupt:
        _stop(progress, 130)
    except SystemExit as stop:
        if stop.code == 128 + signal.SIGTERM:
            _stop(progress, 128 + signal.SIGTERM)
        raise
    except LatentflowError as error:
        if progress.finished and not isinstance(error, PartsFailed):
            lost = isinstance(error, ServerLost)
            then = "with --local it needs no server" if lost else "once the cause is mended"
            error.add_note(f"{_kept(progress)}; the same command goes on, {then}")
        raise


def _run_here(order: Order, progress: Progress) -> Run:
    with progress.shown():
        return order.flow.run(
            order.parameters,
            order.selection,
            order.store,
            preset=order.preset,
            observe=progress.observe,
            plan=order.plan,
        )


def _run_served(order: Order, progress: Progress, interrupts: Interrupts) -> Run:
    from cli.served import run_served

    if not order.plan.fresh:
        order.sweeps.check()
    shown = contextlib.ExitStack()

    def begin(session: Any) -> None:
        shown.enter_context(progress.shown())
        progress.observe(session)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with shown:
        return run_served(
            order.flow,
            order.parameters,
            order.selection,
            preset=order.preset,
            store=order.store,
            observe=begin,
            expected_seconds=order.expected_seconds,
            verbose=order.verbose,
            say=say,
            last_acts=interrupts.last_acts,
            sweeps=order.sweeps,
        )


def _stop(progress: Progress, code: int) -> NoReturn:
    print(f"interrupted: {_kept(progress)}; the same command goes on", file=sys.stderr, flush=True)
    end_now(code)


def _kept(progress: Progress) -> str:
    if not progress.finished:
        return "no stage had finished"
    are = "is" if progress.finished == 1 else "are"
    return f"{words.plural(progress.finished, 'finished stage')} {are} kept"


def _report(order: Order, finished: Run, progress: Progress) -> None:
    record = finished.record
    rows, sentence = read_findings(record, order.store)
    if order.quiet:
        page = str(finished.page) if finished.page else None
        of_all = {"outcomes": progress.outcomes, "seconds": round(progress.seconds, 3)}
        more = {"findings": rows, "page": page, "served": order.served}
        print_json({**record.to_json(), **of_all, **more})
        return
    screen = Screen()
    counts, took = words.outcomes(progress.outcomes), words.seconds(progress.seconds)
    fresh = "nothing is stale: " if order.plan.fresh else ""
    screen.print(f"{order.flow.name}: {fresh}{counts} in {took}", style="bold")
    if rows:
        print_findings(screen, rows, order.flow.name)
    if sentence:
        screen.print(sentence)
    if finished.page is not None:
        screen.print(f"report: {finished.page}")
