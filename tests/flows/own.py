"""A person's own images, and a run of a flow on them with what the tests ask of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import Flow, Store, load
from engine.journal import RunRecord
from engine.session import Session
from report.page import Section


def draw_bars(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of 9 × 9 pixels with a bar that lies, stands or leans, and the name of each."""
    names = np.array(["lying bar", "standing & tall", "ü diagonal"])
    x = rng.integers(0, 40, (count, 9, 9), dtype=np.uint8)
    kind = np.arange(count) % 3
    for image, each in zip(x, kind, strict=True):
        place = rng.integers(2, 7)
        if each == 0:
            image[place] = 220
        elif each == 1:
            image[:, place] = 220
        else:
            np.fill_diagonal(image, 220)
    return x, names[kind]


def save_bars(folder: Path, count: int) -> str:
    """Bars in a file; returns the parameter that names it."""
    x, y = draw_bars(np.random.default_rng(0), count)
    np.savez(folder / "bars.npz", x=x, y=y)
    return f"data.path={folder / 'bars.npz'}"


@dataclass(frozen=True)
class Ran:
    """A run of a flow with these overrides of the preset `quick`, and the store in which it lies."""

    flow: Flow[Any]
    overrides: tuple[str, ...]
    store: Store
    record: RunRecord

    def value(self, name: str) -> Any:
        """A named result."""
        with Session(self.store).active():
            return load(self.record.results[name])

    def again(self, *changes: str, store: Store | None = None) -> RunRecord:
        """A run on the same store, or on another one."""
        p = self.flow.configure("quick", [*self.overrides, *changes])
        return self.flow.run(p, store=store or self.store).record

    def stale(self, *changes: str) -> Counter[str]:
        """How many calls of each stage would not be taken from the store."""
        p = self.flow.configure("quick", [*self.overrides, *changes])
        calls = self.flow.plan(p, store=self.store).calls
        return Counter(call.stage.name for call in calls if call.outcome.name != "CACHED")


def run_small(flow: Flow[Any], overrides: list[str], folder: Path) -> Ran:
    """Run a flow on a new store."""
    store = Store(folder / "store")
    record = flow.run(flow.configure("quick", overrides), store=store).record
    return Ran(flow, tuple(overrides), store, record)


def assert_whole_and_cached(ran: Ran, sections: tuple[Section, ...]) -> None:
    """All that the page shows is there, no finding is judged, and nothing is stale."""
    assert ran.record.status == "completed"
    named = {name.partition("[")[0] for name in ran.record.results}
    for section in sections:
        shown = {*section.figures, *section.tables, *section.sentences}
        assert shown - set(section.occasional) <= named
    assert ran.value("findings")["checked"] == 0
    assert ran.stale() == Counter()


def digests(record: RunRecord) -> dict[str, list[str]]:
    """Slot → digests of what it made."""
    return {slot: [a.digest for a in made.artifacts] for slot, made in record.stages.items()}
