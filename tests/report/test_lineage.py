from __future__ import annotations

import hashlib
from pathlib import Path

from cli.lineage import trace
from engine import Outcome, Store
from engine.artifact import Artifact
from engine.graph import build_graph
from engine.journal import RunRecord, StageRun
from engine.recipe import Recipe
from engine.record import Record
from report.code import Code
from report.drawing import draw_graph
from report.lineage import Lineage
from report.provenance import make_entry
from report.site import Site
from tests.report.sample import run


def _artifact(name: str, content: str) -> Artifact:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Artifact(name, digest, digest, "json", ".json", 1)


def _record(*calls: tuple[str, list[str], str]) -> RunRecord:
    """A run of calls (slot, contents taken, content made)."""
    record = RunRecord(id="r", flow="f", path=Path("r.jsonl"))
    for slot, taken, made in calls:
        stage = slot.partition("[")[0]
        inputs = {f"in{n}": _artifact("", text).digest for n, text in enumerate(taken)}
        record.stages[slot] = StageRun(
            slot, stage, "", Outcome.RAN, artifacts=[_artifact(stage, made)], inputs=inputs
        )
    return record


def _lineage(*calls: tuple[str, list[str], str]) -> Lineage:
    return Lineage(_record(*calls), Store(Path("nowhere")))


def _edges(lineage: Lineage) -> set[tuple[str, str]]:
    return {(parent.id, group.id) for group in lineage.groups for parent in group.parents}


def test_edges_follow_the_digests() -> None:
    lineage = _lineage(("a", [], "1"), ("b", ["1"], "2"), ("c", ["1", "2"], "3"))
    assert _edges(lineage) == {
        ("stage-a", "stage-b"),
        ("stage-a", "stage-c"),
        ("stage-b", "stage-c"),
    }


def test_the_calls_of_a_sweep_are_one_group_even_where_two_give_the_same() -> None:
    lineage = _lineage(
        ("a", [], "1"), ("b[k=1]", ["1"], "x"), ("b[k=2]", ["1"], "x"), ("c", ["x", "x"], "y")
    )
    assert [(g.stage, len(g.calls)) for g in lineage.groups] == [("a", 1), ("b", 2), ("c", 1)]
    last = lineage.record.stages["c"]
    makers = {i.maker.slot for i in lineage.inputs(last) if i.maker}
    assert makers == {"b[k=1]", "b[k=2]"}


def test_calls_that_differ_far_behind_the_point_differ_on_the_page(tmp_path: Path) -> None:
    store, record = Store(tmp_path), _record()
    for rate in (0.00012345, 0.0001235):
        recipe = Recipe("fit", {}, {"rate": rate, "epochs": 3}, {}, {})
        store.write_record(Record(recipe, (store.put("fit", rate),), 1.0, "2026-01-01T00:00:00"))
        slot = f"fit[rate={rate}]"
        record.stages[slot] = StageRun(slot, "fit", recipe.key, Outcome.RAN)
    lineage = Lineage(record, store)
    entry = make_entry(lineage, lineage.groups[0], Code(Site(store), [], lambda page: "", ""))
    assert entry.differing == ["rate"] and entry.common.params == [("epochs", "3")]
    assert sorted(cell.params for cell in entry.cells) == [["0.00012345"], ["0.0001235"]]


def test_all_who_tell_where_a_result_is_from_say_the_same() -> None:
    """A stage that hands on what it took is its maker, in the terminal as on the page."""
    lineage = _lineage(("read", [], "1"), ("clean", ["1"], "1"), ("fit", ["1"], "2"))
    assert _edges(lineage) == {("stage-read", "stage-clean"), ("stage-clean", "stage-fit")}
    nodes = build_graph(lineage.record)
    assert {name: node.feeds for name, node in nodes.items()} == {
        "read": ["clean"],
        "clean": ["fit"],
        "fit": [],
    }
    last = lineage.record.stages["fit"]
    tree = trace(Store(Path("nowhere")), lineage.record, last.artifacts[0], last)
    names = []
    while tree.inputs:
        (tree,) = tree.inputs
        names.append(tree.name)
    assert names == ["clean", "read"]


def test_a_stage_used_before_and_after_another_gives_two_groups_and_no_circle() -> None:
    lineage = _lineage(
        ("fit", [], "1"),
        ("scale", ["1"], "2"),
        ("fit[again]", ["2"], "3"),
        ("scale[b]", ["3"], "4"),
    )
    assert [g.id for g in lineage.groups] == [
        "stage-fit",
        "stage-scale",
        "stage-fit-2",
        "stage-scale-2",
    ]
    assert draw_graph(lineage).nodes


def test_what_is_handed_on_unchanged_comes_from_the_last_to_hand_it_on() -> None:
    lineage = _lineage(("a", [], "1"), ("clean", ["1"], "1"), ("c", ["1"], "2"))
    assert _edges(lineage) == {("stage-a", "stage-clean"), ("stage-clean", "stage-c")}


def test_ancestors_come_with_the_raw_data_first() -> None:
    lineage = _lineage(("a", [], "1"), ("b", ["1"], "2"), ("other", [], "9"), ("c", ["2"], "3"))
    assert [g.stage for g in lineage.ancestors(lineage.record.stages["c"])] == ["a", "b"]


def test_a_file_from_outside_has_a_box_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    own.write_bytes(b"\1\2\3")
    result, store = run(tmp_path / "store", f"path={own}")
    graph = draw_graph(Lineage(result.record, store))
    outside = next(node for node in graph.nodes if node.href is None)
    assert outside.x == min(node.x for node in graph.nodes)
    assert [link.targets for link in graph.links if link.source == outside.id] == [("stage-read",)]
    assert "from outside" in result.page.read_text("utf-8")


def test_a_lost_record_costs_the_recipe_and_not_the_page(tmp_path: Path) -> None:
    result, store = run(tmp_path)
    store.record_path(result.record.stages["draw"].key).write_text("garbage")
    assert Lineage(result.record, store).read(result.record.stages["draw"]) is None
