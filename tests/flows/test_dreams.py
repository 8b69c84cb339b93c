"""The network's part of the flow: one that is trained, and a person's own of another size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import InputError, Store, load
from engine.journal import RunRecord
from engine.outcome import Outcome
from engine.session import Session
from flows.dreams import SECTIONS, check_data, dreams
from flows.dreams_parameters import PRESETS
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import bars, edge_network, small_cnn
from tests.tasks.dreams.test_preparation import photo

SMALL = [
    "atlas.starts=40", "atlas.candidates=2", "atlas.steps=4", "dream.size=112", "dream.loops=1",
    "dream.climbing.steps=4",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Own images (bars), an own network for them, one for colours of another size, and a photo."""
    home = tmp_path_factory.mktemp("own")
    data = bars(60)
    np.savez(home / "bars.npz", x=data["x"], y=np.array(["lying", "standing", "slope"])[data["y"]])
    (home / "edges.keras").write_bytes(pack_model(edge_network()).read_bytes())
    (home / "colour.keras").write_bytes(pack_model(small_cnn((None, None, 3), maps=4)).read_bytes())
    Image.fromarray(photo(150, 120)).save(home / "waves.png")
    return home


def own(home: Path, network: str, *more: str) -> list[str]:
    return [
        *SMALL,
        f"data.path={home / 'bars.npz'}",
        f"network.path={home / network}",
        f"dream.photos={json.dumps([str(home / 'waves.png')])}",
        *more,
    ]


@pytest.fixture(scope="module")
def run(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Store]:
    store = Store(tmp_path_factory.mktemp("store"))
    p = dreams.configure("quick", own(home, "edges.keras"))
    return dreams.run(p, store=store).record, store


def test_an_own_network_is_judged_mapped_and_dreams(run: tuple[RunRecord, Store]) -> None:
    record, store = run
    assert record.status == "completed"
    assert not [slot for slot in record.stages if slot.startswith("train_cnn")]
    named = {name.partition("[")[0] for name in record.results}
    for section in SECTIONS:
        assert {*section.figures, *section.tables} <= named
    with Session(store).active():
        assert load(record.results["network"])["layers"] == {
            "edges": [26, 26, 4], "average": [4], "classes": [3],
        }  # fmt: skip
        assert load(record.results["findings"])["checked"] == 0
        assert load(record.results["maps"])["dead"] == [2]


@pytest.mark.slow
def test_a_network_of_other_classes_and_size_dreams_unjudged(
    home: Path, run: tuple[RunRecord, Store]
) -> None:
    _, store = run
    settings = own(
        home, "colour.keras", "network.side=40", "network.layer=Conv2D_2", "network.pixels=bytes"
    )
    record = dreams.run(dreams.configure("quick", settings), store=store).record
    assert record.status == "completed"
    assert "evaluation" not in record.results
    with Session(store).active():
        assert load(record.results["atlas"]).shape == (6, 40, 40, 3)
        assert set(load(record.results["scorecard"])["called"].str[:6]) == {"class "}


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        ("atlas.steps=5", {"grow_patterns", "score_patterns"}),
        ("atlas.starts=41", {"search_starts", "grow_patterns", "score_patterns"}),
        ("atlas.maps=3", {"search_starts", "grow_patterns", "score_patterns"}),
        ("dream.loops=2", {"carve_picture"}),
    ],
)
def test_a_change_redoes_what_it_touches(
    home: Path, run: tuple[RunRecord, Store], change: str, stages: set[str]
) -> None:
    _, store = run
    p = dreams.configure("quick", own(home, "edges.keras", change))
    calls = dreams.plan(p, store=store).calls
    stale = {call.slot.partition("[")[0] for call in calls if call.outcome is not Outcome.CACHED}
    never = {"adopt_network", "evaluate_cnn", "measure_maps", "load_photo"}
    assert stages <= stale and not stale & never


def test_the_lanes_of_the_training_are_in_its_key(
    home: Path, run: tuple[RunRecord, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a store that two machines share would give one the other's last digits as its own."""
    p = dreams.configure("quick", [*SMALL, f"data.path={home / 'bars.npz'}"])

    def key(lanes: int) -> str:
        monkeypatch.setattr("flows.dreams.count_lanes", lambda batch: lanes)
        return next(c.key for c in dreams.plan(p, store=run[1]).calls if c.slot == "train_cnn")

    assert key(1) and key(1) != key(2)


def test_what_cannot_be_is_named_before_anything_runs(home: Path) -> None:
    for settings, words in (
        (own(home, "edges.keras", "network.layer=Conv2D_3"), 'no layer "Conv2D_3"; its convolutions are edges'),
        (own(home, "missing.keras"), "cannot be read: No such file"),
        (own(home, "bars.npz"), "is no .keras file of Keras 3"),
        (own(home, "edges.keras", 'dream.levels=[{"grid":"1","maps":4}]'), '"edges" has maps 0 to 3'),
        (own(home, "edges.keras", 'dream.levels=[{"grid":"1","maps":"class:9"}]'), "there are lying, "),
        (["data.size=12"], "three convolutions leave nothing of images below 18"),
        (["network.layer=conv"], "the CNN has Conv2D_1, Conv2D_2, Conv2D_3, dense"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            check_data(dreams.configure("quick", settings))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_run(preset: str) -> None:
    check_data(dreams.configure(preset, ["data.offline=true"]))


def test_a_plan_loads_no_tensorflow(home: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from flows.dreams import dreams; from engine import Store; "
        f"p = dreams.configure('quick', {own(home, 'edges.keras')!r}); "
        f"dreams.plan(p, store=Store({str(tmp_path)!r})); "
        "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
