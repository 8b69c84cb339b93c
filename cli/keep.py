"""`latentflow verify`, `gc` and `pin`: is the store sound, what can go, what must stay."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Annotated

import typer

from cli import options, words
from cli.messages import print_json, show_logs
from cli.run_names import find_run
from cli.screen import Screen, Table
from engine import Store
from engine.collect import Collection, collect
from engine.pins import list_pins, pin, unpin
from engine.verify import verify

_LISTED = 200


def verify_store(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Set damaged objects aside, so that the next run makes them again."
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Prove that the store is undamaged.

    Every object and record is read; exit status 1 if one is damaged.
    """
    show_logs()
    store = Store()
    found = verify(store, repair)
    if json:
        print_json({**found.to_json(), "repaired": repair and not found.sound})
    else:
        screen = Screen()
        if found.findings:
            made = Table(["what", "fault", "used by"], wide=("used by",))
            for finding in found.findings:
                made.add(_short(finding.path), finding.fault, ", ".join(finding.used_by) or "–")
            screen.print_table(made)
        checked = (
            f"{words.plural(found.objects, 'object')}, {words.plural(found.records, 'record')}, "
            f"{words.size(found.bytes)}"
        )
        if found.sound and not found.objects:
            screen.print("the store is empty: there is nothing to prove")
            return
        verdict = "sound" if found.sound else words.plural(len(found.findings), "fault")
        screen.print(
            f"{verdict}: {checked} read", style="bold green" if found.sound else "bold red"
        )
        if repair and not found.sound:
            screen.print("set aside; the next run makes again what it needs")
        elif not found.sound:
            screen.print(
                "`latentflow verify --repair` sets them aside; the next run makes them again"
            )
    if not found.sound and not repair:
        raise typer.Exit(1)


def gc(
    keep: Annotated[
        int, typer.Option("--keep", "-k", metavar="N", help="Runs of each flow that stay.")
    ] = 5,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Only tell what would go and why the rest stays."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Remove what no kept run uses.

    Kept are the newest runs of each flow, pinned runs, and running ones.
    """
    show_logs()
    result = collect(Store(), keep, dry_run)
    if json:
        print_json(result.to_json())
        return
    screen = Screen()
    if not result.removed and not result.kept:
        screen.print("the store is empty: there is nothing to remove")
        return
    if dry_run:
        _show_items(result)
    stay = "stays" if len(result.kept) == 1 else "stay"
    would = "would free" if dry_run else "freed"
    screen.print(
        f"{would} {words.size(result.freed_bytes)} in {words.plural(len(result.removed), 'file')}; "
        f"{words.size(result.kept_bytes)} in {words.plural(len(result.kept), 'file')} {stay}",
        style="bold",
    )


def pin_run(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run, e.g. wifi:last.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the pinned runs.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Unpin the run.")] = False,
    json: options.Json = False,
) -> None:
    """Keep a run and all it needs when gc removes."""
    store = Store()
    if run is None and not list_:
        raise typer.BadParameter("name a run, e.g. wifi:last, or ask for --list")
    if run is not None:
        pinned = list_pins(store)
        known = run if run in pinned else find_run(store, run).id  # a pin outlives a lost journal
        (unpin if remove else pin)(store, known)
        if not json and not list_:
            print(f"{'unpinned' if remove else 'pinned'} {known}")
    if json:
        print_json(list_pins(store))
    elif list_:
        print("\n".join(list_pins(store)) or "no run is pinned")


def _show_items(result: Collection) -> None:
    screen = Screen()
    if result.removed:
        made = Table(["would go", "", "size", "why"], right=("size",), wide=("why",))
        largest = heapq.nlargest(_LISTED, result.removed, key=lambda item: item.size)
        for item in largest:
            made.add(item.kind, _short(item.name), words.size(item.size), item.reason)
        screen.print_table(made)
        if more := len(result.removed) - len(largest):
            size = words.size(result.freed_bytes - sum(item.size for item in largest))
            screen.print(f"{more} smaller ones, {size}: --json lists all", style="dim")
        screen.print()
    if not result.kept:
        return
    made = Table(
        ["stays because", "files", "size"], right=("files", "size"), wide=("stays because",)
    )
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for item in result.kept:
        files[item.reason] += 1
        sizes[item.reason] += item.size
    for reason, count in files.most_common():
        made.add(reason, str(count), words.size(sizes[reason]))
    screen.print_table(made)
    screen.print()


def _short(name: str) -> str:
    """A path in the store with the middle of a digest left out."""
    if len(name) <= 44:
        return name
    return f"{name[:24]}…{name[-16:]}"
