"""Flows as Prefect flows: their form, their parts, their logs and what their runs leave in the UI."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

import prefect
from prefect.context import FlowRunContext
from prefect.logging.handlers import APILogHandler

from engine.call import Selection
from engine.flow import Flow, Run
from engine.group import Group, PartsFailed
from engine.parameters import changes
from engine.plan import Plan
from engine.prefect_progress import ProgressArtifacts
from engine.prefect_runner import PrefectRunner
from engine.prefect_sweeps import Sweeps
from engine.session import Session
from engine.store import Store

_LOGGERS = ("engine", "tasks", "flows", "report")

# Prefect's form shows these lines as help beside its fields.
_ARGUMENTS = """

Args:
    parameters: What the flow computes; every value enters the cache key of its stages.
    preset: Where the values come from that stand at their defaults above.
    refresh: Stages that run even if their result is there.
    since: Stages that run again together with everything after them.
    until: Stages after which the flow stops.
"""


@contextlib.contextmanager
def _logs_to_ui() -> Iterator[None]:
    """Send what the project logs during a run to Prefect's server; once, also for runs in a run."""
    if any(isinstance(h, APILogHandler) for h in logging.getLogger(_LOGGERS[0]).handlers):
        yield
        return
    handler = APILogHandler()
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        if logger.getEffectiveLevel() > logging.INFO:
            logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def as_prefect(
    flow: Flow[Any],
    *,
    module: str = "flows.deployed",
    store: Store | None = None,
    preset: str = "",
    deep: bool = False,
    observe: Callable[[Session], None] | None = None,
    finished: list[Run] | None = None,
    sweeps: Sweeps | None = None,
) -> Any:
    """The Prefect flow of a flow: its form shows the parameter model, its stages are tasks.

    Arguments:
        module: where the Prefect flow is importable from, for deployments.
        store, preset, observe: handed to `Flow.run`.
        deep: prove the content of every cached object.
        finished: takes each finished run; a Prefect flow hands back JSON-like data only.
        sweeps: where mapped stages are computed; unless given, what the environment says.

    Returns:
        A `prefect.Flow` that takes `parameters`, `preset` (of what `parameters` leaves at its
        defaults), `refresh`, `since` and `until` and returns the number of stages by outcome.
    """
    label = preset
    sweeps = sweeps or Sweeps.chosen()

    def entry(
        parameters: Any,
        preset: str = "standard",
        refresh: Any = (),
        since: Any = (),
        until: Any = (),
    ) -> Any:
        from engine.prefect_ui import publish

        if preset != "standard":
            parameters = flow.configure(preset, changes(parameters, flow.configure()))

        context = FlowRunContext.get()
        flow_run = context.flow_run if context else None
        header = {"prefect_flow_run": str(flow_run.id) if flow_run else ""}
        selection = Selection(tuple(refresh), tuple(since), tuple(until), deep)
        progress = ProgressArtifacts(flow.name)

        def listen(session: Session) -> None:
            if observe is not None:
                observe(session)
            progress.listen_to(session)

        def run_part(part: Flow[Any], values: Any, chosen: Selection, plan: Plan | None) -> Run:
            """A part of a group as a flow run of its own, below this one."""
            done: list[Run] = []
            nested = as_prefect(
                part, module=module, store=store, preset=label or preset, deep=deep, observe=observe,
                finished=done, sweeps=sweeps,
            )  # fmt: skip
            names = {"refresh": chosen.refresh, "since": chosen.since, "until": chosen.until}
            nested(values, **{name: list(value) for name, value in names.items()})
            return done[0]

        more: dict[str, Any] = {"run_part": run_part} if isinstance(flow, Group) else {}
        with _logs_to_ui(), progress.shown():
            try:
                run = flow.run(
                    parameters,
                    selection,
                    store,
                    preset=label or preset,
                    runner=PrefectRunner(progress),
                    header=header,
                    observe=listen,
                    **more,
                )
            except PartsFailed as failed:
                if failed.run.record.id:
                    publish(failed.run, store or Store())
                raise
            publish(run, store or Store())
        if finished is not None:
            finished.append(run)
        return run.record.counts

    names = list[str]
    entry.__name__ = entry.__qualname__ = flow.name
    entry.__module__ = module
    entry.__doc__ = (inspect.getdoc(flow.fn) or flow.name) + _ARGUMENTS
    entry.__annotations__ = {
        "parameters": flow.parameters,
        "preset": Literal[tuple(flow.presets)],
        "refresh": names,
        "since": names,
        "until": names,
    }
    entry.__defaults__ = (flow.configure(), "standard", [], [], [])
    decorate: Any = prefect.flow
    return decorate(
        entry,
        name=flow.name,
        description=inspect.getdoc(flow.fn),
        task_runner=sweeps.task_runner(),
        persist_result=False,
        validate_parameters=True,
    )
