from __future__ import annotations

import pytest


def test_a_table_shows_its_head_and_types(filled):
    said = filled.good("show", "make_values.frame", "--rows", "2").splitlines()
    head = said.index("  value  name")
    assert said[head + 1 : head + 5] == [
        "float64  str",
        "      0  row 0",
        "      1  row 1",
        "5 rows × 2 columns",
    ]


def test_arrays_show_shape_and_range(filled):
    found = filled.json("show", "toy/clip")["artifacts"][0]
    assert found["contents"]["values"] == {
        "shape": [5],
        "dtype": "float64",
        "min": 0.0,
        "max": 3.0,
        "mean": 1.8,
        "not_finite": 0,
    }
    rows = [line.split() for line in filled.good("show", "clip").splitlines()]
    assert ["values", "5", "float64", "0", "3", "1.8"] in rows


def test_json_shows_its_content(filled):
    assert filled.json("show", "make_values.about")["artifacts"][0]["contents"] == {
        "n": 5,
        "unit": "dBm",
    }
    said = filled.good("show", "findings")
    assert "sum     54     dBm" in said
    assert '"sentence": "Two numbers were found."' in said


def test_a_picture_shows_its_sentence_and_path(filled):
    said = filled.good("show", "dot")
    assert "One dot stands for 5 values." in said
    assert "1 × 1 pixels" in said
    assert str(filled.store / "objects") in said


def test_a_stage_shows_all_its_outputs_and_its_recipe(filled):
    found = filled.json("show", "make_values")
    assert [a["name"] for a in found["artifacts"]] == [
        "make_values.values",
        "make_values.frame",
        "make_values.about",
    ]
    assert found["recipe"]["params"] == {"n": 5}
    assert "flows.toy.make_values" in found["recipe"]["code"]


def test_provenance_goes_back_to_the_start(filled):
    tree = filled.json("show", "findings")["provenance"]
    assert [node["place"] for node in tree["inputs"]] == [
        "parts[0]",
        "parts[1]",
        "parts[2]",
        "checked",
        "rested",
    ]
    path = []
    while tree["inputs"]:
        tree = tree["inputs"][0]
        path.append(tree["name"])
    assert path == ["scale[k=1]", "clip", "make_values.values"]
    said = filled.good("show", "findings")
    assert "├── parts[0]: scale[k=1]" in said
    assert "… 1 more of scale" in said


def test_an_artifact_is_found_by_its_digest_and_its_slot(filled):
    digest = filled.json("show", "scale[k=2]")["artifacts"][0]["digest"]
    assert filled.json("show", digest[:8])["artifacts"][0]["name"] == "scale[k=2]"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("clop", "there is no artifact clop; did you mean clip?"),
        ("wifi/clip", "there is no run of flow wifi"),
        ("scale", "scale stands for 3 artifacts of this flow: scale[k=1], scale[k=2], scale[k=3]"),
        ("ffffffff0", "there is no artifact ffffffff0"),
    ],
)
def test_what_is_not_there_is_told(filled, name, message):
    assert message in filled.bad("show", name)


def test_a_damaged_object_is_not_shown(project):
    made = project.json("run", "toy", "--local")
    sha256 = made["results"]["about"]["sha256"]
    path = project.store / "objects" / sha256[:2] / f"{sha256[2:]}.json"
    path.chmod(0o644)
    path.write_text('{"n": 6, "unit": "dBm"}\n')
    said = project.bad("show", "about")
    assert path.name in said and "run the flow again, or `latentflow verify --repair`" in said
