"""Findings: bounds that are zero are bounds, and what is missing is missed."""

from __future__ import annotations

import pytest

from tasks.judging import Band, conclude, judge_value


@pytest.mark.parametrize(
    ("low", "high", "value", "met"),
    [
        (0.0, None, -0.1, False), (0.0, None, 0.0, True), (None, 0.0, 0.1, False),
        (1, 2, 2, True), (1, 2, 2.1, False), (None, None, 7, True), (1, 2, None, False),
    ],
)  # fmt: skip
def test_a_band_is_kept_with_its_bounds(low, high, value, met):
    assert judge_value("n", value, "stage", Band("known", low, high))["met"] is met


def test_without_a_band_nothing_is_judged():
    row = judge_value("n", 3.0, "stage", unit="dB")
    assert (row["met"], row["expected"], row["unit"]) == (None, None, "dB")
    assert (
        conclude([row], "here")["sentence"]
        == "1 numbers; there is nothing to compare them with here."
    )


def test_the_sentence_names_what_lies_outside():
    band = Band("known", 0, 1)
    rows = [judge_value(n, v, "s", band) for n, v in (("a", 0.5), ("b", 12345.0), ("c", None))]
    made = conclude(rows, "here")
    assert (made["met"], made["checked"]) == (1, 3)
    assert (
        made["sentence"] == "1 of 3 numbers lie in their bands; outside: b (1.234e+04), c (none)."
    )
