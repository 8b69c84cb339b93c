from __future__ import annotations

import dataclasses
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Artifact, Pending
from engine.artifact import in_order, leaves, replace_handles, walk

HEX = "ab" * 32


def handle(name: str = "make", digest: str = HEX, **changes: Any) -> Artifact:
    plain = Artifact(name, digest, HEX, "npz", ".npz", 12, {"single": True})
    return dataclasses.replace(plain, **changes)


def test_address_is_the_sha256_of_the_file():
    assert handle(sha256="cd" + "0" * 62).address == f"cd/{'0' * 62}.npz"


def test_json_round_trip():
    assert Artifact.from_json(json.loads(json.dumps(handle().to_json()))) == handle()
    assert Artifact.from_json(handle().to_json()).spec == {"single": True}


def test_a_handle_holds_no_path_time_or_run():
    assert {f.name for f in dataclasses.fields(Artifact)} == {
        "name",
        "digest",
        "sha256",
        "format",
        "suffix",
        "size",
        "spec",
    }


@pytest.mark.parametrize(
    "bad",
    [
        {"digest": "../../etc/passwd"},
        {"sha256": HEX[:-1]},
        {"sha256": HEX.upper()},
        {"sha256": HEX + "\n"},
        {"suffix": "/../../x"},
        {"suffix": ""},
        {"suffix": ".npz/"},
        {"suffix": ".npz\n"},
    ],
)
def test_a_handle_that_could_leave_the_store_is_refused(bad):
    with pytest.raises(ValueError, match="artifact 'make'"):
        Artifact.from_json({**handle().to_json(), **bad})


def test_walk_finds_handles_in_nested_containers():
    one, two, three = handle("a"), handle("b"), Pending("c", "slot")
    nested = {"y": [one, (two,)], "x": {"k=1": three}, "n": 5}
    assert list(walk(nested, "in")) == [
        ("in[x][k=1]", three),
        ("in[y][0]", one),
        ("in[y][1][0]", two),
    ]


trees = st.recursive(
    st.just(handle()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab01[]\"'\\ =", max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(trees, trees)
def test_different_nestings_have_different_places(one, other):
    if one != other:
        assert dict(leaves(one)) != dict(leaves(other))


@given(trees)
def test_order_of_keys_leaves_no_trace(tree):
    def reverse(value):
        if isinstance(value, dict):
            return {key: reverse(value[key]) for key in reversed(value)}
        return [reverse(item) for item in value] if isinstance(value, list) else value

    assert list(leaves(tree)) == list(leaves(reverse(tree)))
    assert json.dumps(in_order(tree), default=str) == json.dumps(
        in_order(reverse(tree)), default=str
    )


def test_replace_handles_keeps_the_nesting_and_its_types():
    class Pair(NamedTuple):
        left: Any
        right: Any

    one = handle("a")
    replaced = replace_handles({"p": Pair(one, [one, 3]), "t": (one,)}, lambda a: a.name)
    assert replaced == {"p": Pair("a", ["a", 3]), "t": ("a",)}
    assert isinstance(replaced["p"], Pair)
