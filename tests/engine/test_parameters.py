from __future__ import annotations

import pytest
from pydantic import Field

from engine import InputError, Parameters
from engine.parameters import build, changes, names


class Data(Parameters):
    path: str = ""
    label: str = "room"


class Classifier(Parameters):
    clusters: int = Field(default=10, ge=2, le=50)
    shares: dict[str, float] = Field(default={"test": 0.25})


class Wifi(Parameters):
    data: Data = Data()
    classifier: Classifier = Classifier()
    ks: list[int] = Field(default=[1, 2], min_length=1)
    seed: int | None = None


def test_defaults_then_preset_then_overrides():
    made = build(Wifi, {"classifier": {"clusters": 5}, "seed": 1}, ["classifier.clusters=7"])
    assert (made.classifier.clusters, made.seed, made.data.label) == (7, 1, "room")
    assert build(Wifi, {"seed": 1}, {"seed": 2, "classifier": {"clusters": 3}}).seed == 2


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("ks=[4,5]", "ks", [4, 5]),
        ("seed=null", "seed", None),
        ("data.path=my file=1.csv", "data", Data(path="my file=1.csv")),
        ("data.path=", "data", Data(path="")),
        ('data={"label": "x"}', "data", Data(label="x")),
        ("classifier.shares.test=0.5", "classifier", Classifier(shares={"test": 0.5})),
        (" seed =3", "seed", 3),
    ],
)
def test_values_are_json_or_plain_text(text, place, value):
    assert getattr(build(Wifi, {}, [text]), place) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "classifier.cluster=3",
            "no parameter classifier.cluster of flow wifi; did you mean classifier.clusters?",
        ),
        ("clusters=3", "did you mean classifier.clusters?"),
        ("quite.unheard=1", "there is: data.path"),
        ("classifier.clusters=1", r"classifier\.clusters.*greater than or equal to 2 \(found 1\)"),
        (
            "classifier.clusters=many",
            r"classifier\.clusters: expected a whole number \(found 'many'\)",
        ),
        ("classifier.clusters", "expected section.parameter=value"),
        ("=3", "expected section.parameter=value"),
        ("ks=[1,'x']", r"ks: expected a list, as \[1, 2\]"),
        ("ks=[]", r"ks: expected at least 1 \(found \[\]\)"),
        ('data={"labl": "x"}', r"no parameter data\.labl.*did you mean data\.label\?"),
        ("seed.x=1", "seed"),
    ],
)
def test_what_cannot_be_is_refused_by_name(text, words):
    with pytest.raises(InputError, match=words):
        build(Wifi, {}, [text], "wifi")


def test_a_wrong_preset_or_default_is_found_too():
    with pytest.raises(InputError, match="clusters"):
        build(Wifi, {"classifier": {"clusters": 99}})

    class Wrong(Parameters):
        k: int = Field(0, ge=1)

    with pytest.raises(InputError, match=r"k:.*found 0"):
        build(Wrong, {})


def test_building_changes_neither_preset_nor_overrides():
    preset = {"classifier": {"shares": {"test": 0.1}}}
    build(Wifi, preset, ["classifier.shares.test=0.9", "classifier.clusters=4"])
    assert preset == {"classifier": {"shares": {"test": 0.1}}}


def test_names_are_dotted():
    assert list(names(Wifi)) == [
        "data.path",
        "data.label",
        "classifier.clusters",
        "classifier.shares",
        "ks",
        "seed",
    ]


def test_parameters_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Wifi().seed = 3


def test_changes_are_what_a_preset_must_not_override():
    given = build(Wifi, {"classifier": {"clusters": 4}, "seed": 5})
    found = changes(given, Wifi())
    assert found == {"classifier": {"clusters": 4}, "seed": 5}
    assert changes(Wifi(), Wifi()) == {}
    assert build(Wifi, {"classifier": {"clusters": 9, "shares": {"test": 0.1}}}, found) == build(
        Wifi, {"classifier": {"clusters": 4, "shares": {"test": 0.1}}, "seed": 5}
    )
