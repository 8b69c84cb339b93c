"""What runs again when something of a dream changes, and that the post's dream grows, with a trained CNN."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import InputError, Store, load
from engine.journal import RunRecord
from engine.outcome import Outcome
from engine.session import Session
from flows.dream_pictures import DREAM_SECTIONS
from flows.dreams import check_data, dreams
from tasks.dreams.photo import default_photo
from tests.tasks.dreams.test_preparation import photo

SMALL = [
    "data.offline=true", "data.limit=1500", "training.batch=32", "atlas.maps=4", "atlas.starts=16",
    "atlas.candidates=1", "atlas.steps=2", "dream.size=112", "dream.climbing.steps=10",
    "dream.climbing.rate=.03",
]  # fmt: skip
CNN = {"train_cnn", "evaluate_cnn", "measure_maps", "search_starts", "grow_patterns"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(default_photo(), tmp_path_factory.mktemp("own") / "mine.jpg"))


@pytest.fixture(scope="module")
def run(own: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Store]:
    store = Store(tmp_path_factory.mktemp("store"))
    p = dreams.configure("seed", [*SMALL, f"dream.photos={json.dumps([str(own)])}"])
    return dreams.run(p, store=store).record, store


def value_of(run: tuple[RunRecord, Store], name: str) -> Any:
    record, store = run
    with Session(store).active():
        return load(record.results[name])


def stale(store: Store, own: Path, changes: Sequence[str], photos: Sequence[Path] = ()) -> set[str]:
    """The slots that a plan with these changes does not find in the store."""
    paths = json.dumps([str(path) for path in photos or [own]])
    p = dreams.configure("seed", [*SMALL, f"dream.photos={paths}", *changes])
    plan = dreams.plan(p, store=store)
    return {call.slot for call in plan.calls if call.outcome is not Outcome.CACHED}


def names(slots: set[str]) -> set[str]:
    return {slot.partition("[")[0] for slot in slots}


def test_every_section_of_the_dream_has_its_results(run: tuple[RunRecord, Store]) -> None:
    record, _ = run
    assert record.status == "completed"
    there = {name.partition("[")[0] for name in record.results}
    for section in DREAM_SECTIONS:
        assert {*section.figures, *section.tables, *section.sentences} <= there


def test_the_posts_dream_grows_in_its_quadrant(run: tuple[RunRecord, Store]) -> None:
    """Seed mode, the lower right quadrant, one map that tells the 9s for both levels."""
    trace = value_of(run, "dream_trace[mine]")
    choices = value_of(run, "choices[mine]")
    assert choices["objective"].nunique() == 1
    quadrant = trace[trace["level"] == 1]
    assert (quadrant["row"].unique(), quadrant["column"].unique()) == ([1], [1])
    values = [float(quadrant["original"].iloc[0]), *quadrant["kept"]]
    assert len(values) == 5
    assert all(np.diff(values) > 0), values


def test_files_name_the_recipe_they_were_made_by(run: tuple[RunRecord, Store]) -> None:
    record, _ = run
    key = record.stages["finish_picture[mine]"].key
    image: Any = Image.open(io.BytesIO(value_of(run, "dream_file[mine]").read_bytes()))
    assert image.text["Recipe"] == key
    assert image.size == (112, 112)


def test_nothing_changed_nothing_runs(run: tuple[RunRecord, Store], own: Path) -> None:
    assert stale(run[1], own, []) == set()


@pytest.mark.parametrize(
    "change",
    [
        "dream.loops=5",
        "dream.climbing.seed=3",
        "dream.climbing.total_variation=1",
        "dream.climbing.tolerance=2e-4",
    ],
)
def test_a_parameter_of_the_loop_carves_again_and_trains_nothing(
    run: tuple[RunRecord, Store], own: Path, change: str
) -> None:
    found = names(stale(run[1], own, [change]))
    assert "carve_picture" in found
    assert not found & {*CNN, "load_photo", "prepare_picture", "choose_maps", "draw_preparation"}


def test_what_the_posts_form_does_not_know_changes_nothing_of_it(
    run: tuple[RunRecord, Store], own: Path
) -> None:
    levels = [{"grid": "1x1", "maps": "class:9", "strength": 2},
              {"grid": "2x2", "tiles": [[-1, -1]], "maps": "class:9"}]  # fmt: skip
    ignored = ["dream.evenness=.4", "dream.overlap=.1", "dream.stretch=true"]
    assert stale(run[1], own, [*ignored, f"dream.levels={json.dumps(levels)}"]) == set()


def test_a_new_map_list_chooses_and_carves_and_prepares_nothing(
    run: tuple[RunRecord, Store], own: Path
) -> None:
    levels = [{"grid": "1x1", "maps": 3}, {"grid": "2x2", "tiles": [[-1, -1]], "maps": [5, 6]}]
    found = names(stale(run[1], own, [f"dream.levels={json.dumps(levels)}"]))
    assert {"choose_maps", "carve_picture"} <= found
    assert not found & {*CNN, "load_photo", "prepare_picture", "draw_preparation"}


def test_colours_paint_again_and_carve_nothing(run: tuple[RunRecord, Store], own: Path) -> None:
    found = names(stale(run[1], own, ["dream.vividness=1.3", "dream.contrast=1.2"]))
    assert {"finish_picture", "draw_dream"} <= found
    assert not found & {*CNN, "choose_maps", "carve_picture"}


def test_a_new_photo_dreams_and_trains_nothing_and_one_more_leaves_the_others(
    run: tuple[RunRecord, Store], own: Path, tmp_path: Path
) -> None:
    _, store = run
    other = tmp_path / "other.jpg"
    Image.fromarray(photo(200, 130)[::-1]).save(other)
    found = stale(store, own, [], [other])
    assert not names(found) & CNN
    assert {"load_photo[other]", "carve_picture[other]", "draw_dream[other]"} <= found
    both = stale(store, own, [], [own, other])
    assert both == found
    # Known by its content: under another name only the page's texts are made again.
    twin = tmp_path / "twin.jpg"
    twin.write_bytes(own.read_bytes())
    renamed = dreams.configure("seed", [*SMALL, f"dream.photos={json.dumps([str(twin)])}"])
    again = dreams.run(renamed, store=store).record
    assert again.stages["carve_picture[twin]"].outcome is Outcome.CACHED
    assert again.stages["choose_maps[twin]"].outcome is Outcome.CACHED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ('dream.photos=["/nowhere/x.jpg"]', "no such file"),
        ('dream.levels=["1x1","99"]', "is no grid"),
        ('dream.levels=["2x2"]', "whole picture"),
        ('dream.levels=[{"grid":"1x1","maps":"os.remove(1)"}]', "not known here"),
        ('dream.levels=[{"grid":"1x1","maps":"guide"}]', "needs a guide"),
        ('dream.levels=[{"grid":"1x1","maps":128}]', 'map 128: "Conv2D_3" has maps 0 to 127'),
        ('dream.levels=[{"grid":"1x1","maps":[[1,"class:zebra"]]}]', "class:zebra: there are 0, 1"),
        ('dream.levels=[{"grid":"1x1","maps":"class:guide dog"}]', "class:guide dog: there are"),
        ('dream.levels=[{"grid":"1x1","maps":"channel(\\"Nope\\",3)"}]', 'no layer "Nope"; there'),
        (
            'dream.levels=[{"grid":"1x1","maps":"layer(\\"dense\\") - class_(10)"}]',
            "classes 0 to 9",
        ),
        ('dream.levels=[{"grid":"1x1"},{"grid":"2x2","tiles":[[2,0]]}]', "rows 0 to 1"),
        ("dream.size=20", "dream.size"),
    ],
)
def test_what_cannot_work_fails_before_anything_runs(change: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        check_data(dreams.configure("seed", [*SMALL, change]))


def test_what_the_network_has_is_not_refused(own: Path) -> None:
    maps = [127, -1, "class:9", 'channel("Pool_2", 63) + class_(9)', 'layer("flat")', "auto"]
    level = json.dumps([{"grid": "1x1", "maps": maps}])
    check_data(dreams.configure("seed", [*SMALL, f"dream.levels={level}"]))


def test_a_guide_of_another_shape_is_cut_as_the_photo_is(own: Path, tmp_path: Path) -> None:
    """By itself it would have too many tiles: the photo's rows and columns count."""
    Image.fromarray(photo(300, 1000)).save(tmp_path / "wide.png")
    settings = [*SMALL, f"dream.guide={tmp_path / 'wide.png'}", "dream.size=1080"]
    check_data(dreams.configure("standard", settings))


def test_a_file_that_is_no_photo_is_refused_before_anything_runs(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + bytes(300))
    with pytest.raises(InputError, match=r"broken\.jpg"):
        check_data(dreams.configure("quick", [f"dream.photos={json.dumps([str(broken)])}"]))


def test_a_look_at_the_default_photo_loads_nothing_heavy() -> None:
    code = (
        "import sys; from flows.dreams import check_data, dreams; check_data(dreams.configure('quick', "
        "['data.offline=true'])); print([name for name in ('numpy', 'PIL', 'pandas', 'matplotlib', "
        "'sklearn', 'tensorflow', 'keras') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
