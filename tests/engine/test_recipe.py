from __future__ import annotations

import dataclasses
import enum
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Cause, InputError
from engine.recipe import Recipe, canonical, canonical_json, explain

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
hashes = st.text("0123456789abcdef", min_size=4, max_size=4)
names = st.sampled_from(["a", "b", "c"])
recipes = st.builds(
    Recipe,
    stage=st.just("fit"),
    code=st.dictionaries(names, hashes, max_size=3),
    params=st.dictionaries(names, scalars, max_size=3),
    inputs=st.dictionaries(names, hashes, max_size=3),
    env=st.dictionaries(names, st.none() | st.sampled_from(["1.0", "2.0"]), max_size=3),
)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: tuple[int, ...] = (1, 2)


class Section(pydantic.BaseModel):
    k: int = 3
    inner: dict[str, float] = {"b": 1.0, "a": 2.0}


@given(values)
def test_canonical_is_json_and_stable(value):
    plain = canonical(value)
    assert json.loads(canonical_json(plain)) == plain
    assert canonical(plain) == plain


@given(values, values)
def test_equal_texts_mean_equal_values(one, other):
    same = canonical_json(canonical(one)) == canonical_json(canonical(other))
    assert same <= (one == other)  # 1 and 1.0 are equal and have two texts: a miss, never a mix-up


@given(st.dictionaries(texts, scalars, min_size=2))
def test_order_of_keys_does_not_matter(value):
    turned = dict(reversed(value.items()))
    assert canonical_json(canonical(value)) == canonical_json(canonical(turned))


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2,)), [1, [2]]),
        (Colour.RED, "red"),
        (Point(3), {"x": 3, "y": [1, 2]}),
        (Section(), {"inner": {"a": 2.0, "b": 1.0}, "k": 3}),
        (np.float64(0.5), 0.5),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.str_("é"), "é"),
        (np.array(7), 7),
        ({"b", "a"}, ["a", "b"]),
        (True, True),
    ],
)
def test_typed_values_become_plain(value, plain):
    found = canonical(value)
    assert found == plain
    assert type(found) is type(plain) or isinstance(found, str)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "fit.x.*finite"),
        ([1.0, -math.inf], r"fit.x\[1\].*finite"),
        ({1: 2}, "fit.x.*key 1"),
        (Path("data.csv"), r"fit.x.*engine\.source"),
        (np.zeros(3), "ndarray.*inputs"),
        (object(), "object"),
        (b"bytes", "bytes"),
        ({"a": {"b": {3j}}}, r"fit.x.a.b.*complex"),
        ("\udcff", "UTF-8"),
    ],
)
def test_what_is_no_parameter_is_refused_with_its_name(value, words):
    with pytest.raises(InputError, match=words):
        canonical(value, "fit.x")


@given(recipes)
def test_key_is_that_of_the_record(recipe):
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again.key == recipe.key
    assert recipe.key.startswith("fit-") and len(recipe.key) == len("fit-") + 20


@given(recipes, recipes)
def test_recipes_differ_exactly_where_there_is_a_reason(old, new):
    assert (old.key == new.key) == (explain(old, new) == [])


def recipe(**changes: Any) -> Recipe:
    plain: dict[str, Any] = {
        "code": {"tasks.fit:fit": "aa", "tasks.fit:_help": "bb"},
        "params": {"k": 10, "seed": None},
        "inputs": {"features": "12" * 32},
        "env": {"numpy": "2.4.5"},
    }
    return Recipe(stage="fit", **{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "cause", "text"),
    [
        ({"params": {"k": 12, "seed": None}}, Cause.PARAMETER, "params.k 10 → 12"),
        ({"params": {"k": 10.0, "seed": None}}, Cause.PARAMETER, "params.k 10 → 10.0"),
        ({"params": {"k": 10}}, Cause.PARAMETER, "params.seed none → none"),
        (
            {"code": {"tasks.fit:fit": "aa", "tasks.fit:_help": "b"}},
            Cause.CODE_CHANGED,
            "tasks.fit:_help changed",
        ),
        (
            {"code": {"tasks.fit:fit": "aa"}},
            Cause.CODE_REMOVED,
            "no longer depends on tasks.fit:_help",
        ),
        (
            {"code": {"tasks.fit:fit": "aa", "tasks.fit:_help": "bb", "x:y": "c"}},
            Cause.CODE_ADDED,
            "now depends on x:y",
        ),
        ({"env": {"numpy": "2.4.6"}}, Cause.PACKAGE, "numpy 2.4.5 → 2.4.6"),
        ({"env": {"numpy": None}}, Cause.PACKAGE, "numpy 2.4.5 → none"),
        ({"inputs": {"features": "34" * 32}}, Cause.INPUT, "input features 12121212 → 34343434"),
        ({"inputs": {}}, Cause.INPUT, "input features 12121212 → none"),
    ],
)
def test_reasons_say_what_changed(changes, cause, text):
    (reason,) = explain(recipe(), recipe(**changes))
    assert (reason.cause, reason.text) == (cause, text)


def test_reasons_come_parameters_first_and_long_values_are_cut():
    new = recipe(params={"k": list(range(100)), "seed": None}, env={"numpy": "3"}, code={})
    found = explain(recipe(), new)
    assert [r.cause for r in found] == [
        Cause.PARAMETER,
        Cause.CODE_REMOVED,
        Cause.CODE_REMOVED,
        Cause.PACKAGE,
    ]
    assert len(found[0].new) == 58
