"""The page in headless Chromium: silent, self-sufficient, fit for phones, usable by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.chromium import PROGRAM, Tab, browse
from tests.report.sample import run

pytestmark = [
    pytest.mark.skipif(
        PROGRAM is None, reason="Chromium is not installed (make system installs it)"
    ),
    pytest.mark.xdist_group("chromium"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result, _ = run(tmp_path_factory.mktemp("store"))
    assert isinstance(result.page, Path)
    return result.page


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browse(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _afresh(tab: Tab) -> None:
    tab.events.clear()


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, False), (390, True)])
def test_no_complaint_no_request_and_no_sideways_scrolling(
    tab: Tab, page: Path, width: int, dark: bool
) -> None:
    tab.open(page, width, dark)
    assert tab.complaints() == []
    assert [r for r in tab.requests() if not r.startswith("data:")] == [page.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("[...document.images].filter(i => i.src && !i.naturalWidth).length") == 0


def test_dark_and_light_differ(tab: Tab, page: Path) -> None:
    shades = []
    for dark in (False, True):
        tab.open(page, dark=dark)
        shades.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert shades[0] != shades[1]


def test_a_box_of_the_graph_opens_the_stages_recipe(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.evaluate(
        "document.querySelector('.node[data-id=stage-collect]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    opened = "document.getElementById('stage-collect').closest('details').open"
    tab.wait(f"location.hash === '#stage-collect' && {opened}")
    assert tab.complaints() == []


def test_a_figure_is_enlarged_and_put_back_by_keyboard(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.evaluate("document.querySelector('#figure-1 .enlarge').focus()")
    tab.press("Enter", 13)
    tab.wait("document.getElementById('enlarged').open")
    assert tab.evaluate("document.querySelector('dialog img').alt").startswith("The curve bends")
    tab.press("Escape", 27)
    tab.wait("!document.getElementById('enlarged').open")


def test_markup_in_labels_never_runs(tab: Tab, page: Path) -> None:
    tab.open(page)
    assert tab.evaluate("document.querySelectorAll('script').length") == 1
    assert "<script>alert('room')" in tab.evaluate("document.querySelector('main').innerText")
