"""The interactive map in headless Chromium, driven by mouse and keyboard as a person would."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import pytest

from engine import Store
from engine.journal import list_runs, read_run
from report import latent_map
from report.gathered import gather
from report.latent_map import write_map
from report.layout import Pages
from report.site import Site
from tests.report.chromium import Tab
from tests.report.map_sample import SECTIONS, run_map
from tests.report.markup import Markup, lost_links, read_site
from tests.report.sample import EVIL
from tests.waiting import wait_for

_PAGE = "maps/digit_map-latent_map.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_map(tmp_path_factory.mktemp("store")).report


def test_every_link_resolves_and_the_flow_leads_to_the_map(folder: Path) -> None:
    site = read_site(folder)
    assert lost_links(site, folder) == []
    for page in ("index.html", "digit_map.html"):
        assert any(a.attributes["href"] == _PAGE for a in site[page].all("a")), page
    assert any("no_map" in p.text for p in site["digit_map.html"].all("p", class_="note"))


def test_the_map_leads_to_its_recipe(folder: Path) -> None:
    links = [a.attributes["href"] for a in read_site(folder)[_PAGE].all("a")]
    assert any(link.endswith("#stage-pack_map") for link in links)


def test_new_images_of_the_same_points_are_shown(folder: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(folder.parent, tmp_path / "store"))
    site = Site(store)
    found = gather(read_run(list_runs(store)[0]), store, site, SECTIONS, "")
    (shown,) = found.parts[0].maps
    rebuilt = {"image": shown.sheets["8 components"], "8 components": shown.sheets["image"]}
    named = {}
    for each in (shown, dataclasses.replace(shown, sheets=rebuilt)):
        write_map(Pages(site), found, each)
        scripts = [
            s.attributes["src"] for s in Markup((site.root / _PAGE).read_text()).all("script")
        ]
        (data,) = [name for name in scripts if name.startswith("../maps/")]
        text = (site.root / "maps" / data).read_text("utf-8").removeprefix("latentMap=")
        named[data] = json.loads(text.rstrip(";\n"))["sheets"]
    before, after = named.values()
    assert [sheet["file"] for sheet in after] == [sheet["file"] for sheet in before][::-1]


def test_without_the_library_the_page_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent_map, "library", lambda: None)
    store = shutil.copytree(folder.parent, tmp_path / "store")
    shutil.rmtree(store / folder.name)
    report = run_map(store).report
    page = Markup((report / _PAGE).read_text("utf-8"))
    assert any("was not installed" in p.text for p in page.all("p", class_="note"))
    assert lost_links(read_site(report), report) == []


class Map:
    """The page, with what a hand does to it."""

    def __init__(self, tab: Tab, page: Path, width: int = 1300, dark: bool = False) -> None:
        self.tab = tab
        tab.events.clear()
        tab.open(page, width, dark)
        tab.wait("document.querySelector('.plot').dataset.ready === 'yes'")
        tab.evaluate(
            "document.documentElement.style.scrollBehavior = 'auto',"
            "document.querySelector('.stage').scrollIntoView()"
        )

    def place(self, i: int) -> tuple[float, float]:
        """Where a point is in the window."""
        script = (
            "JSON.stringify((() => { const box = document.querySelector('.plot')"
            f".getBoundingClientRect(), at = latentMap.place({i});"
            "return [box.x + at.x, box.y + at.y]; })())"
        )
        x, y = json.loads(self.tab.evaluate(script))
        return x, y

    def mouse(self, kind: str, x: float, y: float, down: bool = False) -> None:
        """One event of the mouse."""
        button = {"button": "left", "clickCount": 1} if kind != "mouseMoved" or down else {}
        self.tab.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=int(down), **button)

    def point_at(self, i: int) -> None:
        """Move the mouse to a point until its image is shown."""
        number = self.count(f"latentMap.numbers[{i}]")

        def is_shown() -> bool:
            self.mouse("mouseMoved", *self.place(i))
            return f"image {number:,} of the data" in self.text(".shown")

        wait_for(f"image {number}", is_shown)

    def draw_around(self, x: float, y: float, radius: float) -> None:
        """A lasso in the shape of a circle."""
        corners = [
            (x + radius * math.cos(angle / 3), y + radius * math.sin(angle / 3))
            for angle in range(19)
        ]
        self.mouse("mousePressed", *corners[0], down=True)
        for corner in corners[1:]:
            self.mouse("mouseMoved", *corner, down=True)
        self.mouse("mouseReleased", *corners[-1])

    def choose(self, name: str, value: str) -> None:
        """Choose from one of the lists."""
        self.tab.evaluate(
            f"(() => {{ const box = document.querySelector('[name={name}]'); box.value = '{value}';"
            "box.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def click(self, name: str) -> None:
        """Click a button."""
        self.tab.evaluate(f"document.querySelector('[name={name}]').click()")

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.tab.evaluate(f"document.querySelector('{selector}').textContent"))

    def count(self, script: str) -> int:
        """A number that a script gives."""
        return int(self.tab.evaluate(script))

    def caught(self) -> set[int]:
        """Numbers of the images that are listed."""
        script = (
            "JSON.stringify([...document.querySelectorAll('.tiles button')]"
            ".map(b => Number(b.getAttribute('aria-label').match(/[0-9]+/)[0])))"
        )
        return set(json.loads(self.tab.evaluate(script)))


@pytest.fixture
def map_page(tab: Tab, folder: Path) -> Map:
    return Map(tab, folder / _PAGE)


class TestInBrowser:
    def test_pointing_at_a_point_shows_its_digit_and_its_reconstruction(
        self, map_page: Map
    ) -> None:
        places = [map_page.place(i) for i in range(300)]
        alone = [
            i
            for i, place in enumerate(places)
            if all(math.dist(place, other) > 3 for n, other in enumerate(places) if n != i)
        ]
        assert len(alone) >= 20
        for i in alone[:20]:
            map_page.point_at(i)
        sprites = "[...document.querySelectorAll('.strip .sprite')].map(s => s.style)"
        assert map_page.count(f"{sprites}.length") == 2
        offsets = f"new Set({sprites}.map(s => s.backgroundPosition)).size"
        sheets = f"new Set({sprites}.map(s => s.backgroundImage)).size"
        assert (map_page.count(offsets), map_page.count(sheets)) == (1, 2)

    def test_a_lasso_lists_the_images_inside(self, map_page: Map) -> None:
        x, y = map_page.place(10)
        map_page.draw_around(x, y, 60)
        map_page.tab.wait("document.querySelectorAll('.tiles li').length > 0")
        inside = {
            map_page.count(f"latentMap.numbers[{i}]")
            for i in range(300)
            if math.dist(map_page.place(i), (x, y)) < 57
        }
        outside = {
            map_page.count(f"latentMap.numbers[{i}]")
            for i in range(300)
            if math.dist(map_page.place(i), (x, y)) > 63
        }
        caught = map_page.caught()
        assert inside <= caught and not caught & outside
        assert map_page.text(".caught").startswith(f"{len(caught)} image")

    def test_filters_by_class_and_by_mistake(self, map_page: Map) -> None:
        mistakes = map_page.count(
            "latentMap.labels.filter((y, i) => latentMap.predictions[0].codes[i] !== y).length"
        )
        map_page.choose("only", "mistakes")
        assert map_page.text(".status").startswith(f"{mistakes} of 300 images shown")
        map_page.choose("only", "all")
        map_page.click("none")
        assert map_page.text(".status").startswith("0 of 300 images")
        map_page.tab.evaluate("document.querySelectorAll('.classes input')[7].click()")
        sevens = map_page.count("latentMap.labels.filter(y => y === 7).length")
        assert map_page.text(".status").startswith(f"{sevens} of 300 images")
        map_page.click("list")
        assert len(map_page.caught()) == sevens
        names = "[...document.querySelectorAll('.tiles button > span:last-child')]"
        assert map_page.tab.evaluate(f"{names}.every(s => s.textContent.startsWith('7'))")

    def test_what_is_caught_stays_so_in_another_plane(self, map_page: Map) -> None:
        map_page.draw_around(*map_page.place(20), 50)
        map_page.tab.wait("document.querySelectorAll('.tiles li').length > 0")
        before, there = map_page.caught(), map_page.place(20)
        map_page.choose("view", "1")
        assert map_page.caught() == before and map_page.place(20) != there

    def test_the_keyboard_goes_from_image_to_image_and_catches_one(self, map_page: Map) -> None:
        map_page.tab.evaluate("document.querySelector('.plot').focus()")
        seen = []
        for key, code in (("ArrowRight", 39), ("ArrowRight", 39), ("ArrowUp", 38)):
            map_page.tab.press(key, code)
            seen.append(map_page.text(".shown p"))
        assert len(set(seen)) == 3
        map_page.tab.press("Enter", 13)
        assert len(map_page.caught()) == 1
        map_page.tab.press("Escape", 27)
        assert map_page.caught() == set()

    def test_every_control_has_a_name_and_can_be_reached(self, map_page: Map) -> None:
        script = (
            "[...document.querySelectorAll('form select, form input, button')].filter(e => !e.hidden &&"
            "!(e.labels && e.labels.length) && !e.textContent.trim() && !e.ariaLabel).length"
        )
        assert map_page.count(script) == 0
        map_page.tab.evaluate("document.querySelector('[name=view]').focus()")
        reached = set()
        for _ in range(30):
            map_page.tab.press("Tab", 9)
            reached.add(map_page.tab.evaluate("document.activeElement.className || ''"))
        assert "plot" in reached

    def test_markup_in_a_class_name_is_text(self, map_page: Map) -> None:
        map_page.click("list")
        assert EVIL[:20] in map_page.text(".classes")
        assert (
            map_page.count("document.querySelectorAll('.classes script, .tiles script').length")
            == 0
        )

    @pytest.mark.parametrize(("width", "dark"), [(1300, False), (390, True)])
    def test_silent_within_the_folder_and_no_wider_than_the_window(
        self, tab: Tab, folder: Path, width: int, dark: bool
    ) -> None:
        page = Map(tab, folder / _PAGE, width, dark)
        page.click("list")
        assert tab.complaints() == []
        assert [r for r in tab.requests() if not r.startswith(("data:", folder.as_uri()))] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
