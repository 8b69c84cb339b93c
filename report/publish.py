"""Writes all pages that a finished run changes: its own, its flow's, the index, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.compare import compare
from engine.journal import RunRecord, read_run
from engine.store import Store
from report.atlas import write_atlas
from report.comparison import comparison_page, say_differences, write_comparison
from report.gathered import gather
from report.latent_map import write_map
from report.layout import Pages
from report.page import Section
from report.render import FlowCard, flow_card, write_flow_page, write_run_page
from report.site import Site

if TYPE_CHECKING:
    from pydantic import BaseModel


def publish(
    record: RunRecord,
    store: Store,
    sections: Sequence[Section],
    about: str,
    parameters: type[BaseModel] | None,
    mark: str,
) -> Path:
    """Write the pages of a run; returns that of its flow. See `report.page.write_page`."""
    site = Site(store)
    with site.alone():
        journal = f"{record.flow}/{record.id}"
        pages = Pages(site)
        compared = _compare_with_last(pages, record, store)
        found = gather(record, store, site, sections, about)
        needs = set(site.needs)
        if compared and compared["page"]:
            site.needs.add(compared["page"])
        write_run_page(pages, found, parameters, compared)
        site.write_card(found.run_page, [journal], {"flow": record.flow, "run": record.id})
        site.needs |= needs
        for part in found.parts:
            for each in part.maps:
                write_map(pages, found, each)
            for atlas in part.atlases:
                write_atlas(pages, found, atlas)
        path = write_flow_page(pages, found, store, parameters, mark)
        site.write_card(f"{record.flow}.html", [], flow_card(found))
        write_index(pages)
        site.tidy()
    return path


def publish_comparison(store: Store, old: RunRecord, new: RunRecord) -> Path:
    """Write the page that compares two runs, and return its path."""
    site = Site(store)
    with site.alone():
        pages = Pages(site)
        write_comparison(pages, store, compare(store, old, new))
        write_index(pages)
    return site.root / comparison_page(old, new)


def write_index(pages: Pages) -> None:
    """The front page, from what the cards say of the flows."""
    flows = _sorted(pages.site.cards(keys=FlowCard.__annotations__))
    pages.write("index.html", "index.html.j2", flows=flows)
    pages.site.write_card("index.html", [], {})


def _sorted(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups first, each before its parts, these in the group's order."""
    groups = [card for card in cards if card["parts"]]
    order = [name for group in groups for name in (group["flow"], *group["parts"])]
    return sorted(cards, key=lambda card: [*order, card["flow"]].index(card["flow"]))


def _compare_with_last(pages: Pages, record: RunRecord, store: Store) -> Mapping[str, Any] | None:
    """Compare with the last earlier run of the flow that has a page."""
    earlier = [
        card["run"]
        for card in pages.site.cards(f"runs/{record.flow}", ["run"])
        if card["run"] < record.id and (store.runs / record.flow / f"{card['run']}.jsonl").exists()
    ]
    if not earlier:
        return None
    old = read_run(store.runs / record.flow / f"{max(earlier)}.jsonl")
    found = compare(store, old, record)
    if found.equal:
        return {"page": "", "started": old.started, "said": ""}
    write_comparison(pages, store, found)
    return {
        "page": comparison_page(old, record),
        "started": old.started,
        "said": say_differences(found),
    }
