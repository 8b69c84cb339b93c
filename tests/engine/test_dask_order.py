"""What travels to a worker, and which calls it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import InputError, Store, stage
from engine.call import Call
from engine.dask_order import LoadedCode, WorkerUnfit, make_order, read_order
from engine.stage import Stage
from tests.engine.apart import Step, Way, describe
from tests.engine.spread import count_up, power


def call_of(of: Stage[Any, Any], *args: Any, **kwargs: Any) -> Call:
    bound = of.bind(args, kwargs)
    return Call("a slot", of, bound, recipe=of.recipe(bound))


@pytest.fixture
def call(store: Store) -> Iterator[Call]:
    """A call whose lock this process holds, as a run does."""
    handle = store.put("count_up", {"some": [1, 2]})
    call = call_of(power, handle, exponent=2, nap=0.0, tally="")
    with store.lock(call.key).hold():
        yield call


def test_a_call_arrives_as_it_was(store: Store, call: Call):
    order = json.loads(json.dumps(make_order(store, call)))
    there, found = read_order(order, LoadedCode())
    assert there.address == store.address
    assert (found.slot, found.stage, found.bound, found.key) == (
        call.slot,
        power,
        call.bound,
        call.key,
    )


def test_labels_and_structured_parameters_arrive(store: Store):
    call = call_of(describe.labelled("special"), step=Step(Way.DOWN, (3,)), pair=(1, [2]))
    with store.lock(call.key).hold():
        _, found = read_order(json.loads(json.dumps(make_order(store, call))), LoadedCode())
    assert found.bound.params == call.bound.params and found.stage.slot == "describe[special]"


@pytest.mark.parametrize(
    ("part", "name", "there", "said"),
    [
        ("code", "tests.engine.spread.power", "0" * 16, "tests.engine.spread.power changed"),
        ("env", "python", "3.8", "python 3.11 → 3.8"),
        ("params", "exponent", 3, "params.exponent 2 → 3"),
    ],
)
def test_another_recipe_is_refused(store: Store, call: Call, part, name, there, said):
    order = make_order(store, call)
    order["recipe"][part] = {**order["recipe"][part], name: there}
    said = said.replace("3.11", ".".join(map(str, sys.version_info[:2])))
    with pytest.raises(WorkerUnfit, match="other code or packages") as refused:
        read_order(order, LoadedCode())
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("module", "name"),
    [("tests.engine.nowhere", "power"), ("tests.engine.spread", "none"), ("json", "loads")],
)
def test_a_stage_that_is_not_there_is_refused(store: Store, call: Call, module, name):
    order = {**make_order(store, call), "module": module, "stage": name}
    with pytest.raises(WorkerUnfit, match="other code than this run"):
        read_order(order, LoadedCode())


def test_another_store_at_the_same_place_is_refused(store: Store, call: Call, tmp_path: Path):
    order = make_order(store, call)
    with pytest.raises(WorkerUnfit, match="does not see this run's store"):
        read_order({**order, "store": str(tmp_path / "another")}, LoadedCode())


def test_no_stage_is_loaded_beside_a_file_that_was_edited(store: Store, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("dask_edited", "dask_late"):
        text = "from engine import stage\n@stage\ndef one() -> int:\n    return 1\n"
        (tmp_path / f"{name}.py").write_text(text)
    import dask_edited  # type: ignore[import-not-found]

    loaded = LoadedCode()
    known = call_of(dask_edited.one)
    with store.lock(known.key).hold():
        order = make_order(store, known)
        read_order(order, loaded)
        (tmp_path / "dask_edited.py").write_text("other = 1\n")
        read_order(order, loaded)  # what was loaded is what was fingerprinted
    with pytest.raises(WorkerUnfit, match=r"dask_edited.py there has changed since it was loaded"):
        read_order({**order, "module": "dask_late"}, loaded)
    assert "dask_late" not in sys.modules


def test_a_stage_of_a_script_does_not_travel(store: Store):
    def here() -> int:
        return 1

    here.__module__ = "__main__"
    call = call_of(count_up, to=3)
    call.stage = stage(here)
    with pytest.raises(InputError, match="defined in a script"):
        make_order(store, call)
