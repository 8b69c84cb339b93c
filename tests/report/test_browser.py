"""The page in headless Chromium: silent, self-sufficient, fit for phones, usable by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.chromium import Tab
from tests.report.sample import run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    run(folder, "shade=3")
    result, _ = run(folder)
    assert isinstance(result.page, Path)
    return result.page


@pytest.fixture(autouse=True)
def _afresh(tab: Tab) -> None:
    tab.events.clear()


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, False), (390, True)])
@pytest.mark.parametrize("kind", ["index", "sample", "runs/*/*", "compare/*", "code/*"])
def test_no_complaint_no_request_and_no_sideways_scrolling(
    tab: Tab, page: Path, kind: str, width: int, dark: bool
) -> None:
    found = max(page.parent.glob(f"{kind}.html"))
    tab.open(found, width, dark)
    tab.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager'; })")
    tab.wait("[...document.images].every(i => !i.getAttribute('src') || i.naturalWidth)")
    assert tab.complaints() == []
    folder = page.parent.as_uri()
    assert [r for r in tab.requests() if not r.startswith(("data:", f"{folder}/"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute"


def test_the_keyboard_goes_from_the_skip_link_through_the_page(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.press("Tab", 9)
    assert tab.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(14):
        tab.press("Tab", 9)
        seen.append(tab.evaluate("document.activeElement.textContent.trim()"))
    assert seen[0] == "Latentflow report"
    assert [text for text in seen if text in ("Results", "Pipeline", "Runs")] == [
        "Results",
        "Pipeline",
        "Runs",
    ]


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
    # From the flow's page to the recipe on the run's page.
    tab.wait("location.hash === '#stage-collect' && document.readyState === 'complete'")
    tab.wait("document.getElementById('stage-collect').closest('details').open")
    assert "/runs/sample/" in tab.evaluate("location.href")
    assert tab.complaints() == []


def test_a_figure_is_enlarged_and_put_back_by_keyboard(tab: Tab, page: Path) -> None:
    tab.open(page)
    tab.evaluate("document.querySelector('#figure-1 .enlarge').focus()")
    tab.press("Enter", 13)
    tab.wait("document.getElementById('enlarged').open")
    tab.wait("document.querySelector('dialog img').alt.startsWith('The curve bends')")
    tab.press("Escape", 27)
    tab.wait("!document.getElementById('enlarged').open")


def test_markup_in_labels_never_runs(tab: Tab, page: Path) -> None:
    tab.open(page)
    assert tab.evaluate("document.querySelectorAll('script').length") == 1
    assert "<script>alert('room')" in tab.evaluate("document.querySelector('main').innerText")
