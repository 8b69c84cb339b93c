from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.training.schedule import Schedule

STEPS = np.arange(100)  # ten epochs of ten


def test_a_constant_rate_knows_no_end() -> None:
    schedule = Schedule(rate=5e-4)
    assert (schedule.rates(STEPS, 10, 10) == np.float32(5e-4)).all()
    assert schedule.extends


def test_cosine_rises_in_its_warm_up_and_falls_to_nearly_nothing() -> None:
    rates = Schedule("cosine", 0.01, warm_up=2).rates(STEPS, 10, 10)
    assert rates.argmax() == 20 and rates.max() == np.float32(0.01)
    assert (np.diff(rates[:21]) > 0).all() and (np.diff(rates[20:]) < 0).all()
    assert 0 < rates[0] < 0.001 and 0 < rates[-1] < 1e-5


def test_one_cycle_begins_at_a_25th_and_ends_at_a_ten_thousandth() -> None:
    rates = Schedule("one-cycle", 0.01, warm_up=0.3).rates(STEPS, 10, 10)
    assert rates[0] == pytest.approx(0.01 / 25)
    assert rates[30] == pytest.approx(0.01) == rates.max()
    assert rates[-1] == pytest.approx(0.01 * 1e-4)


@pytest.mark.parametrize("kind", ["constant", "cosine", "one-cycle"])
def test_a_step_has_one_rate_whatever_it_is_asked_with(kind: Any) -> None:
    schedule = Schedule(kind, 0.01, warm_up=0 if kind == "constant" else 0.5)
    whole = schedule.rates(STEPS, 10, 10)
    assert whole.dtype == np.float32
    assert (
        np.concatenate([schedule.rates(STEPS[i : i + 7], 10, 10) for i in range(0, 100, 7)])
        == whole
    ).all()


def test_only_a_constant_rate_goes_on() -> None:
    assert not Schedule("cosine", 0.01).extends and not Schedule("one-cycle", 0.01).extends


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"kind": "linear"}, "schedule = 'linear': choose one of constant, cosine, one-cycle"),
        ({"rate": 0.0}, "rate = 0.0"),
        ({"rate": float("nan")}, "rate = nan"),
        ({"warm_up": 1.0}, "a constant rate has none"),
        ({"kind": "one-cycle", "warm_up": 1.0}, "a share of all steps"),
        ({"kind": "cosine", "warm_up": -1.0}, "epochs, at least 0"),
    ],
)
def test_impossible_values_are_named(values: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Schedule(**values)
