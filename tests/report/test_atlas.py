from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.report.atlas_sample import run_atlas
from tests.report.chromium import Tab
from tests.report.markup import Markup, lost_links, read_site
from tests.report.sample import EVIL

_PAGE = "atlas/maps-pattern_atlas.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_atlas(tmp_path_factory.mktemp("store")).report


@pytest.fixture(scope="module")
def page(folder: Path) -> Markup:
    return read_site(folder)[_PAGE]


def test_every_link_resolves_and_the_flow_leads_to_the_atlas(folder: Path) -> None:
    site = read_site(folder)
    assert lost_links(site, folder) == []
    for name in ("index.html", "maps.html"):
        assert any(a.attributes["href"] == _PAGE for a in site[name].all("a")), name


def test_every_map_has_its_class_its_scorecard_and_its_best_images(page: Markup) -> None:
    cards = page.all("li", class_="card")
    assert len(cards) == 12
    for text in (
        "Map 3",
        "driven by 3",
        "× 8",
        "3 (90\N{NO-BREAK SPACE}%)",
        "56\N{NO-BREAK SPACE}%",
    ):
        assert text in cards[3].text.replace("  ", " "), text
    assert len(page.all("svg", class_="pattern")) == 12
    assert len(page.all("svg", class_="real")) == 72
    assert "Number 1 of the real images that trigger it: 3, row" in cards[3].text


def test_what_the_network_calls_a_pattern_may_be_missing(page: Markup) -> None:
    cards = page.all("li", class_="card")
    assert "network calls it–" in cards[5].text and "None" not in cards[5].text


def test_a_dead_map_says_so_and_has_no_gain(page: Markup) -> None:
    last = page.all("li", class_="dead")
    assert len(last) == 1 and "gain" not in last[0].text and "Map 11 dead" in last[0].text


def test_labels_are_text(page: Markup) -> None:
    assert any(EVIL in option.text for option in page.all("option"))
    assert all(script.attributes.get("src") for script in page.all("script"))


class TestInBrowser:
    @pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
    def test_silent_within_the_folder_and_no_wider_than_the_window(
        self, tab: Tab, folder: Path, width: int, dark: bool
    ) -> None:
        tab.events.clear()
        tab.open(folder / _PAGE, width, dark)
        assert tab.complaints() == []
        assert [r for r in tab.requests() if not r.startswith(("data:", folder.as_uri()))] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width

    def _shown(self, tab: Tab) -> list[Any]:
        script = "[...document.querySelectorAll('.card')].filter(c => !c.hidden).map(c => c.id)"
        return list(tab.evaluate(script))

    def _choose(self, tab: Tab, name: str, value: str) -> None:
        tab.evaluate(
            f"(() => {{ const box = document.querySelector('[name={name}]'); box.value = '{value}';"
            "box.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def test_maps_are_filtered_by_class_and_sorted(self, tab: Tab, folder: Path) -> None:
        tab.open(folder / _PAGE)
        self._choose(tab, "class", "0")
        assert self._shown(tab) == ["map-0", "map-10"]
        self._choose(tab, "order", "gain")
        assert self._shown(tab) == ["map-10", "map-0"]
        self._choose(tab, "class", "")
        assert self._shown(tab)[0] == "map-10" and self._shown(tab)[-1] == "map-11"
        tab.evaluate("document.querySelector('[name=dead]').click()")
        assert "map-11" not in self._shown(tab) and len(self._shown(tab)) == 11
        said = tab.evaluate("document.querySelector('.status').textContent")
        assert said == "11 of 12 maps shown."
