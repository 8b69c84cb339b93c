"""What is said beside the result: errors, log lines, reasons in words, JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from cli.screen import Styled, paint, shows_colours

if TYPE_CHECKING:
    from engine.outcome import Outcome, Reason

_PROJECT = ("engine", "tasks", "flows", "report", "cli")
_TOLD = ("engine.runner", "engine.prefect_records", "engine.locks")  # whom a run waits for


def outcome_cell(outcome: Outcome) -> Styled:
    """An outcome's sign and word in its colour."""
    return Styled(f"{outcome.sign} {outcome.word}", outcome.colour)


def reasons_text(reasons: list[Reason], limit: int = 3) -> str:
    """Reasons in words, the first few of them."""
    from engine.outcome import Cause

    upstream = [r.subject for r in reasons if r.cause is Cause.UPSTREAM]
    texts = [reason.text for reason in reasons if reason.cause is not Cause.UPSTREAM]
    shown = texts[:limit] + ([f"waits for {_names(upstream, limit)}"] if upstream else [])
    more = len(texts) - limit
    return "; ".join(shown) + (f"; {more} more" if more > 0 else "")


def _names(slots: list[str], limit: int) -> str:
    """`read_table, fit_kmeans ×12, 2 more`: the cells of one stage as one."""
    counts = Counter(slot.partition("[")[0] for slot in slots)
    first = {slot.partition("[")[0]: slot for slot in reversed(slots)}
    names = [first[name] if n == 1 else f"{name} ×{n}" for name, n in counts.items()]
    more = f", {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def print_json(data: Any) -> None:
    """Data as JSON on stdout."""
    print(json.dumps(data, indent=1, ensure_ascii=False, default=str))


def complain(text: str) -> None:
    """An error on stderr."""
    print(f"{_coloured('error:', 'red')} {text}", file=sys.stderr)


def _coloured(text: str, style: str) -> str:
    return paint(text, style) if shows_colours(sys.stderr) else text


class LogLines(logging.Handler):
    """Log records as lines on stderr.

    What the engine tells (whom a run waits for) and every warning is shown; `verbose` shows all.
    """

    def __init__(self, verbose: bool) -> None:
        super().__init__(logging.INFO)
        self.verbose = verbose

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, unless it is chatter."""
        warning = record.levelno >= logging.WARNING
        if not (warning or self.verbose or record.name in _TOLD):
            return
        try:
            text = f"{'warning: ' if warning else ''}{record.getMessage()}"
            print(_coloured(text, "yellow" if warning else "dim"), file=sys.stderr, flush=True)
        except Exception:  # noqa: BLE001 - a log line never ends a run
            self.handleError(record)


def show_logs(verbose: bool = False) -> None:
    """Send the project's log lines to the terminal."""
    handler = LogLines(verbose)
    for name in _PROJECT:
        logger = logging.getLogger(name)
        logger.handlers = [h for h in logger.handlers if not isinstance(h, LogLines)]
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
