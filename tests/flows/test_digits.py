from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import InputError, Store, load
from engine.session import Session
from flows.digit_cells import CELLS, plan_cells
from flows.digits import SECTIONS, check_data, digits
from flows.digits_parameters import PRESETS
from report.timing import add_seconds
from tasks.catalogue import FASHION_MNIST
from tasks.datasets import bundled_path
from tests.flows.own import Ran, assert_whole_and_cached, draw_bars, run_small, save_bars
from tests.flows.own import digests as digests_of

SMALL = [
    "data.offline=true", "data.size=8", "data.test_fraction=.25", "shown.space=pca3",
    "shown.clusters=6", "sweep.clusters=[3,6]", 'sweep.scalings=["unit","normalise"]',
    'sweep.spaces=["raw","pca0.8"]', "sweep.seeds=[0,1]", 'reference.spaces=["pca3"]',
    "reference.seeds=[0,1]", "prototypes.per_class=[1,3]", "prototypes.seeds=[0]",
    "prototypes.shown=2", "tsne.sample=60", "tsne.iterations=250",
]  # fmt: skip
# (2 scalings × 2 spaces + 1 reference space × 2 algorithms) × 2 numbers of clusters × 2 seeds
CELL_COUNT = 24


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("own")
    return run_small(digits, [*SMALL, save_bars(folder, 120)], folder)


def test_own_images_run_through_and_are_cached(ran: Ran) -> None:
    assert_whole_and_cached(ran, SECTIONS)


def test_clusters_tell_clear_classes_by_their_names(ran: Ran) -> None:
    score = ran.value("score")
    assert set(score["per_class"]) == {"lying bar", "standing & tall", "ü diagonal"}
    assert score["accuracy"] > 0.6
    cells = ran.value("cells")
    assert len(cells) == CELL_COUNT
    assert set(cells["backend"]) == {"scikit-learn"}
    assert cells["accuracy"].max() > 0.8
    assert (cells["unmapped"] >= cells["empty"]).all()


def test_every_mean_of_the_sweep_knows_its_seconds(ran: Ran) -> None:
    timed = add_seconds(ran.value("means"), CELLS, ran.record)
    assert len(timed) == CELL_COUNT // 2
    assert (timed["seconds"] > 0).all()


def test_each_cell_is_clustered_once(ran: Ran) -> None:
    record = ran.record
    cells = [
        stage for stage in record.stages.values() if stage.stage in ("cluster_digits", "rate_cell")
    ]
    assert not [stage.slot for stage in cells if "#" in stage.slot]
    # The one that is drawn is a cell of the sweep: the same recipe, looked up.
    keys = Counter(stage.key for stage in cells if stage.stage == "cluster_digits")
    assert len(keys) == CELL_COUNT
    assert keys[record.stages["cluster_digits[shown]"].key] == 2


def test_one_more_k_runs_its_cells_and_their_summary_alone(ran: Ran) -> None:
    again = ran.again("sweep.clusters=[3,6,11]")
    computed = [stage for stage in again.stages.values() if stage.outcome.word != "cached"]
    new = CELL_COUNT // 2
    assert Counter(stage.stage for stage in computed) == {
        "cluster_digits": new,
        "rate_cell": new,
        "collect_sweep": 1,
        "summarise_sweep": 1,
        "tabulate_digits": 1,
        "draw_scaling": 1,
        "draw_accuracy": 1,
        "draw_sweep": 1,
    }
    slots = [stage.slot for stage in computed if stage.stage == "cluster_digits"]
    assert all("clusters=11" in slot for slot in slots)


def test_the_store_gives_the_same_digests_again(ran: Ran, tmp_path: Path) -> None:
    assert digests_of(ran.again(store=Store(tmp_path))) == digests_of(ran.record)


def test_fashion_mnist_runs_through(tmp_path: Path) -> None:
    path = bundled_path(FASHION_MNIST)
    if path is None or not path.exists():
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    p = digits.configure("quick", [*SMALL, "data.dataset=fashion-mnist", "data.limit=600"])
    done = digits.run(p, store=Store(tmp_path / "store"))
    assert done.record.status == "completed"
    with Session(Store(tmp_path / "store")).active():
        assert set(load(done.record.results["score"])["per_class"]) == set(FASHION_MNIST.classes)
        assert load(done.record.results["cells"])["accuracy"].max() > 0.4
    page = done.page.read_text("utf-8")  # type: ignore[union-attr]
    assert sum(name in page for name in FASHION_MNIST.classes) >= 3  # the worst confusions


def test_a_folder_of_pictures_runs_through(tmp_path: Path) -> None:
    x, y = draw_bars(np.random.default_rng(1), 60)
    for number, (image, name) in enumerate(zip(x, y, strict=True)):
        folder = tmp_path / "pictures" / str(name)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((13, 9)).convert("RGB").save(folder / f"{number}.png")
    p = digits.configure("quick", [*SMALL, f"data.path={tmp_path / 'pictures'}"])
    done = digits.run(p, store=Store(tmp_path / "store"))
    assert done.record.status == "completed"
    assert done.page is not None
    assert "ü diagonal" in done.page.read_text("utf-8")


def test_the_space_of_the_pixels_can_be_drawn(ran: Ran) -> None:
    assert ran.again("shown.space=raw").status == "completed"


def test_no_reference_algorithm_leaves_the_sweep_alone() -> None:
    (group,) = plan_cells(digits.configure("quick", [*SMALL, "reference.algorithms=[]"]))
    assert group.algorithm == "minibatch"
    assert len(group.places) == 4


def test_a_reference_within_the_sweep_adds_its_seeds() -> None:
    p = digits.configure(
        overrides=[
            'sweep.scalings=["normalise"]',
            'sweep.spaces=["raw","pca40"]',
            "sweep.seeds=[0,9]",
        ]
    )
    groups = {(g.algorithm, *g.seeds): g.places for g in plan_cells(p)}
    assert groups == {
        ("minibatch", 0, 9): [("normalise", "raw")],
        ("minibatch", 0, 1, 2, 3, 4, 9): [("normalise", "pca40")],
        ("minibatch", 0, 1, 2, 3, 4): [("normalise", "pca50")],
        ("kmeans", 0, 1, 2, 3, 4): [("normalise", "pca40"), ("normalise", "pca50")],
    }


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_presets_fit_the_known_sets(preset: str, dataset: str) -> None:
    check_data(digits.configure(preset, [f"data.dataset={dataset}"]))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("sweep.spaces=[\"pca0\"]", "pca0 is no space; there is raw"),
        ("shown.space=tsne", "tsne is no space"),
        ("shown.space=ae1025", "ae1025: an autoencoder's space has at most 1024 dimensions"),
        ("sweep.clusters=[10,10]", "10 stands twice"),
        ("sweep.clusters=[0]", "greater than or equal to 1"),
        ("sweep.scalings=[\"minmax\"]", "'unit', 'standard', 'normalise'"),
        ("shown.clusters=2001", "at most 2000 can be drawn"),
        ("clustering.bach_size=5", "did you mean clustering.batch_size"),
        ("data.dataset=cifar", "'mnist', 'fashion-mnist' or 'digits8x8'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_before_anything_runs(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        digits.configure(overrides=[override])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["data.limit=500"],
            r"sweep.clusters = 2000: there are 500 training images, .* try --set "
            r"sweep.clusters=\[10,20,40,80,100\]",
        ),
        (
            ["data.dataset=digits8x8", "sweep.clusters=[10]", "shown.clusters=1600"],
            "shown.clusters = 1600: there are 1,527 training images",
        ),
        (["data.size=8"], "sweep.spaces: pca75 asks for more components than images of 8 × 8"),
        (
            ["data.size=50", "shown.space=pca1500"],
            "shown.space: pca1500 asks for more components than are computed, 1024",
        ),
    ],
)
def test_what_the_images_cannot_give_is_named_before_anything_runs(
    overrides: list[str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        digits.run(digits.configure(overrides=overrides), store=Store(tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_broken_picture_is_named_before_anything_runs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (8, 8), 90 * number).save(tmp_path / "pictures" / name / f"{number}.png")
    (tmp_path / "pictures" / "b" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    p = digits.configure("quick", [*SMALL, f"data.path={tmp_path / 'pictures'}"])
    with pytest.raises(InputError, match=r"b/1\.png"):
        digits.run(p, store=Store(tmp_path / "store"))
    assert not (tmp_path / "store" / "runs").exists()
