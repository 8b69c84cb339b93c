"""The graph of a run: which stage fed which, repeated stages drawn as one."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.journal import RunRecord, StageRun
from engine.outcome import Outcome

# The outcome that a group of calls shows: the first of these that occurs in it.
_LOUDEST = (
    Outcome.FAILED,
    Outcome.RAN,
    Outcome.UNCHANGED,
    Outcome.RUN,
    Outcome.UNKNOWN,
    Outcome.SKIPPED,
    Outcome.CACHED,
)

# Fill and ink, apart for colour-blind eyes and dark enough, or light enough, to be read on.
_COLOURS = {
    Outcome.FAILED: ("#b34700", "#ffffff"),
    Outcome.RAN: ("#0072b2", "#ffffff"),
    Outcome.UNCHANGED: ("#9ad4f5", "#111111"),
    Outcome.CACHED: ("#007a59", "#ffffff"),
    Outcome.SKIPPED: ("#d0d0d0", "#111111"),
    Outcome.RUN: ("#e69f00", "#111111"),
    Outcome.UNKNOWN: ("#cc79a7", "#111111"),
}


@dataclass
class Node:
    """All calls of one stage.

    Arguments:
        feeds: names of the stages that take what this one makes.
    """

    stage: str
    calls: list[StageRun] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The loudest outcome of its calls."""
        return min((call.outcome for call in self.calls), key=_LOUDEST.index)

    @property
    def seconds(self) -> float:
        """Sum of its calls' durations."""
        return sum(call.seconds for call in self.calls)


def build_graph(run: RunRecord) -> dict[str, Node]:
    """Stage's name → node, in the order of the run; edges follow the digests."""
    nodes: dict[str, Node] = {}
    for call in run.stages.values():
        nodes.setdefault(call.stage, Node(call.stage)).calls.append(call)
    for slot, inputs in find_makers(run).items():
        stage = run.stages[slot].stage
        for maker in {by.stage: None for makers in inputs.values() for by in makers if by}:
            if maker != stage and stage not in nodes[maker].feeds:
                nodes[maker].feeds.append(stage)
    return nodes


def find_makers(run: RunRecord) -> dict[str, dict[str, list[StageRun | None]]]:
    """Slot → place of each of its inputs → the calls that made it; None alone if it is from outside.

    A stage may hand on what it took unchanged: the last one to make it is meant. Cells of one sweep
    may give the same: then all of them are.
    """
    made: dict[str, list[StageRun]] = {}
    found: dict[str, dict[str, list[StageRun | None]]] = {}
    for call in run.stages.values():
        makers = {place: made.get(digest, []) for place, digest in call.inputs.items()}
        found[call.slot] = {
            place: [each for each in known if each.stage == known[-1].stage] or [None]
            for place, known in makers.items()
        }
        for artifact in call.artifacts:
            made.setdefault(artifact.digest, []).append(call)
    return found


def to_mermaid(run: RunRecord) -> str:
    """The graph as Mermaid text, coloured by outcome, with seconds."""
    nodes = build_graph(run)
    lines = ["flowchart LR"]
    for name, node in nodes.items():
        times = f" ×{len(node.calls)}" if len(node.calls) > 1 else ""
        label = f"{node.outcome.sign} {name}{times}<br/>{node.outcome.word} · {node.seconds:.2f} s"
        lines.append(f'  {name}["{label}"]')
    lines += [f"  {name} --> {to}" for name, node in nodes.items() for to in node.feeds]
    for outcome in dict.fromkeys(node.outcome for node in nodes.values()):
        members = ",".join(n for n, node in nodes.items() if node.outcome is outcome)
        fill, ink = _COLOURS[outcome]
        style = f"fill:{fill},color:{ink},stroke:#333333"
        lines += [f"  classDef {outcome.word} {style}", f"  class {members} {outcome.word}"]
    return "\n".join(lines)
