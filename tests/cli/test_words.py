from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.004, "0.00 s"),
        (0.34, "0.34 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_seconds(value, text):
    assert words.seconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (62_000, "62.0 kB"),
        (999_960, "1.0 MB"),
        (3 * 10**15, "3000.0 TB"),
    ],
)
def test_size(count, text):
    assert words.size(count) == text


def test_numbers():
    assert [words.number(v) for v in (None, True, False, 3, 1 / 3, "x")] == [
        "–",
        "yes",
        "no",
        "3",
        "0.333333",
        "x",
    ]


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=9), "9 days ago"),
    ],
)
def test_when(ago, text):
    now = datetime(2030, 1, 10, 12, tzinfo=UTC)
    assert words.when((now - ago).isoformat(), now) == text


def test_an_unreadable_date_is_shown_as_it_is():
    assert (words.when("yesterday"), words.when("")) == ("yesterday", "–")


def test_outcomes_keep_their_order():
    assert words.outcomes({"cached": 20, "unchanged": 1, "ran": 17}) == (
        "17 ran · 1 unchanged · 20 cached"
    )
    assert words.outcomes({}) == "no stages"
