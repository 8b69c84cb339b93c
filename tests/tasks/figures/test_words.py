from __future__ import annotations

import matplotlib.text
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.figures.words import (
    counted,
    distinct_names,
    kind,
    listing,
    literal,
    percent,
    prose,
    quantity,
    shorten,
    span,
)


@given(st.text(max_size=80), st.integers(5, 40))
def test_a_short_name_is_one_line_within_the_length(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert len(short.splitlines()) <= 1
    assert shorten(short, length) == short


def test_a_long_name_keeps_its_head_and_its_tail() -> None:
    short = shorten("signal strength of the sender in room 12", 20)
    assert short.startswith("signal") and short.endswith("12") and "…" in short


@given(st.lists(st.text(min_size=1, max_size=50), max_size=12, unique=True))
def test_different_names_look_different(names: list[str]) -> None:
    short = distinct_names(names, 12)
    assert list(short) == names
    assert len(set(short.values())) == len(names)


@pytest.mark.parametrize("name", ["$5", "$5 and $6", r"\$x$", "$$", "plain"])
def test_a_dollar_is_no_formula(name: str) -> None:
    text = matplotlib.text.Text(text=literal(name))
    shown, is_math = text._preprocess_math(text.get_text())  # type: ignore[attr-defined]
    assert shown == name and not is_math


def test_an_underscore_does_not_hide_a_legend_entry() -> None:
    assert not literal("_name").startswith("_")


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100 %"), (0, "0 %"), (0.9827, "98.3 %"), (0.99999, "> 99.9 %"), (1e-5, "< 0.1 %"),
     (0.99, "99.0 %")],
)  # fmt: skip
def test_percent_never_claims_all_or_none_by_rounding(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_span_of_equal_shares_is_one_number() -> None:
    assert span(0.5, 0.75) == "50.0 % to 75.0 %"
    assert span(1.0, 1.0) == "100 %"


def test_listing() -> None:
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing("abcdef", most=3) == "a, b and 4 more"


def test_numbers_and_their_nouns() -> None:
    assert counted(1, "point") == "1 point"
    assert counted(2000, "point") == "2,000 points"


def test_prose_does_not_end_the_sentence() -> None:
    assert prose("St. Mary etc.") == "St Mary etc"


def test_only_decibels_are_called_signals() -> None:
    assert kind({"unit": "dBm"}, 2) == "signals"
    assert kind({"unit": "cm"}) == "feature"
    assert quantity({"unit": "dBm"}, "WLAN-0") == "signal strength of WLAN-0 [dBm]"
    assert quantity({"unit": "dBm"}) == "signal strength [dBm]"
    assert quantity({"unit": "cm"}, "petal length") == "petal length [cm]"
    assert quantity({"unit": ""}, "petal length") == "petal length"
