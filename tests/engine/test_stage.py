from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Artifact, InputError, Pending, Stage, StageError, Store, load, stage
from engine.stage import Bound
from tests.engine import toy

ONE = Artifact("a", "12" * 32, "12" * 32, "json", ".json", 1)
TWO = Artifact("b", "34" * 32, "34" * 32, "json", ".json", 1)


class Pair(NamedTuple):
    left: Any
    right: Any


@stage
def join(first: Any, more: Any = None, *, k: Any = 1, note: str = "") -> Any:
    """Anything."""
    return {"first": first, "more": more, "k": k, "note": note}


@stage(packages=["numpy", "surely-not-installed"], ignore=["note"])
def split(*, k: int = 1, note: str = "") -> Pair:
    return Pair(k, [k])


@stage
def lie(*, k: int = 1) -> Pair:
    return k  # type: ignore[return-value]


def key(*args: Any, **kwargs: Any) -> str:
    return join.recipe(join.bind(args, kwargs)).key


# The plain function


def test_plain_function_needs_no_store(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENTFLOW_STORE", str(tmp_path / "store"))
    assert split.fn(k=3) == Pair(3, [3])
    assert toy.clip.fn(np.array([1.0, 9.0]), top=3.0)["clipped"].tolist() == [1.0, 3.0]
    assert not (tmp_path / "store").exists()


def test_name_and_words_are_the_functions():
    assert (join.name, join.slot, join.__doc__) == ("join", "join", "Anything.")
    assert repr(join.labelled("k=5")) == "<stage join[k=5]>"
    assert isinstance(join, Stage)


def test_a_stage_travels_by_name():
    assert pickle.loads(pickle.dumps(toy.make)) is toy.make
    labelled = pickle.loads(pickle.dumps(toy.make.labelled("x")))
    assert (labelled.fn, labelled.label) == (toy.make.fn, "x")


# Outside a flow


def test_a_call_outside_a_flow_works_on_the_store(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENTFLOW_STORE", str(tmp_path / "store"))
    tally = tmp_path / "tally"
    for _ in range(2):
        numbers: Any = toy.make(n=4, tally=str(tally))
        clipped: Any = toy.clip(numbers.values, top=2.0, tally=str(tally))
        parts = toy.times.map(clipped, over={"k": [1, 2]}, tally=str(tally))
    assert load(numbers.values).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [load(part).sum() for part in parts] == [5.0, 10.0]
    assert set(toy.count(tally).values()) == {1}
    assert Store().read_record(toy.make.recipe(Bound({}, {"n": 4})).key) is not None


# Arguments


def test_inputs_and_parameters_are_told_apart():
    assert join.bind([ONE], {"k": 2}) == Bound({"first": ONE}, {"k": 2, "note": ""})
    assert join.bind([ONE], {"more": [TWO]}).inputs == {"first": ONE, "more": [TWO]}
    assert join.bind([[]], {}).inputs == {"first": []}


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ([], {}, "missing a required argument: 'first'"),
        ([ONE], {"kk": 3}, "unexpected keyword argument 'kk'"),
        ([ONE, TWO, ONE], {}, "too many positional"),
        ([5], {}, "first is an input and takes an artifact, not a int"),
        ([None], {}, "first is an input and takes an artifact, not a NoneType"),
        ([np.zeros(3)], {}, "first is an input and takes an artifact, not a ndarray"),
        ([[ONE, 5]], {}, r"first\[1\] is an input.*not a int"),
        ([[("words", ONE)]], {}, r"first\[0\]\[0\] is an input.*not a str"),
        ([{"a": ONE, "b": None}], {}, r"first\[b\] is an input.*not a NoneType"),
        ([ONE], {"k": ONE}, "k is a parameter and takes no artifact"),
        ([ONE], {"k": [{"x": ONE}]}, "k is a parameter and takes no artifact"),
    ],
)
def test_misplaced_arguments_are_refused_by_name(args, kwargs, words):
    with pytest.raises(InputError, match=f"stage join: .*{words}|stage join: {words}"):
        join.bind(args, kwargs)


def test_values_reach_the_function_in_the_order_that_the_key_sees():
    """Equal keys must mean equal arguments; a key knows no order of dict keys."""
    bound = join.bind(
        [{"b": ONE, "a": TWO}], {"k": {"y": {"d": 1, "c": 2}, "x": (1, {"f": 0, "e": 1})}}
    )
    assert list(bound.inputs["first"]) == ["a", "b"]
    assert list(bound.params["k"]) == ["x", "y"]
    assert list(bound.params["k"]["y"]) == ["c", "d"]
    assert list(bound.params["k"]["x"][1]) == ["e", "f"]


def test_functions_that_cannot_be_stages_are_refused():
    with pytest.raises(StageError, match=r"\*values is not allowed"):
        stage(lambda *values: 1)
    with pytest.raises(StageError, match=r"\*\*more is not allowed"):
        stage(lambda a, **more: 1)
    with pytest.raises(StageError, match="a is not allowed"):
        stage(lambda a, /, b: 1)
    with pytest.raises(StageError, match="'<lambda>' cannot be the name"):
        stage(lambda a: 1)
    with pytest.raises(StageError, match=r"ignore names \['nope'\]"):

        @stage(ignore=["nope"])
        def fit(*, k: int = 1) -> int:
            return k

    with pytest.raises(StageError, match="cannot be the name"):

        @stage
        def größe() -> int:
            return 1


# Keys


def test_a_key_depends_on_all_that_matters_and_nothing_else():
    base = key(ONE, k=1)
    assert key(first=ONE) == base == key(ONE, None)
    assert key(ONE, k=2) != base
    assert key(TWO) != base
    assert key(ONE, TWO) != base
    assert key(ONE, note="x") != base
    assert split.recipe(split.bind((), {"note": "x"})).key == split.recipe(split.bind((), {})).key
    renamed = Artifact("elsewhere", ONE.digest, "ff" * 32, "json", ".json", 9, {"a": 1})
    assert key(renamed) == base  # content decides, not who made it or which file holds it


def test_the_nesting_of_inputs_enters_the_key():
    shapes: list[Any] = [
        ONE,
        [ONE],
        [[ONE]],
        [ONE, ONE],
        {"0": ONE},
        {"a": ONE},
        {"a": [ONE]},
        {"a][b": ONE},
        {"a": {"b": ONE}},
        [ONE, []],
        [],
        {},
        {"a": []},
    ]
    keys = [key(shape) for shape in shapes] + [key(TWO, shape) for shape in shapes]
    assert len({*keys, key(TWO)}) == 2 * len(shapes) + 1


def test_packages_enter_the_key_installed_or_not():
    assert split.env["numpy"] == np.__version__
    assert split.env["surely-not-installed"] is None
    assert set(split.env) == {"python", "numpy", "surely-not-installed"}


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), min_size=2))
def test_order_of_a_dict_parameter_leaves_no_trace(value):
    assert key(ONE, k=value) == key(ONE, k=dict(reversed(value.items())))


def test_an_unknown_input_has_no_key():
    with pytest.raises(StageError, match="first of join is not known yet"):
        key(Pending("a", "a"))


def test_a_label_changes_nothing_but_the_name():
    assert toy.make.labelled("x").recipe(Bound({}, {"n": 1})) == toy.make.recipe(
        Bound({}, {"n": 1})
    )


# Outputs


def test_outputs_are_named_after_the_fields():
    assert split.output_names == ("split.left", "split.right")
    assert join.output_names == ("join",)
    assert split.pack([ONE, TWO]) == Pair(ONE, TWO)
    assert join.pack([ONE]) is ONE


def test_a_broken_promise_is_an_error():
    with pytest.raises(StageError, match="promises a Pair and returned a int"):
        lie.unpack(lie.fn(k=3))


# Maps


def labels(*args: Any, **kwargs: Any) -> list[str]:
    """The slots that a mapped call takes, without running it."""
    from engine.session import Session

    with Session(Store(), planning=True).active() as session:
        join.map(*args, **kwargs)
    return [call.slot for call in session.calls]


def test_cells_come_in_the_order_of_the_product():
    pending = Pending("a", "a")
    assert labels(pending, over={"k": [2, 1], "note": ["x", "y"]}) == [
        "join[k=2,note=x]",
        "join[k=2,note=y]",
        "join[k=1,note=x]",
        "join[k=1,note=y]",
    ]
    assert labels(over={"first": {"left": pending, "right": pending}}) == [
        "join[first=left]",
        "join[first=right]",
    ]
    assert labels(over={"first": [pending, pending]}) == ["join[first=0]", "join[first=1]"]
    assert labels(pending, over={"k": []}) == []


def test_two_cells_with_one_name_are_refused():
    with pytest.raises(InputError, match="k=1 stands twice"):
        labels(Pending("a", "a"), over={"k": [1, 1]})
