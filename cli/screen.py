"""Text on stdout: colours where a terminal shows them, tables that fit its width.

A cached run ends before rich would be loaded; what stands still is written without it.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TextIO

_PIPE_WIDTH = 120  # what a file or a pipe gets: it has no width of its own
_GAP = "  "
_LEAST = 8  # a column is not made narrower
_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bright_black": "90",
}


class Styled(NamedTuple):
    """Text in a style: `bold`, `dim` or a colour."""

    text: str
    style: str


Cell = str | Styled


@dataclass
class Table:
    """A table without lines.

    Arguments:
        right: columns aligned to the right.
        wide: columns that break into lines where room is short; the others do so only where that
            is not enough, the first one last.
        header: False leaves the columns' names out.
    """

    columns: Sequence[str]
    right: Sequence[str] = ()
    wide: Sequence[str] = ()
    header: bool = True
    rows: list[tuple[tuple[Cell, ...], str]] = field(default_factory=list)

    def add(self, *cells: Cell, style: str = "") -> None:
        """Add a row; `style` is for its cells that have none."""
        self.rows.append((cells, style))


class Screen:
    """Where a command's result goes.

    Arguments:
        stream: stdout unless given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.colours = shows_colours(self.stream)
        self.width = _width_of(self.stream)

    def print(self, text: Cell = "", style: str = "") -> None:
        """Print text as it is; the terminal breaks what is too long."""
        if isinstance(text, Styled):
            text, style = text
        text = "\n".join(map(_harmless, text.split("\n")))
        print(paint(text, style) if self.colours else text, file=self.stream)

    def print_table(self, table: Table) -> None:
        """Print a table, its wide columns broken into lines where the screen is narrow."""
        head: tuple[Cell, ...] = tuple(Styled(name, "dim") for name in table.columns)
        rows = [*([(head, "")] if table.header else []), *table.rows]
        widths = self._fit(table, rows)
        for cells, style in rows:
            broken = [_break(_text(c), w) for c, w in zip(cells, widths, strict=True)]
            for index in range(max((len(lines) for lines in broken), default=0)):
                parts = []
                for name, cell, lines, width in zip(
                    table.columns, cells, broken, widths, strict=True
                ):
                    text = lines[index] if index < len(lines) else ""
                    space = " " * (width - _cells(text))
                    painted = self._paint(text, cell.style if isinstance(cell, Styled) else style)
                    parts.append(space + painted if name in table.right else painted + space)
                print(_GAP.join(parts).rstrip(), file=self.stream)

    def cut(self, text: str) -> str:
        """The text, cut to one line."""
        return _cut(text, self.width)

    def _paint(self, text: str, style: str) -> str:
        return paint(text, style) if self.colours and text else text

    def _fit(self, table: Table, rows: list[tuple[tuple[Cell, ...], str]]) -> list[int]:
        widths = [
            max((_cells(_text(cells[i])) for cells, _ in rows), default=0)
            for i in range(len(table.columns))
        ]
        wide = [i for i, name in enumerate(table.columns) if name in table.wide]
        for candidates in (wide, range(1, len(widths)), range(len(widths))):
            while sum(widths) + len(_GAP) * (len(widths) - 1) > self.width:
                broadest = max(candidates, key=lambda i: widths[i], default=None)
                if broadest is None or widths[broadest] <= _LEAST:
                    break
                widths[broadest] -= 1
        return widths


def shows_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user has nothing against colours."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def paint(text: str, style: str) -> str:
    """Text with the ANSI codes of a style, e.g. `bold green`."""
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _width_of(stream: TextIO) -> int:
    if os.environ.get("COLUMNS", "").isdigit():
        return max(20, int(os.environ["COLUMNS"]))
    try:
        return max(20, os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return _PIPE_WIDTH


def _text(cell: Cell) -> str:
    return _harmless(cell.text if isinstance(cell, Styled) else cell)


def _harmless(text: str) -> str:
    """The text in one line, without what steers a terminal: labels come from the user's files."""
    if text.isprintable():
        return text
    return "".join(
        " "
        if character.isspace()
        else "\ufffd"
        if unicodedata.category(character).startswith("C")
        else character
        for character in text
    )


def _cells(text: str) -> int:
    """Width on a terminal: wide characters count twice, combining ones not at all."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(bool(unicodedata.combining(character)) for character in text)


def _break(text: str, width: int) -> list[str]:
    if _cells(text) <= width:
        return [text]
    import textwrap

    return textwrap.wrap(text, max(1, width), break_on_hyphens=False) or [""]


def _cut(text: str, width: int) -> str:
    return text if _cells(text) <= width else text[: max(0, width - 1)] + "…"
