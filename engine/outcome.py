"""Outcomes and reasons: one vocabulary for the plan, the run, the report, the UI and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What happened, or would happen, to one stage."""

    CACHED = ("cached", "its result was there", "green", "✓")
    RAN = ("ran", "executed", "blue", "●")
    UNCHANGED = ("unchanged", "executed, same bytes as before: the wave stops here", "cyan", "=")
    RUN = ("run", "would execute", "yellow", "→")
    UNKNOWN = ("unknown", "waits for upstream, may be cut off", "magenta", "?")
    SKIPPED = ("skipped", "not asked for", "bright_black", "-")
    FAILED = ("failed", "raised an error", "red", "✗")

    def __init__(self, word: str, meaning: str, colour: str, sign: str) -> None:
        self.word = word
        self.meaning = meaning
        self.colour = colour
        self.sign = sign

    @classmethod
    def of(cls, word: str) -> Outcome:
        """The outcome with this word; raises ValueError if there is none."""
        for outcome in cls:
            if outcome.word == word:
                return outcome
        raise ValueError(f"no outcome is called {word!r}")


class Cause(Enum):
    """Why a stage is stale; the value is the pattern of its sentence."""

    FIRST = "never ran before"
    PARAMETER = "params.{subject} {old} → {new}"
    CODE_CHANGED = "{subject} changed"
    CODE_ADDED = "now depends on {subject}"
    CODE_REMOVED = "no longer depends on {subject}"
    INPUT = "input {subject} {old} → {new}"
    PACKAGE = "{subject} {old} → {new}"
    RECORD = "record {subject}"
    OBJECT = "object {subject}: {new}"
    REFRESH = "asked for by {subject}"
    UPSTREAM = "waits for {subject}"
    FORGOTTEN = "the recipe is unchanged but its record is gone"


@dataclass(frozen=True)
class Reason:
    """One cause with its subject and, where there is one, its old and new value."""

    cause: Cause
    subject: str = ""
    old: str = ""
    new: str = ""

    @property
    def text(self) -> str:
        """The reason in words, e.g. `params.clusters 10 → 12`."""
        return self.cause.value.format(subject=self.subject, old=self.old, new=self.new)

    def to_json(self) -> dict[str, str]:
        """The reason as JSON data, its words included."""
        return {
            "cause": self.cause.name.lower(),
            "subject": self.subject,
            "old": self.old,
            "new": self.new,
            "text": self.text,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reason:
        """The reason that `to_json` wrote."""
        cause = Cause[str(data["cause"]).upper()]
        return cls(cause, str(data["subject"]), str(data["old"]), str(data["new"]))
