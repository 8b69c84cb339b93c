from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine import Selection, Store
from engine.journal import read_run
from report.page import write_page
from report.publish import publish_comparison
from report.site import Site
from tests.report.markup import Markup, lost_links, read_site
from tests.report.sample import SECTIONS, run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Any]]:
    """Three runs: as it is, with another parameter, and with a stage refreshed."""
    folder = tmp_path_factory.mktemp("store")
    first, store = run(folder)
    second, _ = run(folder, "inner.ks=[2,3,9]", "shade=2")
    third, _ = run(folder, "shade=2", selection=Selection(refresh=("draw",)))
    return store, [first.record, second.record, third.record]


def test_every_link_of_every_page_resolves(site: Any) -> None:
    store, _ = site
    pages = read_site(store.report)
    kinds = {name.partition("/")[0] for name in pages}
    assert kinds == {"index.html", "sample.html", "runs", "compare", "code"}
    assert sum(len(page.all("a")) for page in pages.values()) > 100
    assert lost_links(pages, store.report) == []


def test_every_page_can_be_read_by_ear(site: Any) -> None:
    store, _ = site
    for name, page in read_site(store.report).items():
        levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
        assert levels[0] == 1 and levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), name
        assert all("scope" in e.attributes for e in page.all("th")), name
        # The frame for enlarged figures is empty until one is put there.
        assert all(e.attributes["alt"] for e in page.all("img") if "src" in e.attributes), name
        assert page.all("html")[0].attributes["lang"] == "en", name
        assert len(set(page.ids)) == len(page.ids), name
        assert len(page.all("main")) == 1 and page.all("a", class_="skip"), name
        for region in page.all("div", role="region"):
            assert region.attributes["tabindex"] == "0" and region.attributes["aria-label"], name


def test_no_page_lets_a_script_in_or_anything_from_elsewhere(site: Any) -> None:
    store, _ = site
    for name, page in read_site(store.report).items():
        policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]
        assert "default-src 'none'" in policy.attributes["content"], name
        assert "unsafe" not in policy.attributes["content"], name
        for element in page.elements:
            assert element.tag != "script" or (element.attributes["src"] and not element.text), name
            assert not [n for n in element.attributes if n == "style" or n.startswith("on")], name
        assert "<script>alert" not in (store.report / name).read_text("utf-8"), name


def test_the_index_shows_headline_numbers_and_pictures_of_the_newest_run(site: Any) -> None:
    store, records = site
    index = read_site(store.report)["index.html"]
    assert any("98.31" in cell.text for cell in index.all("td"))
    assert [i.attributes["alt"] for i in index.all("img")]
    assert any(records[2].id in a.attributes["href"] for a in index.all("a"))


def test_a_run_page_leads_to_the_comparison_with_the_run_before(site: Any) -> None:
    store, records = site
    page = read_site(store.report)[f"runs/sample/{records[1].id}.html"]
    name = f"sample-{records[0].id}..sample-{records[1].id}.html"
    assert [a for a in page.all("a") if a.attributes["href"].endswith(name)]


def test_a_comparison_names_what_differs_and_shows_figures_side_by_side(site: Any) -> None:
    store, records = site
    name = f"compare/sample-{records[0].id}..sample-{records[1].id}.html"
    page = read_site(store.report)[name]
    rows = {row.text for row in page.all("tr")}
    assert any("inner.ks" in row and "[2, 3, 9]" in row for row in rows)
    assert any("measure[k=9]" in row for row in rows)
    sources = [i.attributes["src"] for i in page.all("img") if i.attributes.get("src")]
    assert len(sources) == 2 and sources[0] != sources[1]


def test_a_comparison_of_any_two_runs_can_be_asked_for(site: Any) -> None:
    store, records = site
    path = publish_comparison(store, read_run(records[0].path), read_run(records[2].path))
    assert "Two runs compared" in path.read_text("utf-8")
    assert lost_links(read_site(store.report), store.report) == []


def test_a_run_compared_with_itself_differs_in_nothing(site: Any) -> None:
    store, records = site
    path = publish_comparison(store, records[0], records[0])
    assert "Nothing differs" in Markup(path.read_text("utf-8")).all("header")[0].text


def test_runs_that_are_gone_take_their_pages_and_pictures_along(tmp_path: Path) -> None:
    first, store = run(tmp_path)
    second, _ = run(tmp_path, "shade=5")
    first.record.path.unlink()
    run(tmp_path, "shade=6")
    pages = read_site(store.report)
    assert f"runs/sample/{first.record.id}.html" not in pages
    assert f"runs/sample/{second.record.id}.html" in pages
    assert lost_links(pages, store.report) == []
    second.record.path.unlink()
    fourth, _ = run(tmp_path, "shade=8")
    pages = read_site(store.report)
    assert not any(first.record.id in name for name in pages)
    assert not (store.report / "media" / _file(first, "curve")).exists()
    assert (store.report / "media" / _file(fourth, "curve")).exists()
    assert lost_links(pages, store.report) == []


def _file(result: Any, name: str) -> str:
    return f"{result.record.results[name].sha256[:20]}.png"


def test_a_page_keeps_the_looks_that_it_was_made_with(tmp_path: Path) -> None:
    result, store = run(tmp_path)
    site = Site(store)
    old = site.share("static/style-old.css", lambda: b"body {}")
    site.write("runs/sample/old.html", "<p>old</p>")
    (store.runs / "sample" / "old.jsonl").write_text("")
    site.write_card("runs/sample/old.html", ["sample/old"], {"run": "old"})
    site.tidy()
    assert site.exists(old) and result.page.exists()


def test_a_damaged_card_costs_a_line_of_the_index_and_nothing_else(tmp_path: Path) -> None:
    _, store = run(tmp_path)
    card = store.report / ".cards" / "sample.html.json"
    card.write_text("{")
    assert Site(store).cards() and not any("flow" in c for c in Site(store).cards())
    run(tmp_path, "shade=3")
    assert "sample" in {c.get("flow") for c in Site(store).cards()}


def test_a_card_of_an_older_state_of_the_project_stops_nothing(tmp_path: Path) -> None:
    _, store = run(tmp_path)
    site = Site(store)
    for name, about in (("ancient.html", {"flow": "ancient", "run": "r"}), ("oldest.html", {})):
        site.write(name, "<p>of a project that knew less</p>")
        site.write_card(name, [], about)
    site.write(".cards/oldest.html.json", '{"page": "oldest.html"}')
    result, _ = run(tmp_path, "shade=3")
    assert result.page is not None
    index = (store.report / "index.html").read_text("utf-8")
    assert "sample.html" in index and "ancient" not in index
    assert site.exists("ancient.html")


def test_pages_of_runs_that_end_at_once_are_all_there(tmp_path: Path) -> None:
    runs = [run(tmp_path, f"shade={shade}")[0] for shade in (1, 2, 3, 4)]
    store = Store(tmp_path)
    shutil.rmtree(store.report)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: write_page(each.record, store, sections=SECTIONS), runs))
    pages = read_site(store.report)
    assert {f"runs/sample/{each.record.id}.html" for each in runs} <= set(pages)
    assert lost_links(pages, store.report) == []
