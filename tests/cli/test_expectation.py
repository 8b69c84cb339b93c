"""Estimates for stages that never ran in this store."""

from __future__ import annotations

import json

import pytest

from cli import expectation
from cli.expectation import estimate_missing, probe_machine
from engine import Plan, stage
from engine.call import Call
from engine.outcome import Outcome
from engine.stage import Bound


@stage
def known(*, k: int = 0) -> int:
    return k


@stage
def unheard_of(*, k: int = 0) -> int:
    return k


def call(of, slot: str, expected: float | None = None, outcome: Outcome = Outcome.RUN) -> Call:
    return Call(slot, of, Bound({}, {}), outcome=outcome, expected=expected)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    path = tmp_path / "durations.json"
    seconds = {"toy": {"quick": {"known": 3.0}, "standard": {"known": 30.0}}}
    path.write_text(json.dumps({"probe_seconds": 0.5, "seconds": seconds}))
    monkeypatch.setattr(expectation, "MEASURED", path)
    monkeypatch.setattr(expectation, "probe_machine", lambda: 1.0)
    return path


@pytest.mark.parametrize(("preset", "expected"), [("quick", 6.0), ("standard", 60.0), ("x", 6.0)])
def test_what_never_ran_takes_what_it_took_elsewhere_on_a_machine_half_as_fast(
    measured, preset, expected
):
    calls = [call(known, "known"), call(known, "known[a]", 1.5), call(unheard_of, "unheard_of")]
    assert estimate_missing(Plan("toy", calls), preset) == 1
    assert [c.expected for c in calls] == [expected, 1.5, None]


def test_the_parts_of_a_group_are_known_by_their_own_names(measured):
    part = call(known, "toy/known")
    assert estimate_missing(Plan("study", [part]), "quick") == 1
    assert part.expected == 6.0


def test_what_is_cached_needs_no_estimate_and_no_probe(measured, monkeypatch):
    monkeypatch.setattr(expectation, "probe_machine", lambda: pytest.fail("probed"))
    assert estimate_missing(Plan("toy", [call(known, "known", None, Outcome.CACHED)]), "quick") == 0


def test_without_a_file_nothing_is_judged_and_nothing_probed(measured, monkeypatch):
    measured.unlink()
    monkeypatch.setattr(expectation, "probe_machine", lambda: pytest.fail("probed"))
    calls = [call(known, "known")]
    assert estimate_missing(Plan("toy", calls), "quick") == 0
    assert calls[0].expected is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"probe_seconds": 0, "seconds": {"toy": 5}}'])
def test_a_broken_file_costs_the_estimate_only(measured, text):
    measured.write_text(text)
    assert estimate_missing(Plan("toy", [call(known, "known")]), "quick") == 0


def test_a_probe_takes_a_moment():
    assert 0 < probe_machine() < 30


def test_calls_side_by_side_share_the_processors(monkeypatch):
    monkeypatch.setattr("engine.plan.usable_cores", lambda: 2)
    calls = [call(known, f"known[{k}]", 4.0) for k in range(3)] + [call(unheard_of, "u", 1.0)]
    assert Plan("toy", calls).expected_seconds == 7.0
