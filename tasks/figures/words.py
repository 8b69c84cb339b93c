"""Words of the pictures: names cut to length, numbers as text, lists of things in one sentence."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

NAME_LENGTH = 24  # fits a quarter of a picture's width, so that four names stand in one legend row
PROSE_LENGTH = 60  # in a sentence a name may be long, yet not endless


def shorten(text: str, length: int = NAME_LENGTH) -> str:
    """Return `text` on one line and at most `length` characters long, its middle left out.

    The middle goes because names that belong together tend to differ at their ends.
    """
    line = " ".join(str(text).split())
    if len(line) <= length:
        return line
    tail = (length - 1) // 3
    return f"{line[: length - 1 - tail].rstrip()}…{line[-tail:].lstrip()}"


def literal(text: str) -> str:
    """Return `text` so that matplotlib shows it as it is: no formula, no hidden legend entry."""
    shown = text.replace("$", r"\$")
    # A legend drops every entry that begins with an underscore.
    return f" {shown}" if shown.startswith("_") else shown


def distinct_names(names: Iterable[str], length: int = NAME_LENGTH) -> dict[str, str]:
    """Map each name to its short literal form, numbered where two would look the same."""
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        form = shorten(name, length)
        number = 2
        while form in taken:
            form = f"{shorten(name, max(length - 4, 4))} ({number})"
            number += 1
        taken.add(form)
        short[name] = literal(form)
    return short


def listing(things: Iterable[str], most: int = 5) -> str:
    """Join things as prose, "a, b and c"; beyond `most` the rest is counted."""
    items = list(things)
    if len(items) > most:
        items = [*items[: most - 1], f"{len(items) - most + 1} more"]
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def counted(number: int, noun: str) -> str:
    """Return number and noun, the noun with an s unless there is exactly one: "1 point"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def prose(name: Hashable) -> str:
    """Return a name for use inside a sentence: one line, no full stop that would end it early."""
    return shorten(str(name), PROSE_LENGTH).replace(". ", " ").rstrip(".")


def percent(share: float, digits: int = 1) -> str:
    """Return a share of one as percent, "98.3 %"; only exactly none and all are "0 %", "100 %"."""
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    text = f"{100 * share:.{digits}f}"
    if float(text) in (0, 100):
        # Rounding must not claim all or none.
        return "< 0.1 %" if share < 0.5 else "> 99.9 %"
    return f"{text} %"


def span(low: float, high: float) -> str:
    """Return two shares as a range in percent, or as one number where they read the same."""
    first, last = percent(low), percent(high)
    return first if first == last else f"{first} to {last}"


def kind(about: Mapping[str, Any], number: int = 1) -> str:
    """Return what a column of the data is called: a signal where the unit is dBm, else a feature."""
    noun = "signal" if about.get("unit") == "dBm" else "feature"
    return noun if number == 1 else f"{noun}s"


def quantity(about: Mapping[str, Any], feature: str | None = None, length: int = 28) -> str:
    """Return an axis label with its unit, such as "signal strength of WLAN-0 [dBm]"."""
    unit = str(about.get("unit") or "")
    name = literal(shorten(feature, length)) if feature is not None else ""
    what = name or "value"
    if unit == "dBm":
        what = f"signal strength of {name}" if name else "signal strength"
    return f"{what} [{literal(unit)}]" if unit else what


def named_pair(pair: Sequence[str]) -> str:
    """Return two features as one name for prose, "WLAN-0 / WLAN-4"."""
    return f"{prose(pair[0])} / {prose(pair[1])}"
