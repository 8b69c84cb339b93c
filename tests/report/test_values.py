from __future__ import annotations

import math
from typing import Any

import pytest

from report.values import show, show_column, show_exact, show_seconds


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1, 20, 300], ["1", "20", "300"]),
        ([2.0, 3.0], ["2", "3"]),
        ([0.41812, 0.3551], ["0.4181", "0.3551"]),
        ([246812.34, 9.5], ["246,812", "10"]),
        ([98.312, -1.5], ["98.31", "−1.50"]),
        ([0.5, 1e-9, 0.0], ["0.5000", "1.0e−09", "0.0000"]),
        ([1.5, None, math.nan, math.inf], ["1.500", "–", "–", "∞"]),
        ([True, False], ["yes", "no"]),
        ([], []),
    ],
)
def test_a_column_has_decimals_that_suit_it(values: list[Any], shown: list[str]) -> None:
    assert show_column(values) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (98.3, "98.3"),
        (0.9, "0.9"),
        (204311.9, "204,312"),
        (1200, "1,200"),
        (100.0, "100"),
        (-16.724, "−16.72"),
        (None, "–"),
        (True, "yes"),
        ("text", "text"),
        ([1, "a"], '[1, "a"]'),
    ],
)
def test_a_single_value_has_no_idle_zeros(value: Any, shown: str) -> None:
    assert show(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4213, "0.42 s"), (12.4, "12 s"), (200.4, "3 min 20 s"), (7810, "2 h 10 min")],
)
def test_seconds(seconds: float, shown: str) -> None:
    assert show_seconds(seconds) == shown


def test_parameters_that_differ_look_different() -> None:
    values = [0.00012345, 0.0001235, 12345.678, 12345.679, 1234567, 1234568, True, None, "text"]
    shown = [show_exact(value) for value in values]
    assert len(set(shown)) == len(values)
    assert shown[0] == "0.00012345" and shown[-3:] == ["yes", "–", "text"]
