"""`latentflow plan`: what a run would do, and why; nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping

from cli import options, words
from cli.catalogue import find_flow
from cli.expectation import estimate_missing, share_work
from cli.messages import outcome_cell, print_json, reasons_text, show_logs
from cli.screen import Screen, Table
from engine import Outcome, Plan, Selection, Store
from engine.call import Call


def plan(
    flow: options.FlowName,
    preset: options.Preset = "standard",
    set_: options.Set = [],  # noqa: B006 - typer copies it
    from_: options.From = [],  # noqa: B006
    until: options.Until = [],  # noqa: B006
    refresh: options.Refresh = [],  # noqa: B006
    deep: options.Deep = False,
    json: options.Json = False,
) -> None:
    """Show what a run would compute, and why.

    Nothing is computed; seconds are those of the last time, or judged by a short probe of the machine.
    """
    show_logs()
    found = find_flow(flow)
    selection = Selection(tuple(refresh), tuple(from_), tuple(until), deep)
    foreseen = found.plan(found.configure(preset, set_), selection, Store())
    shared = share_work(foreseen)
    judged = estimate_missing(foreseen, preset)
    if json:
        print_json(foreseen.to_json())
        return
    _show(foreseen, shared, judged)


def _show(foreseen: Plan, shared: Mapping[str, str], judged: int) -> None:
    screen = Screen()
    made = Table(["stage", "outcome", "seconds", "why"], right=("seconds",), wide=("why",))
    for calls in _alike(foreseen.calls, shared):
        first = calls[0]
        due = first.outcome in (Outcome.RUN, Outcome.UNKNOWN)
        name = first.slot if len(calls) == 1 else f"{first.slot.partition('[')[0]} ×{len(calls)}"
        known = [call.expected for call in calls if call.expected is not None]
        expected = f"{sum(known):.2f}" if len(known) == len(calls) else "?"
        why = reasons_text(first.reasons)
        if first.slot in shared:
            expected, why = "", f"the same as {shared[first.slot]}"
        made.add(
            name,
            outcome_cell(first.outcome),
            expected if due else "",
            why,
            style="" if due else "dim",
        )
    screen.print_table(made)
    screen.print(_total(foreseen, judged), style="bold")


def _alike(calls: list[Call], shared: Mapping[str, str]) -> list[list[Call]]:
    """Neighbouring calls of one stage with one outcome for the same reasons belong together."""
    groups: list[list[Call]] = []
    for call in calls:
        last = groups[-1][0] if groups else None
        if last is not None and _looks(last, shared) == _looks(call, shared):
            groups[-1].append(call)
        else:
            groups.append([call])
    return groups


def _looks(call: Call, shared: Mapping[str, str]) -> tuple[object, ...]:
    return call.stage.name, call.outcome, call.reasons, call.slot in shared


def _total(foreseen: Plan, judged: int) -> str:
    if foreseen.fresh:
        return f"{foreseen.flow}: nothing is stale"
    counts: dict[str, int] = {}
    for call in foreseen.calls:
        counts[call.outcome.word] = counts.get(call.outcome.word, 0) + 1
    unknown = foreseen.without_estimate
    about = f"about {words.seconds(foreseen.expected_seconds)}"
    about += ", judged by a short probe of this machine" if judged else ""
    if unknown and not foreseen.expected_seconds:
        about = "no stage has a recorded time yet"
    elif unknown:
        about += f", {words.plural(unknown, 'stage')} without a recorded time not counted"
    return f"{foreseen.flow}: {words.outcomes(counts)} · {about}"
