"""Groups: several flows run as one, each with its own journal and page; a failing one stops no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.call import Selection
from engine.errors import InputError, LatentflowError
from engine.flow import Flow, Page, Run
from engine.journal import RunRecord
from engine.parameters import nearest
from engine.plan import Plan
from engine.runner import Runner
from engine.session import Session
from engine.store import Store

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

M = TypeVar("M", bound="BaseModel")
Closing = Callable[[M, Mapping[str, Mapping[str, Any]]], Mapping[str, Any]]
RunPart = Callable[[Flow[Any], Any, Selection, Plan | None], Run]


class PartsFailed(LatentflowError):
    """Some flows of a group failed; the others are complete.

    Arguments:
        run: the group's own run, made of what is complete; else that of the last part which is,
            or one without an id.
        causes: part, or `closing`, → what was wrong.
        parts: how many flows there were.
    """

    def __init__(self, run: Run, causes: Mapping[str, str], parts: int) -> None:
        lines = "".join(f"\n  {name}: {cause}" for name, cause in causes.items())
        super().__init__(
            f"{len(causes)} of {parts} flows failed, the others are complete; "
            f"once the cause is mended the same command runs only what is missing{lines}"
        )
        self.run = run
        self.causes = dict(causes)


class Group(Flow[M]):
    """Flows that run one after the other, and stages that close with what they returned.

    Arguments:
        closing: takes the parameters and part → results by name, of the parts that are complete;
            returns the group's own results.
        name, parameters, presets, page: as a flow's; each part takes its own parameters from the
            field of `parameters` that has its name.
        parts: name → flow, in the order in which they run.
        chosen: the parts that these parameters ask for; all unless given.
    """

    def __init__(
        self,
        closing: Closing[M],
        name: str,
        parameters: type[M],
        presets: Mapping[str, Mapping[str, Any]],
        parts: Mapping[str, Flow[Any]],
        page: Page | None = None,
        chosen: Callable[[M], list[str]] | None = None,
    ) -> None:
        def unwired(p: M) -> Mapping[str, Any]:
            return closing(p, {})

        unwired.__doc__ = closing.__doc__
        super().__init__(unwired, name, parameters, presets, page)
        self.closing = closing
        self.parts = dict(parts)
        self._chosen = chosen

    def plan(
        self, parameters: M, selection: Selection | None = None, store: Store | None = None
    ) -> Plan:
        """The plans of all parts as one; a slot bears its part's name, e.g. `wifi/fit_pca`."""
        whole = Plan(self.name)
        for name, (_, plan) in self._plans(parameters, selection, store or Store()).items():
            whole.calls += [replace(call, slot=self.place(name, call.slot)) for call in plan.calls]
            whole.results |= {f"{name}/{result}": value for result, value in plan.results.items()}
            whole.sources |= plan.sources
        return whole

    def place(self, part: str, slot: str) -> str:
        """How a part's slot is called in the plan of the whole."""
        return slot if part == self.name else f"{part}/{slot}"

    def run(
        self,
        parameters: M,
        selection: Selection | None = None,
        store: Store | None = None,
        *,
        preset: str = "",
        runner: Runner | None = None,
        header: Mapping[str, Any] | None = None,
        observe: Callable[[Session], None] | None = None,
        plan: Plan | None = None,
        run_part: RunPart | None = None,
    ) -> Run:
        """Run each part as itself, then what closes the group.

        Arguments:
            run_part: runs one part, instead of running it in this process.
            preset, runner, header, observe: as a flow's; the sessions of all parts are observed.
            plan: not used; a part's plan is made here, and anew after the parts before it unless
                nothing in it is stale.

        Raises:
            InputError: unfit parameters, data or selection, before any stage runs.
            PartsFailed: a part failed; the others and what closes the group are complete.
        """
        store = store or Store()
        plans = self._plans(parameters, selection, store)
        closing = plans.pop(self.name, None)
        runs: dict[str, Run] = {}
        causes: dict[str, str] = {}
        for name, (narrowed, foreseen) in plans.items():
            flow, part = self.parts[name], getattr(parameters, name)
            fresh = foreseen if foreseen.fresh else None  # else earlier parts may have changed it
            try:
                if run_part is not None:
                    runs[name] = run_part(flow, part, narrowed, fresh)
                else:
                    runs[name] = flow.run(
                        part,
                        narrowed,
                        store,
                        preset=preset,
                        runner=runner,
                        observe=observe,
                        plan=fresh,
                    )
            except Exception as error:  # noqa: BLE001 - the other parts run all the same
                causes[name] = f"{type(error).__name__}: {error}"
                log.error("flow %s of %s failed: %s", name, self.name, error)
        parts: dict[str, Any] = {
            **{n: {"run": r.record.id, "status": r.record.status} for n, r in runs.items()},
            **{n: {"status": "failed", "error": cause} for n, cause in causes.items()},
        }
        finished = next(reversed(runs.values()), Run(RunRecord("", self.name, Path())))
        if closing is not None:
            own = self._close({name: done.results for name, done in runs.items()})
            try:
                finished = own.run(
                    parameters,
                    closing[0],
                    store,
                    preset=preset,
                    runner=runner,
                    header={**(header or {}), "parts": parts},
                    observe=observe,
                )
            except Exception as error:
                if not causes:
                    raise
                causes["closing"] = f"{type(error).__name__}: {error}"
        if causes:
            raise PartsFailed(finished, causes, len(plans) + ("closing" in causes))
        return finished

    def _plans(
        self, parameters: M, selection: Selection | None, store: Store
    ) -> dict[str, tuple[Selection, Plan]]:
        """Part → the selection that concerns it and its plan; last, what closes the group.

        Raises:
            InputError: a part's data is unfit, or the selection names what no part has.
        """
        selection = selection or Selection()
        every = Selection(deep=selection.deep)
        flows = {
            name: (self.parts[name], getattr(parameters, name)) for name in self._wanted(parameters)
        }
        known = {name: flow.plan(part, every, store) for name, (flow, part) in flows.items()}
        own = self._close({name: plan.results for name, plan in known.items()})
        flows[self.name], known[self.name] = (own, parameters), own.plan(parameters, every, store)
        self._check_names(selection, known)
        plans = {}
        for name, (flow, part) in flows.items():
            narrowed = _narrow(selection, known[name])
            if narrowed is not None:
                plan = known[name] if narrowed == every else flow.plan(part, narrowed, store)
                plans[name] = (narrowed, plan)
        return plans

    def _wanted(self, parameters: M) -> list[str]:
        asked = self._chosen(parameters) if self._chosen is not None else list(self.parts)
        return [name for name in self.parts if name in asked]

    def _close(self, results: Mapping[str, Mapping[str, Any]]) -> Flow[M]:
        def wire(p: M) -> Mapping[str, Any]:
            return self.closing(p, results)

        return Flow(wire, self.name, self.parameters, {}, self.page)

    def _check_names(self, selection: Selection, plans: Mapping[str, Plan]) -> None:
        known = [
            n
            for plan in plans.values()
            for call in plan.calls
            for n in (call.stage.name, call.slot)
        ]
        for option in ("refresh", "since", "until"):
            for name in getattr(selection, option):
                if name not in known:
                    word = "from" if option == "since" else option
                    raise InputError(
                        f"--{word} {name}: no flow of {self.name} has such a stage"
                        f"{nearest(name, sorted(set(known)))}"
                    )


def _narrow(selection: Selection, plan: Plan) -> Selection | None:
    """What of the selection concerns this plan's flow; None if it ends elsewhere."""
    known = {name for call in plan.calls for name in (call.stage.name, call.slot)}

    def mine(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in known)

    if selection.until and not mine(selection.until):
        return None
    return Selection(
        mine(selection.refresh), mine(selection.since), mine(selection.until), selection.deep
    )
