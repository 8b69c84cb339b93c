"""Pages of a group: its parts stand on them, and results are traced into the parts' own pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine import Parameters, Picture, Store, flow, stage
from engine.group import Group, PartsFailed
from report.page import Section, page_of
from tests.report.markup import Markup, lost_links, read_site
from tests.report.sample import SECTIONS, SampleParameters, draw_png, sample

second = flow(
    name="second", parameters=SampleParameters, presets={}, page=page_of(SECTIONS, about="Again.")
)(sample.fn)


class PairParameters(Parameters):
    sample: SampleParameters = SampleParameters()
    second: SampleParameters = SampleParameters()


@stage
def draw_both(curves: dict[str, Any]) -> Picture:
    """One picture of all."""
    return Picture(draw_png(len(curves)), "png", f"{len(curves)} curves.")


def close(p: PairParameters, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Both."""
    return {"both": draw_both({name: found["scan"] for name, found in results.items()})}


pair = Group(
    close,
    "pair",
    PairParameters,
    {},
    {"sample": sample, "second": second},
    page=page_of(
        [Section("All", figures=("both",))], about="Two flows.", parameters=PairParameters
    ),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Any]:
    store = Store(tmp_path_factory.mktemp("store"))
    run = pair.run(pair.configure(overrides=["second.inner.ks=[2,5]"]), store=store)
    return store, run


def test_the_page_of_a_group_leads_to_its_parts(ran: Any) -> None:
    store, _ = ran
    pages = read_site(store.report)
    flows = next(e for e in pages["pair.html"].all("section") if e.attributes["id"] == "flows")
    assert "sample" in flows.text and "second" in flows.text and "completed" in flows.text
    order = [section.attributes["id"] for section in pages["pair.html"].all("section")]
    assert order[:3] == ["flows", "part-1", "results"]
    links = {a.attributes["href"] for a in pages["pair.html"].all("a")}
    assert {"sample.html", "second.html"} <= links
    assert lost_links(pages, store.report) == []


def test_a_result_is_traced_to_the_stage_of_a_part_that_made_its_input(ran: Any) -> None:
    store, run = ran
    pages = read_site(store.report)
    for name, root in (("pair.html", ""), (f"runs/pair/{run.record.id}.html", "../../")):
        told = [a for a in pages[name].all("a") if a.text == "second/collect"]
        (target,) = {a.attributes["href"] for a in told}
        assert target.startswith(f"{root}runs/second/") and target.endswith("#stage-collect")
        boxes = [a.attributes.get("data-id") for a in pages[name].all("a")]
        assert {"from-sample", "from-second"} <= set(boxes)
        assert "your file" not in (store.report / name).read_text("utf-8")


def test_counts_and_order_are_those_of_the_whole(ran: Any) -> None:
    store, _ = ran
    pages = read_site(store.report)
    facts = pages["pair.html"].all("header")[0].text
    done = sum(
        call.outcome.word == "ran" for name in ("sample", "second") for call in stages(store, name)
    )
    assert f"{done + 1}" in facts
    titles = [e.text for e in pages["index.html"].all("h2")]
    assert titles == ["pair", "sample", "second"]
    text = (store.report / "index.html").read_text("utf-8")
    assert "pair: how this figure was made" in text and "All 1" not in text


def stages(store: Store, name: str) -> list[Any]:
    from engine.journal import list_runs, read_run

    return list(read_run(list_runs(store, name)[0]).stages.values())


def test_a_part_that_failed_is_told_with_its_cause(tmp_path: Path) -> None:
    store = Store(tmp_path)
    broken = pair.configure(overrides=['second.path="/nowhere/at all"'])
    with pytest.raises(Exception, match="nowhere"):
        pair.run(broken, store=store)  # looked at before anything runs

    with pytest.raises(PartsFailed):
        pair.run(pair.configure(overrides=["second.inner.ks=[0]"]), store=store)
    page = Markup((store.report / "pair.html").read_text("utf-8"))
    flows = next(e for e in page.all("section") if e.attributes["id"] == "flows")
    assert "failed: " in flows.text and "division by zero" in flows.text
    assert lost_links(read_site(store.report), store.report) == []


@stage
def say_unknown() -> list[dict[str, Any]]:
    """A number of which nothing is known."""
    return [{"name": "rows", "value": 5, "unit": "", "met": None, "source": "say_unknown"}]


@flow(name="unknown", parameters=Parameters, presets={}, page=page_of([], about="Own data."))
def unknown(p: Parameters) -> dict[str, Any]:
    """Nothing to hold numbers against, and no figure."""
    return {"findings": say_unknown()}


def test_where_nothing_is_known_nothing_is_counted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    unknown.run(unknown.configure(), store=store)
    for page in ("unknown.html", "index.html"):
        text = (store.report / page).read_text("utf-8")
        assert (
            "rows" in text
            and "Held against" not in text
            and "gallery" not in text
            and "All 0" not in text
        )
