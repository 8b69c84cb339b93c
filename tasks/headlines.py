"""The headline numbers of several flows in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import stage

if TYPE_CHECKING:
    from collections.abc import Sequence


@stage
def collect_headlines(
    findings: dict[str, Any], *, order: Sequence[str], title: str = "study"
) -> dict[str, Any]:
    """Put the judged findings of flows below each other.

    Arguments:
        findings: flow → its findings, {findings: list of rows, …} or the list itself; a row is
            {name, value, unit, expected, low, high, met, source}.
        order: names of flows, which come first in this order; the others follow.
        title: what the whole is called, for the sentence.

    Returns:
        findings, the rows that have a band, each named with its flow; met and checked, how many
        bands are kept of how many; missed, the names of the others; sentence.
    """
    flows = sorted(findings, key=lambda flow: [*order, flow].index(flow))
    rows = [
        {**row, "name": f"{flow}: {row['name']}", "source": f"{flow}/{row['source']}"}
        for flow in flows
        for row in _rows(findings[flow])
        if row.get("met") is not None
    ]
    missed = [row["name"] for row in rows if not row["met"]]
    return {
        "findings": rows,
        "met": len(rows) - len(missed),
        "checked": len(rows),
        "missed": missed,
        "sentence": _sentence(title, len(rows), missed, flows),
    }


def _rows(found: Any) -> list[dict[str, Any]]:
    return list(found["findings"] if isinstance(found, dict) else found)


def _sentence(title: str, checked: int, missed: list[str], flows: list[str]) -> str:
    if not checked:
        return (
            f"The {title} has no number that is known beforehand: {', '.join(flows) or 'no flow'}."
        )
    if not missed:
        return f"All {checked} numbers of the {title} lie where they were expected."
    named = "; ".join(missed[:3]) + (f" and {len(missed) - 3} more" if len(missed) > 3 else "")
    return (
        f"{checked - len(missed)} of {checked} numbers of the {title} lie where they were expected; "
        f"not so: {named}."
    )
