"""`latentflow data`: the data sets, where they come from, whether they are what they should be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli import options, words
from cli.messages import print_json, show_logs
from cli.screen import Screen, Table
from engine import InputError

app = typer.Typer(
    help="List, fetch and verify the data sets.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A data set, e.g. wifi.")]


@app.command("list", epilog="Example: latentflow data list --json")
def list_(json: options.Json = False) -> None:
    """List the data sets with their origin and licence."""
    from tasks.datasets import list_datasets

    rows = list_datasets()
    if json:
        print_json(rows)
        return
    screen = Screen()
    made = Table(["name", "rows", "bundled", "licence", ""], right=("rows", "bundled"), wide=("",))
    for row in rows:
        bundled = words.size(row["size"]) if row["size"] is not None else "no"
        made.add(row["name"], f"{row['rows']:,}", bundled, row["licence"], row["title"])
    screen.print_table(made)
    for row in rows:
        screen.print(f"\n{row['citation']}", style="dim")
        for mirror in row["mirrors"]:
            screen.print(f"  {mirror}", style="dim")


@app.command(epilog="Example: latentflow data fetch wifi --offline")
def fetch(
    name: Name,
    offline: Annotated[
        bool, typer.Option("--offline", help="Open no connection: read the bundled copy.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Get a data set and verify its content.

    Its sources are tried in turn. A flow does so by itself.
    """
    show_logs(verbose=not json)
    from tasks.download import fetch as fetch_dataset

    report = fetch_dataset(name, offline=offline)
    if json:
        print_json(report)
        return
    screen = Screen()
    for failure in report["failures"]:
        screen.print(f"- {failure}", style="dim")
    screen.print(
        f"{name}: {words.size(report['size'])} from {report['source']} in "
        f"{words.seconds(report['seconds'])}, content verified"
    )
    screen.print(f"sha256 {report['sha256']}", style="dim")


@app.command(epilog="Example: latentflow data verify")
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One data set; all if left out.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Hash the bundled copies again.

    Exit status 1 if one is not what it should be.
    """
    reports = [*_verify(name)]
    if json:
        print_json(reports)
    else:
        screen = Screen()
        for report in reports:
            good = report["ok"]
            what = f"sound, {words.size(report['size'])}" if good else report["fault"]
            screen.print(
                f"{'✓' if good else '✗'} {report['name']}: {report['file']}: {what}",
                style="green" if good else "red",
            )
    if not all(report["ok"] for report in reports):
        raise typer.Exit(1)


def _verify(name: str | None) -> Iterator[dict[str, Any]]:
    """The report on one data set, or on each that should be here."""
    from tasks.datasets import DATASETS, verify_bundled

    if name is not None:
        yield verify_bundled(name)
        return
    for dataset in DATASETS:
        with contextlib.suppress(InputError):  # it may be fetched, but needs not be here
            yield verify_bundled(dataset.name)
