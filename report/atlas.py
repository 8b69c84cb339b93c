"""The page of an atlas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.results import Results

if TYPE_CHECKING:
    from report.render import Gathered, Pages


@dataclass(frozen=True)
class Atlas:
    """A packed atlas."""

    name: str
    title: str
    page: str
    finding: str


def find_atlas(results: Results, name: str) -> Atlas | None:
    """The atlas of this name."""
    return None


def write_atlas(pages: Pages, found: Gathered, shown: Atlas) -> None:
    """Write the page of an atlas and what it needs."""
