"""Any sequence of runs, changes, damage and collections: what a run gives is always right."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine import Selection, Store
from engine.collect import collect
from engine.formats import encode
from engine.verify import verify
from tests.engine import toy
from tests.engine.toy import SLOTS, count, digests, flip_bit, outcomes, overwrite, run_toy

STAGES = ["make", "clip", "times", "tabulate", "draw", "export"]
parameters = st.fixed_dictionaries(
    {
        "n": st.integers(1, 3),
        "top": st.sampled_from([1.0, 50.0, 60.0]),
        "ks": st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True),
    }
)
selections = st.builds(
    Selection,
    refresh=st.lists(st.sampled_from(STAGES), max_size=1).map(tuple),
    since=st.lists(st.sampled_from(STAGES), max_size=1).map(tuple),
    deep=st.booleans(),
)


def right_results(n: int, top: float, ks: list[int]) -> dict[str, list[str]]:
    """What the flow's plain functions make, without any engine."""
    numbers = toy.make.fn(n=n)
    clipped = toy.clip.fn(numbers.values, top=top)
    parts = {k: toy.times.fn(clipped, k=k) for k in ks}
    table = toy.tabulate.fn([parts[k] for k in ks], numbers.about)
    made: dict[str, list[Any]] = {
        "make": list(numbers),
        "clip": [clipped],
        **{f"times[k={k}]": [part] for k, part in parts.items()},
        "tabulate": [table],
        "draw": [toy.draw.fn(table)],
        "export": [toy.export.fn(table)],
    }
    return {slot: [encode(v).digest for v in values] for slot, values in sorted(made.items())}


class Endurance(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder / "store")
        self.tally = self.folder / "tally"
        self.hidden = False  # whether a bit is flipped that only a reader would find
        self.versions = 0
        logging.getLogger("engine").setLevel(logging.CRITICAL)

    def teardown(self) -> None:
        mock.patch.stopall()
        logging.getLogger("engine").setLevel(logging.NOTSET)
        shutil.rmtree(self.folder)

    @rule(values=parameters, selection=selections)
    def run(self, values: dict[str, Any], selection: Selection) -> None:
        run = run_toy(self.store, selection, tally=str(self.tally), **values)
        assert digests(run) == right_results(**values)
        before = count(self.tally).total()
        again = run_toy(self.store, tally=str(self.tally), **values)
        assert set(outcomes(again).values()) == {"cached"}
        assert count(self.tally).total() == before
        for name, artifact in run.record.results.items():
            if not self.hidden:
                assert self.store.fault(artifact, deep=True) is None, name

    @rule(data=st.data(), how=st.sampled_from(["remove", "cut", "empty", "flip"]))
    def damage(self, data: st.DataObject, how: str) -> None:
        there = sorted(
            p for f in ("objects", "records") for p in (self.store.root / f).rglob("*.*")
        )
        there = [p for p in there if p.stat().st_size]
        if not there:
            return
        path = data.draw(st.sampled_from(there))
        if how == "remove":
            path.unlink()
        elif how == "cut":
            overwrite(path, path.read_bytes()[: path.stat().st_size // 2])
        elif how == "empty":
            overwrite(path, b"")
        else:
            flip_bit(path, data.draw(st.integers(0, path.stat().st_size - 1)))
            self.hidden = True

    @rule(stage=st.sampled_from(STAGES))
    def change_code(self, stage: str) -> None:
        self.versions += 1
        changed = getattr(toy, stage)
        code = {**changed.code, "tests.engine.toy:_helper": f"{self.versions:016d}"}
        mock.patch.dict(changed.__dict__, {"code": code}).start()

    @rule(keep=st.integers(1, 3), dry=st.booleans())
    def collect(self, keep: int, dry: bool) -> None:
        collect(self.store, keep, dry)

    @rule()
    def repair(self) -> None:
        verify(self.store, repair=True)
        assert verify(self.store).sound
        self.hidden = False

    @invariant()
    def nothing_is_left_over(self) -> None:
        assert not list((self.store.root / "tmp").glob("*"))


TestEndurance = Endurance.TestCase
TestEndurance.settings = settings(max_examples=15, stateful_step_count=12)
assert set(STAGES) == {slot.split("[")[0] for slot in SLOTS}
