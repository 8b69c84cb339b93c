"""The page of an atlas: every map with its pattern, the class that drives it, its scores, its images.

All of it stands in the page itself; a script only filters and sorts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.artifact import Artifact
from report.results import Results, title_of
from report.values import show

if TYPE_CHECKING:
    from report.gathered import Gathered
    from report.layout import Pages

_PARTS = ("maps", "patterns", "images")


@dataclass(frozen=True)
class Atlas:
    """A packed atlas: where its page will be, and its artifacts by part."""

    name: str
    title: str
    page: str
    finding: str
    data: dict[str, Any]
    parts: dict[str, Artifact]


@dataclass(frozen=True)
class Tile:
    """One image of a sheet: where it lies there, in tiles, and what it shows."""

    x: int
    y: int
    says: str


@dataclass(frozen=True)
class Sheet:
    """A file of images in so many columns and lines."""

    file: str
    columns: int
    lines: int


@dataclass(frozen=True)
class Card:
    """A map: what the atlas says of it in words, its pattern, its best images, its bars.

    Arguments:
        bars: class, mean in words, height in percent of the largest, whether it drives the map.
        order: what cards are sorted by: number, None where there is none.
    """

    about: dict[str, Any]
    scores: list[tuple[str, str]]
    pattern: Tile
    best: list[Tile]
    bars: list[tuple[str, str, float, bool]]
    order: dict[str, float | None]


def find_atlas(results: Results, name: str) -> Atlas | None:
    """The atlas of this name as `tasks/figures/pattern_atlas.py` packs it; None if parts lack."""
    found = results.named(name)
    parts = {part: found[f"{name}[{part}]"] for part in _PARTS if f"{name}[{part}]" in found}
    if len(parts) < len(_PARTS):
        return None
    data = results.read(f"{name}[maps]", parts["maps"])
    if not data:
        return None
    page = f"atlas/{results.record.flow}-{name}.html"
    return Atlas(name, title_of(name), page, str(data.get("finding", "")), data, parts)


def write_atlas(pages: Pages, found: Gathered, shown: Atlas) -> None:
    """Write the page of an atlas and what it needs."""
    data, site = shown.data, pages.site
    sheets = {}
    for part, count in (
        ("patterns", len(data["maps"])),
        ("images", len(data["maps"]) * data["shown"]),
    ):
        file = found.results.read(f"{shown.name}[{part}]", shown.parts[part])
        if file is not None and count:
            name = site.add_picture(shown.parts[part], file.read_bytes())
            columns = math.ceil(math.sqrt(count))
            sheets[part] = Sheet(name, columns, math.ceil(count / columns))
    script = site.add_static("atlas.js")
    site.needs.add(shown.page)
    maker = found.lineage.maker_of(shown.parts["maps"])
    recipe = f"#{found.lineage.group_of(maker).id}" if maker else ""
    cards = [_card(data, place, sheets) for place in range(len(data["maps"]))]
    pages.write(
        shown.page,
        "atlas.html.j2",
        scripts=[script],
        record=found.record,
        shown=shown,
        cards=cards,
        sheets=sheets,
        counts={name: sum(c.about["class"] == name for c in cards) for name in data["classes"]},
        dead=sum(bool(card.about["dead"]) for card in cards),
        recipe=found.run_page + recipe,
    )


def _card(data: dict[str, Any], place: int, sheets: dict[str, Sheet]) -> Card:
    about = data["maps"][place]
    number = about["map"]
    largest = max([*(mean or 0 for mean in about["means"]), 1e-12])
    bars = [
        (name, show(mean), 100 * max(mean or 0, 0) / largest, name == about["class"])
        for name, mean in zip(data["classes"], about["means"], strict=True)
    ]
    best = [
        _tile(sheets.get("images"), place * data["shown"] + rank, _says(image, rank))
        for rank, image in enumerate(about["best"])
    ]
    told = "no image triggers it" if about["dead"] else f"driven by {about['class']}"
    pattern = _tile(sheets.get("patterns"), place, f"Pattern of map {number}, {told}")
    order = {name: about[name] for name in ("map", "score", "activation", "gain", "shifted")}
    return Card(about, list(_scores(about)), pattern, best, bars, order)


def _scores(about: dict[str, Any]) -> list[tuple[str, str]]:
    if about["dead"]:
        return [
            ("active", _share(about["active"])),
            ("without search", _short(about["unsearched"])),
        ]
    return [
        ("class margin", _short(about["score"])),
        ("active", _share(about["active"])),
        ("activation", _short(about["activation"])),
        ("best real image", _short(about["best_real"])),
        ("gain", f"× {_short(about['gain'])}" if about["gain"] is not None else "–"),
        ("without search", _short(about["unsearched"])),
        ("network calls it", _named(about["called"], about["chance"])),
        ("left when shifted", _share(about["shifted"])),
        ("left when turned", _share(about["turned"])),
    ]


def _short(value: float | None) -> str:
    """A number to three digits: cards are narrow."""
    return show(value) if value is None else show(float(f"{value:.3g}"))


def _named(called: str | None, chance: float | None) -> str:
    return "–" if called is None else f"{called} ({_share(chance)})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def _says(image: dict[str, Any], rank: int) -> str:
    return f"Number {rank + 1} of the real images that trigger it: {image['class']}, row {image['row']}"


def _tile(sheet: Sheet | None, index: int, says: str) -> Tile:
    columns = sheet.columns if sheet else 1
    return Tile(index % columns, index // columns, says)
