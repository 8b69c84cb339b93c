"""Headlines: what is judged, from whichever flow, and what was missed."""

from __future__ import annotations

from typing import Any

from tasks.headlines import collect_headlines


def row(name: str, met: bool | None) -> dict[str, Any]:
    return {"name": name, "value": 1.0, "unit": "%", "met": met, "source": "stage"}


def test_rows_with_a_band_are_named_with_their_flow():
    made = collect_headlines.fn(
        {
            "wifi": {"findings": [row("forest", True), row("rows", None)], "sentence": "…"},
            "digits": [row("k = 100", True)],
            "own": [row("k = 1", True)],
        },
        order=["absent", "wifi", "digits"],
    )
    found = [(row["name"], row["source"]) for row in made["findings"]]
    assert found == [
        ("wifi: forest", "wifi/stage"),
        ("digits: k = 100", "digits/stage"),
        ("own: k = 1", "own/stage"),
    ]
    assert (made["met"], made["checked"], made["missed"]) == (3, 3, [])
    assert made["sentence"] == "All 3 numbers of the study lie where they were expected."


def test_what_was_missed_is_named():
    made = collect_headlines.fn({"wifi": [row(name, name == "a") for name in "abcdef"]}, order=[])
    assert made["missed"] == [f"wifi: {name}" for name in "bcdef"]
    assert made["sentence"] == (
        "1 of 6 numbers of the study lie where they were expected; "
        "not so: wifi: b; wifi: c; wifi: d and 2 more."
    )


def test_no_flow_has_nothing_to_say():
    assert collect_headlines.fn({}, order=[])["sentence"].startswith("The study has no number")
