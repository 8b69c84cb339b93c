"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

FlowName = Annotated[str, typer.Argument(metavar="FLOW", help="A flow, e.g. wifi.")]
Preset = Annotated[
    str, typer.Option("--preset", "-p", metavar="NAME", help="The flow's preset to start from.")
]
Set = Annotated[
    list[str],
    typer.Option(
        "--set",
        "-s",
        metavar="NAME=VALUE",
        help="Change a parameter, e.g. classifier.clusters=12. May be repeated.",
        show_default=False,
    ),
]
From = Annotated[
    list[str],
    typer.Option(
        "--from",
        metavar="STAGE",
        help="Run this stage and everything after it again.",
        show_default=False,
    ),
]
Until = Annotated[
    list[str],
    typer.Option(
        "--until",
        metavar="STAGE",
        help="Stop after this stage; only what it needs is run.",
        show_default=False,
    ),
]
Refresh = Annotated[
    list[str],
    typer.Option(
        "--refresh",
        metavar="STAGE",
        help="Run this stage even if its result is there.",
        show_default=False,
    ),
]
Runner = Annotated[
    str,
    typer.Option(
        "--runner",
        metavar="threads|dask",
        help="Where mapped stages are computed: on threads, or on the workers of a Dask cluster.",
        show_default="threads, or what LATENTFLOW_RUNNER says",
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="The Dask cluster's, e.g. tcp://host:8786; without it one starts on this machine.",
        show_default="LATENTFLOW_SCHEDULER",
    ),
]
Deep = Annotated[
    bool,
    typer.Option("--deep", help="Prove the content of every cached object before it counts."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, nothing else.")]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run's id or the start of it, last, last~1, wifi:last or wifi:last~2.",
    ),
]
