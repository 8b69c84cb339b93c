"""`latentflow diff`: what differs between two runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli import options, words
from cli.messages import print_json
from cli.run_names import find_run
from cli.screen import Screen, Table
from engine import Store
from engine.compare import Change, Comparison, compare

_MOST_ROWS = 40


def diff(
    old: options.RunName,
    new: options.RunName = "last",
    page: Annotated[
        bool, typer.Option("--page", help="Write a page of it in the report, figures side by side.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Show what differs between two runs.

    Parameters, code, versions, digests and metrics; what is equal is left out. The second
    run is the last one unless it is named.
    """
    store = Store()
    runs = find_run(store, old), find_run(store, new)
    found = compare(store, *runs)
    written = None
    if page:
        from report.publish import publish_comparison

        written = publish_comparison(store, *runs)
    if json:
        print_json(found.to_json() | ({"page": str(written)} if written else {}))
        return
    screen = Screen()
    _show(found, screen)
    if written:
        screen.print(f"\npage: {written}")


def _show(found: Comparison, screen: Screen) -> None:
    for sign, run in (("-", found.old), ("+", found.new)):
        preset = f" · {run.preset}" if run.preset else ""
        text = f"{sign} {run.id}  {run.flow}{preset} · {words.when(run.started)} · {run.status}"
        screen.print(text, style="bold")
    if found.equal:
        screen.print("\nnothing differs")
    for title, changes in found.sections.items():
        if changes:
            _show_section(screen, title, changes, found)
    if found.missing:
        some = ", ".join(found.missing[:5]) + (" …" if len(found.missing) > 5 else "")
        screen.print(
            f"\nthe recipes of {words.plural(len(found.missing), 'stage')} are gone, so their code "
            f"and versions are not compared: {some}",
            style="dim",
        )


def _show_section(screen: Screen, title: str, changes: list[Change], found: Comparison) -> None:
    screen.print(f"\n{title}", style="bold")
    if title == "code":
        made = Table(["", "symbol", "stages"], wide=("stages",))
        for change in changes[:_MOST_ROWS]:
            made.add(_sign(change), change.name, ", ".join(found.stages[change.name]))
    else:
        made = Table(["name", "old", "new"], wide=("old", "new"))
        shown = {"digests": _brief, "parameters": _exact}.get(title, _plain)
        for change in changes[:_MOST_ROWS]:
            made.add(change.name, *_pair(change, shown))
    screen.print_table(made)
    if len(changes) > _MOST_ROWS:
        screen.print(f"{len(changes) - _MOST_ROWS} more: --json lists all", style="dim")


def _pair(change: Change, shown: Callable[[Any], str]) -> tuple[str, str]:
    return shown(change.old), shown(change.new)


def _sign(change: Change) -> str:
    return "added" if change.old is None else "removed" if change.new is None else "changed"


def _brief(digest: Any) -> str:
    return "–" if digest is None else str(digest)[:12]


def _exact(parameter: Any) -> str:
    return _plain(repr(parameter) if isinstance(parameter, float) else parameter)


def _plain(value: Any) -> str:
    text = words.number(value)
    return text if len(text) <= 60 else text[:57] + "…"
