"""A page as its parts: every element with its attributes and text, checked for balance."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

_EMPTY = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """One element; `text` is that of everything in it."""

    tag: str
    attributes: dict[str, str]
    parents: list[str] = field(default_factory=list)
    text: str = ""


class Markup(HTMLParser):
    """Reads a page; raises AssertionError where an element is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert not self._open, f"never closed: {[e.tag for e in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute stands twice in <{tag} {attrs}>"
        element = Element(
            tag, {name: value or "" for name, value in attrs}, [e.tag for e in self._open]
        )
        self.elements.append(element)
        if tag not in _EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, (
            f"</{tag}> closes {[e.tag for e in self._open[-3:]]} (line {self.getpos()[0]})"
        )
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements with this tag and these attributes (`class_` for a class among others)."""
        wanted = attributes.pop("class_", None)
        return [
            e
            for e in self.elements
            if e.tag == tag
            and all(e.attributes.get(n) == v for n, v in attributes.items())
            and (wanted is None or wanted in e.attributes.get("class", "").split())
        ]

    @property
    def ids(self) -> list[str]:
        """Every id, in order."""
        return [e.attributes["id"] for e in self.elements if "id" in e.attributes]


def read_site(folder: Path) -> dict[str, Markup]:
    """Every page of a site, by its name."""
    pages = sorted(p for p in folder.rglob("*.html") if not p.is_dir())
    return {p.relative_to(folder).as_posix(): Markup(p.read_text("utf-8")) for p in pages}


def lost_links(site: dict[str, Markup], folder: Path) -> list[tuple[str, str]]:
    """(page, address) of all that a page refers to and that is not in the site."""
    lost = []
    for name, page in site.items():
        for element in page.elements:
            for attribute in ("href", "src"):
                address = element.attributes.get(attribute)
                if address is None or address.startswith("data:image/"):
                    continue
                path, _, place = unquote(address).partition("#")
                target = os.path.normpath(Path(name).parent / path) if path else name
                there = target in site if target.endswith(".html") else (folder / target).is_file()
                if not there or (place and place not in site[target].ids):
                    lost.append((name, address))
    return lost
