from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine import Artifact, Selection, Store
from engine.journal import RunRecord
from report.page import Section, write_page
from report.results import Results
from report.site import Site
from tests.report.markup import Markup
from tests.report.sample import EVIL, SECTIONS, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Store, str, Markup]:
    result, store = run(tmp_path_factory.mktemp("store"), "rows=20", "inner.ks=[2,3,10]")
    text = result.page.read_text("utf-8")
    return result, store, text, Markup(text)


def test_the_page_lies_in_the_stores_report_folder(made: Any) -> None:
    result, store, _, _ = made
    assert result.page == store.report / "sample.html"


def test_ids_are_unique(made: Any) -> None:
    page = made[3]
    assert len(set(page.ids)) == len(page.ids)


def test_nothing_is_fetched_from_elsewhere(made: Any) -> None:
    _, _, text, page = made
    for element in page.elements:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            value = element.attributes.get(name, "#")
            assert not re.match(r"[a-z]+:(?!image/)|/", value), (element.tag, name, value[:60])
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|WebSocket", text)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]
    assert "default-src 'none'" in policy.attributes["content"]
    assert "unsafe" not in policy.attributes["content"]


def test_no_element_needs_what_the_policy_forbids(made: Any) -> None:
    for element in made[3].elements:
        assert not [n for n in element.attributes if n == "style" or n.startswith("on")], element
        assert element.tag != "script" or not element.text


def test_texts_from_data_and_wiring_are_shown_as_text(made: Any) -> None:
    _, _, text, page = made
    assert "<script>alert" not in text
    assert len(page.all("script")) == 1
    for place in ("td", "th", "h2", "p", "figcaption"):
        assert any(EVIL in e.text for e in page.all(place)), place
    assert all(EVIL in image.attributes["alt"] for image in page.all("img")[:2])


def test_pictures_stand_there_once_and_say_what_they_show(made: Any) -> None:
    result, store, text, page = made
    figures = page.all("figure")
    images = [e for e in page.all("img") if "figure" in e.parents]
    assert len(figures) == len(images) == 2
    for image in images:
        assert image.attributes["alt"].startswith("The curve bends at k = 5")
        assert text.count(image.attributes["src"]) == 1
        assert image.attributes["width"] == image.attributes["height"] == "1"
    assert "The curve bends at k = 5" in figures[0].text
    copy = result.page.parent / images[0].attributes["src"]
    assert copy.read_bytes() == store.load(result.record.results["curve"]).data


def test_headings_come_in_order_and_tables_have_headers_with_a_scope(made: Any) -> None:
    page = made[3]
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("th") and all("scope" in e.attributes for e in page.all("th"))
    assert page.all("html")[0].attributes["lang"] == "en"


def test_headline_numbers_say_met_or_not_in_words(made: Any) -> None:
    rows = [e.text for e in made[3].all("tr") if "findings" in e.parents or "%" in e.text]
    assert any("98.31\N{NO-BREAK SPACE}%" in r and "✓ met" in r for r in rows)
    assert any("12\N{NO-BREAK SPACE}%" in r and "✗ not met" in r for r in rows)
    assert "1 of 2 met" in " ".join(e.text for e in made[3].all("dd"))


def test_a_disagreement_of_criteria_is_said(made: Any) -> None:
    said = made[3].all("p", class_="said")
    assert [p.text.startswith("The criteria disagree. Silhouette prefers 5") for p in said] == [
        True
    ]


def test_parameters_that_differ_from_their_defaults_are_named(made: Any) -> None:
    table = next(t for t in made[3].all("table") if "Default" in t.text)
    assert "inner.ks[2, 3, 10][2, 3, 4]" in table.text and "rows205" in table.text
    assert "path" not in table.text


def test_a_figures_provenance_leads_back_to_the_raw_data(made: Any) -> None:
    result, _, text, page = made
    fold = page.all("details", class_="provenance")[1]
    key = result.record.stages["draw"].key
    assert key in fold.text and "with their source" in fold.text
    figure = text[text.index('<figure id="figure-1"') :]
    figure = figure[: figure.index("</figure>")]
    for name in ("fetch", "read", "measure", "collect", "draw"):
        assert f'href="runs/sample/{result.record.id}.html#stage-{name}"' in figure


def test_a_long_table_is_whole_in_a_window_of_its_own(tmp_path: Path) -> None:
    result, _ = run(tmp_path, f"inner.ks={list(range(2, 40))}")
    page = Markup(result.page.read_text("utf-8"))
    caption = next(c for c in page.all("caption") if "Scan" in c.text)
    assert caption.text.endswith("Scan")
    window = next(d for d in page.all("div", class_="long") if "Scan" in d.text)
    assert all(f"{246_812.34 / k:,.0f}" in window.text for k in (2, 39))


def test_of_very_many_rows_the_first_are_shown_and_it_says_so(tmp_path: Path) -> None:
    artifact = Artifact("scan", "0" * 64, "0" * 64, "json", ".json", 2)
    record = RunRecord("id", "flow", Path("journal"), results={"scan": artifact})
    rows = [{"k": k} for k in range(401)]
    (table,) = Results(record, lambda _: rows, Site(Store(tmp_path))).tables("scan")
    assert (table.shown, table.rows, table.long) == (12, 401, False)


def test_seconds_come_from_the_runs_records(tmp_path: Path) -> None:
    result, store = run(tmp_path, "inner.ks=[2,3]")
    section = Section("Cells", tables=("scan",), seconds=(("scan", "measure[k={k}]"),))
    page = write_page(result.record, store, sections=[section])
    table = next(t for t in Markup(page.read_text("utf-8")).all("table") if "Scan" in t.text)
    assert "seconds" in table.text and "–" not in table.text


def test_what_a_run_did_not_make_is_noted(made: Any) -> None:
    notes = [p.text for p in made[3].all("p", class_="note")]
    assert len(notes) == 1 and "absent" in notes[0]


def test_a_run_without_any_result_still_has_a_page(made: Any, tmp_path: Path) -> None:
    bare = replace(made[0].record, results={}, stages={})
    page = write_page(bare, Store(tmp_path), sections=SECTIONS)
    assert "no headline numbers" in Markup(page.read_text("utf-8")).all("main")[0].text


def test_pictures_that_no_section_names_come_last(made: Any) -> None:
    titles = [h.text for h in made[3].all("h2")]
    assert titles.index("More figures") == 3
    captions = [c.text for c in made[3].all("figcaption")]
    assert len(captions) == 2


def test_a_cached_run_leaves_the_page_alone(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    before = first.page.stat()
    again, _ = run(tmp_path)
    assert again.page == first.page
    assert again.page.stat().st_ino == before.st_ino


def test_a_cached_run_loads_neither_templates_nor_tables(tmp_path: Path) -> None:
    run(tmp_path)
    script = (
        "import sys; from pathlib import Path; from tests.report.sample import run;"
        f"run(Path({str(tmp_path)!r}));"
        "print([m for m in ('jinja2', 'pandas', 'numpy', 'report.render') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("change", ["parameter", "refresh", "section", "truncated", "gone"])
def test_anything_that_changes_the_page_writes_it_again(tmp_path: Path, change: str) -> None:
    first, store = run(tmp_path)
    page, before = first.page, first.page.stat().st_ino
    keep = page.with_suffix(".keep")  # holds the old file's number, which could be given out anew
    os.link(page, keep)
    if change == "parameter":
        run(tmp_path, "inner.ks=[2,3]")
    elif change == "refresh":
        run(tmp_path, selection=Selection(refresh=("draw",)))
    elif change == "section":
        cached, _ = run(tmp_path)
        write_page(cached.record, store, sections=[Section("Only this")])
    else:
        keep.write_bytes(page.read_bytes())
        page.unlink() if change == "gone" else os.truncate(page, 4000)
        run(tmp_path)
        assert Markup(page.read_text("utf-8"))
        return
    assert page.stat().st_ino != before


def _damage(store: Store, record: RunRecord, name: str) -> Path:
    path = store.path_of(record.results[name])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    return path


def test_a_damaged_picture_is_made_again_for_the_page(tmp_path: Path) -> None:
    first, store = run(tmp_path)
    sound = store.path_of(first.record.results["curve"]).read_bytes()
    path = _damage(store, first.record, "curve")
    first.page.unlink()
    again, _ = run(tmp_path)
    assert path.read_bytes() == sound
    assert len(Markup(again.page.read_text("utf-8")).all("figure")) == 2


def test_without_a_session_a_damaged_picture_is_noted_and_tried_again(tmp_path: Path) -> None:
    first, store = run(tmp_path)
    _damage(store, first.record, "curve")
    first.page.unlink()
    page = write_page(first.record, store, sections=SECTIONS)
    text = page.read_text("utf-8")
    assert "curve could not be read (content altered)" in text
    again, _ = run(tmp_path)
    assert "could not be read" not in again.page.read_text("utf-8")


def test_a_run_that_left_no_manifest_gets_no_page(made: Any, tmp_path: Path) -> None:
    store = Store(tmp_path)
    page = write_page(replace(made[0].record, path=Path()), store, sections=SECTIONS)
    assert not page.exists()
