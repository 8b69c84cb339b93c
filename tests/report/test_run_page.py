from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from report.lineage import Lineage
from report.timeline import _ticks, draw_timeline
from tests.report.markup import Markup
from tests.report.sample import EVIL, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Markup, Path]:
    result, store = run(tmp_path_factory.mktemp("store"), "rows=20", "inner.ks=[2,3,10]")
    path = store.report / "runs" / "sample" / f"{result.record.id}.html"
    return result, Markup(path.read_text("utf-8")), path


def test_the_manifest_says_how_the_run_was_made(made: Any) -> None:
    result, page, _ = made
    text = next(e.text for e in page.all("section") if e.attributes.get("id") == "manifest")
    assert result.record.id in text and result.record.environment["system"] in text


def test_every_parameter_is_there(made: Any) -> None:
    text = next(e.text for e in made[1].all("section") if e.attributes.get("id") == "parameters")
    for name in ("rows", "path", "inner.ks"):
        assert name in text


def test_a_sweep_is_one_box_and_one_entry_with_all_its_cells(made: Any) -> None:
    result, page, _ = made
    nodes = [a for a in page.all("a") if "node" in a.attributes.get("class", "")]
    assert sum("measure" in n.text for n in nodes) == 1
    entry = next(d for d in page.all("div") if d.attributes.get("id") == "stage-measure")
    places = [entry.text.index(f"k={k}") for k in (2, 3, 10)]
    assert places == sorted(places)
    keys = [each.key for each in result.record.stages.values() if each.stage == "measure"]
    assert all(key.rpartition("-")[2] in entry.text for key in keys)


def test_the_code_behind_a_stage_is_shown_and_its_helpers_are_linked(made: Any) -> None:
    _, page, path = made
    entry = next(d for d in page.all("div") if d.attributes.get("id") == "stage-draw")
    assert "def draw(scan: pd.DataFrame, *, shade: int = 7) -> Picture:" in entry.text
    links = [e for e in page.all("a") if e.text == "tests.report.sample.draw_png"]
    target, _, place = links[0].attributes["href"].partition("#")
    code = Markup((path.parent / target).resolve().read_text("utf-8"))
    section = next(e for e in code.all("section") if e.attributes.get("id") == place)
    assert "zlib.compress(bytes([0, shade]))" in section.text


def test_the_timeline_has_a_row_for_every_stage_that_was_computed(made: Any) -> None:
    result, page, _ = made
    rows = page.all("div", class_="row")
    stages = list(dict.fromkeys(s.stage for s in result.record.stages.values()))
    assert sorted(row.text.split()[0] for row in rows) == sorted(stages)
    bars = [e for e in page.all("rect") if e.attributes.get("class") in ("ran", "unchanged")]
    assert len(bars) == len(result.record.stages)


def test_bars_lie_within_the_run_and_in_the_order_of_the_stages(made: Any, tmp_path: Path) -> None:
    result, store = run(tmp_path)
    timeline = draw_timeline(Lineage(result.record, store))
    for row in timeline.rows:
        assert all(bar.left >= 0 and bar.left + bar.width <= 100.001 for bar in row.bars)
    begins = {row.group.stage: row.bars[0].left for row in timeline.rows}
    assert begins["fetch"] <= begins["read"] <= begins["measure"] <= begins["collect"]
    assert f"{len(result.record.stages)} of {len(result.record.stages)} calls" in timeline.finding


def test_the_label_of_a_row_is_one_part_of_it(made: Any) -> None:
    """A row is a grid of three: name and number of calls, bars, seconds."""
    sweep = next(row for row in made[1].all("div", class_="row") if "measure" in row.text)
    assert sweep.text.split()[:2] == ["measure", "×3"]
    rows = made[1].all("div", class_="row")
    names = [
        e
        for e in made[1].all("a")
        if e.parents[-2:] == ["div", "span"] and "#" in e.attributes["href"]
    ]
    assert len(names) == len(rows)


@pytest.mark.parametrize(
    ("total", "texts"),
    [
        (0.3, ["0 s", "0.05 s"]),
        (50, ["0 s", "10 s"]),
        (406, ["0 min", "2 min"]),
        (8e4, ["0 h", "4 h"]),
    ],
)
def test_the_scale_is_in_round_times(total: float, texts: list[str]) -> None:
    ticks = list(_ticks(total))
    assert [text for _, text in ticks][:2] == texts and len(ticks) <= 7


def test_a_cached_run_has_no_timeline(tmp_path: Path) -> None:
    run(tmp_path)
    again, store = run(tmp_path)
    assert draw_timeline(Lineage(again.record, store)).rows == []


def test_texts_from_data_are_shown_as_text(made: Any) -> None:
    _, page, path = made
    assert "<script>alert" not in path.read_text("utf-8")
    assert len(page.all("script")) == 1
    assert any(EVIL in e.text for e in page.all("figcaption"))
