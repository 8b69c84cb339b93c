from __future__ import annotations

import io

import pytest

from cli.screen import Screen, Styled, Table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch):
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def lines(table: Table, width: int, stream: io.StringIO | None = None) -> list[str]:
    stream = stream or io.StringIO()
    screen = Screen(stream)
    screen.width = width
    screen.print_table(table)
    return stream.getvalue().splitlines()


def example() -> Table:
    table = Table(["name", "size", "why"], right=("size",), wide=("why",))
    table.add("a[k=1]", "10", "because of a long and winding reason")
    table.add("bb", "5", "")
    return table


def test_columns_are_aligned_and_lines_end_without_spaces():
    assert lines(example(), 80) == [
        "name    size  why",
        "a[k=1]    10  because of a long and winding reason",
        "bb         5",
    ]


def test_a_narrow_screen_breaks_the_wide_column_only():
    found = lines(example(), 36)
    assert found[1:4] == [
        "a[k=1]    10  because of a long and",
        "              winding reason",
        "bb         5",
    ]
    assert max(map(len, found)) <= 36


def test_wide_characters_count_twice():
    table = Table(["name", "x"])
    table.add("日本", "1")
    table.add("abcd", "2")
    assert lines(table, 80)[1:] == ["日本  1", "abcd  2"]


def test_a_terminal_gets_colours_and_a_pipe_none():
    table = Table(["name"])
    table.add(Styled("good", "bold green"))
    assert lines(table, 80, Terminal())[1] == "\x1b[1;32mgood\x1b[0m"
    assert lines(table, 80)[1] == "good"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colours_gets_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    stream = Terminal()
    Screen(stream).print("plain", style="red")
    assert stream.getvalue() == "plain\n"


def test_columns_sets_the_width_and_a_pipe_has_a_wide_one(monkeypatch):
    assert Screen(io.StringIO()).width == 120
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen(io.StringIO())
    assert screen.width == 60
    assert screen.cut("x" * 61) == "x" * 59 + "…"


def test_a_label_from_a_users_file_steers_no_terminal():
    evil = "a\x1b]0;owned\x07\r\nb\u202e é日\u00a0c"
    table = Table(["label", "x"])
    table.add(evil, "1")
    table.add(Styled(evil, "bold"), "2")
    harmless = "a\ufffd]0;owned\ufffd  b\ufffd é日 c"
    assert lines(table, 80)[1:] == [f"{harmless}  1", f"{harmless}  2"]
    stream = io.StringIO()
    Screen(stream).print("one line\nand \x1b[2J another")
    assert stream.getvalue() == "one line\nand \ufffd[2J another\n"
