"""The headline numbers of several flows in one table."""

from __future__ import annotations

from typing import Any

from engine import stage


@stage
def collect_headlines(findings: dict[str, Any], *, title: str = "study") -> dict[str, Any]:
    """Put the judged findings of flows below each other.

    Arguments:
        findings: flow → its findings, {findings: list of rows, …} or the list itself; a row is
            {name, value, unit, expected, low, high, met, source}.
        title: what the whole is called, for the sentence.

    Returns:
        findings, the rows that have a band, each named with its flow; met and checked, how many
        bands are kept of how many; missed, the names of the others; sentence.
    """
    rows = [
        {**row, "name": f"{flow}: {row['name']}"}
        for flow, found in findings.items()
        for row in (found["findings"] if isinstance(found, dict) else found)
        if row.get("met") is not None
    ]
    missed = [row["name"] for row in rows if not row["met"]]
    return {
        "findings": rows,
        "met": len(rows) - len(missed),
        "checked": len(rows),
        "missed": missed,
        "sentence": _sentence(title, len(rows), missed, sorted(findings)),
    }


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
