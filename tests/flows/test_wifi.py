from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine import InputError, Store
from flows.wifi import SECTIONS, wifi
from tests.flows.own import Ran, assert_whole_and_cached, run_small

SMALL = [
    "forest.trees=5", "forest.splits=2", "clusters.k_max=4", "clusters.profiles=[2,3]",
    "clusters.chosen=[2,3]", "clusters.n_init=2", "reference.references=2",
    "reference.resamples=2", "reference.n_init=1", "classifier.clusters=[2,3]",
    "classifier.spaces=[\"raw\",\"pca2\"]", "classifier.splits=2", "classifier.n_init=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def own_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 rows, two features, three species; the columns are not those of the UCI set."""
    rng = np.random.default_rng(0)
    heap = np.repeat([0, 1, 2], 10)
    frame = pd.DataFrame(
        {
            "length": heap * 5 + rng.normal(0, 1, 30),
            "species": np.array(["setosa", "size & Co.", "virginica"])[heap],
            "width": rng.normal(0, 1, 30),
        }
    )
    path = tmp_path_factory.mktemp("own") / "own.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def ran(own_table: Path) -> Ran:
    own = [*SMALL, f"data.path={own_table}", "data.label=species", "data.unit=cm"]
    return run_small(wifi, own, own_table.parent)


def test_an_own_table_runs_through_and_is_cached(ran: Ran) -> None:
    assert_whole_and_cached(ran, SECTIONS)


def test_one_more_k_computes_one_cell_a_space(ran: Ran) -> None:
    p = wifi.configure("quick", [*ran.overrides, "classifier.clusters=[2,3,4]"])
    calls = wifi.plan(p, store=ran.store).calls
    stale = {call.slot for call in calls if call.outcome.name == "RUN"}
    assert stale == {
        "classify_by_clusters[space=raw,clusters=4]",
        "classify_by_clusters[space=pca2,clusters=4]",
    }


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("clusters.k_min=13", "k_min = 13 exceeds k_max = 12"),
        (
            "clusters.chosen=[4,13]",
            r"chosen = \[4, 13\]: 13 is not within k_min to k_max = 2 to 12",
        ),
        ("clusters.profiles=[1,3]", "clusters.profiles.0"),
        ("clusters.profiles=[3,3]", "each k once"),
        ("clusters.k_max=4", "profiles = .* 5 is not within"),
        ("clusters.algorithm=dbscan", "clusters.algorithm"),
        ("classifier.clusters=[5,5]", "5 stands twice"),
        ('classifier.spaces=["polar"]', "polar is no space"),
        ("forest.splits=0", "forest.splits"),
        ("forest.tree=5", "did you mean forest.trees"),
    ],
)
def test_impossible_parameters_are_named(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        wifi.configure("standard", [override])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["clusters.k_max=30"], "clusters.k_max = 30: expected at most 29"),
        (["classifier.clusters=[25]"], "classifier.clusters = 25: expected at most 22"),
        (['figures.pairs=[["length","depth"]]'], "no feature depth; there is length, width"),
        (["data.label=kind"], "no column is called 'kind'"),
    ],
)
def test_what_a_table_cannot_give_is_said_before_any_work(
    own_table: Path, tmp_path: Path, overrides: list[str], words: str
) -> None:
    own = [*SMALL, f"data.path={own_table}", "data.label=species", *overrides]
    with pytest.raises(InputError, match=words):
        wifi.plan(wifi.configure("quick", own), store=Store(tmp_path / "store"))


@pytest.mark.parametrize("preset", ["quick", "standard", "seed"])
def test_presets_are_valid_and_every_parameter_is_described(preset: str) -> None:
    p = wifi.configure(preset)
    for section in type(p).model_fields.values():
        for name, field in section.annotation.model_fields.items():  # type: ignore[union-attr]
            assert field.description, name
