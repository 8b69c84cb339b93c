from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, Store, load
from engine.artifact import Pending
from engine.session import Session
from flows.autoencoder import SECTIONS, autoencoder, check_data
from flows.autoencoder_parameters import PRESETS, Models
from flows.latents import list_models
from tests.flows.own import (
    Ran,
    assert_whole_and_cached,
    digests,
    draw_bars,
    run_small,
    save_bars,
)

SMALL = [
    "data.offline=true", "data.size=8", "data.test_fraction=.25", "models.z=[3,2]",
    "training.epochs=2", "training.batch=16", "training.rate=.003",
    "training.precision=float32", "probes.clusters=3", "probes.n_init=1", "tsne.sample=60",
    "tsne.iterations=250", "tools.grid=4", "tools.steps=4", "tools.pairs=2", "tools.samples=20",
    "tools.components=3",
]  # fmt: skip
HEAVY = {"train_autoencoder", "encode"}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("own")
    return run_small(autoencoder, [*SMALL, save_bars(folder, 160)], folder)


def test_own_images_run_through_and_are_cached(ran: Ran) -> None:
    assert_whole_and_cached(ran, SECTIONS)


def test_the_card_has_a_row_for_each_model_and_for_as_many_components(
    ran: Ran,
) -> None:
    card = ran.value("card")
    assert card["model"].tolist() == [
        "z = 3", "z = 2", "2 components", "3 components",
    ]  # fmt: skip
    assert card["kind"].tolist() == ["autoencoder"] * 2 + ["PCA"] * 2
    assert (card["above"].dropna() > 0).all() and card["above"].isna().sum() == 2
    # What the bars are is seen by their place, even after a few steps.
    assert card["knn"].min() > 0.5


def test_a_plane_is_drawn_as_it_is_and_the_rest_by_tsne(ran: Ran) -> None:
    assert {name for name in ran.record.results if name.startswith(("draw_plane", "draw_latent_tsne"))} == {
        "draw_plane[z=2]", "draw_latent_tsne[z=3]",
    }  # fmt: skip
    with Session(ran.store).active():
        quality = load(ran.record.stages["measure_embedding[test,z=3]"].artifacts[0])
    assert quality["rows"] == 40


def test_a_model_of_any_size_stands_beside_as_many_components(tmp_path: Path) -> None:
    p = autoencoder.configure("quick", [*SMALL, save_bars(tmp_path, 160), "models.z=[1,3]"])
    store = Store(tmp_path / "store")
    calls = {call.slot: call for call in autoencoder.plan(p, store=store).calls}
    for z, name in ((1, "1 component"), (3, "3 components")):
        handles = calls[f"draw_reconstructions[z={z}]"].handles()
        drawn_from = {handle.slot for _, handle in handles if isinstance(handle, Pending)}
        assert f"reconstruct_components[{name}]" in drawn_from


def test_what_a_picture_is_drawn_from_trains_nothing_again(ran: Ran) -> None:
    assert ran.stale("tools.grid=5") == {"decode_grid": 2, "draw_grid": 2}
    again = ran.stale("tsne.perplexity=9")
    assert again == {
        "embed_tsne": 2, "measure_embedding": 2, "draw_latent_tsne": 1, "take_rows": 2,
        "pack_map": 2,
        # The sample stays what it is, so the run cuts these off.
        "pack_images": 6, "vote_sample": 2, "rebuild_sample": 2,
    }  # fmt: skip
    assert not HEAVY & set(ran.stale("probes.clusters=4", "tools.seed=5"))


def test_one_more_model_trains_that_one_alone(ran: Ran) -> None:
    more = ran.stale("models.z=[3,2,5]")
    assert more["train_autoencoder"] == more["encode"] == more["probe_latents"] - 1 == 1
    assert more["reconstruct_components"] == 1
    assert ran.stale("models.z=[2]")["train_autoencoder"] == 0
    assert ran.stale("models.kl_weights=[0,1]")["train_autoencoder"] == 2
    assert ran.stale("training.seed=1")["train_autoencoder"] == 2


@pytest.mark.slow
def test_the_store_gives_the_same_digests_again(ran: Ran, tmp_path: Path) -> None:
    assert digests(ran.again(store=Store(tmp_path))) == digests(ran.record)


def test_pictures_in_colour_come_back_in_colour(tmp_path: Path) -> None:
    x, y = draw_bars(np.random.default_rng(0), 120)
    bars = np.stack([x, 0 * x, 255 - x], axis=3)  # red bars on blue
    np.savez(tmp_path / "bars.npz", x=bars, y=y)
    how = [f"data.path={tmp_path / 'bars.npz'}", "data.colour=true", "data.size=9"]
    ran = run_small(autoencoder, [*SMALL, *how], tmp_path)
    assert_whole_and_cached(ran, SECTIONS)
    with Session(ran.store).active():
        made = load(ran.record.stages["reconstruct[z=3]"].artifacts[0])
    assert made.shape == (30, 9, 9, 3)
    # After a few steps the mean colour is known at least.
    red, green, blue = made.reshape(-1, 3).mean(axis=0)
    assert blue > red + 40 > red > green


@pytest.mark.parametrize("change", ["data.size=60", "models.z=[90,100]"])
def test_without_as_many_components_models_stand_alone(tmp_path: Path, change: str) -> None:
    x, y = draw_bars(np.random.default_rng(0), 120)
    np.savez(tmp_path / "bars.npz", x=np.repeat(x[..., None], 3, axis=3), y=y)
    colour = "data.colour=true" if "size" in change else "data.size=8"
    how = [f"data.path={tmp_path / 'bars.npz'}", colour, "training.epochs=1", change]
    ran = run_small(autoencoder, [*SMALL, *how], tmp_path)
    card = ran.value("card")
    assert ran.record.status == "completed" and set(card["kind"]) == {"autoencoder"}
    assert len(card) == 2 and "fit_components" not in ran.record.stages


def test_known_sets_are_grey(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="colour = true: mnist is grey"):
        autoencoder.configure("quick", ["data.colour=true"])


def test_models_are_named_by_what_differs() -> None:
    def names(**values: Any) -> list[str]:
        return [model.title for model in list_models(Models(**values), 0).values()]

    assert names() == ["z = 16", "z = 2"]
    assert names(z=[16], variants=["seed", "corrected"]) == ["z = 16, seed", "z = 16, corrected"]
    assert names(z=[4], kl_weights=[0, 1]) == ["z = 4", "z = 4, VAE"]
    assert names(z=[4], kl_weights=[0.001, 1]) == ["z = 4, VAE·0.001", "z = 4, VAE·1"]
    many: dict[str, Any] = {
        "z": [2, 3],
        "variants": ["seed", "corrected"],
        "kl_weights": [0, 0.5, 1],
    }
    whole = list_models(Models(**many, repeats=3), 4)
    assert len(whole) == len({model.title for model in whole.values()}) == 36
    assert len({model.kin for model in whole.values()}) == 12
    again = list_models(Models(z=[2], repeats=2), 4)
    assert list(again) == ["z=2 seed 4", "z=2 seed 5"]
    assert [(each.seed, each.kin) for each in again.values()] == [(4, "z = 2"), (5, "z = 2")]


def test_repeats_are_trained_with_the_seeds_that_follow_and_summed_up(ran: Ran) -> None:
    assert ran.stale("models.repeats=1")["train_autoencoder"] == 0
    how = ["models.z=[2]", "models.repeats=3"]
    assert ran.stale(*how)["train_autoencoder"] == 2  # the first is there
    record = ran.again(*how)
    assert {name for name in record.stages if name.startswith("train_auto")} == {
        f"train_autoencoder[z=2 seed {seed}]" for seed in (0, 1, 2)
    }
    more = Ran(ran.flow, ran.overrides, ran.store, record)
    card, repeats = more.value("card"), more.value("repeats")
    nets = card[card["kind"] != "PCA"]
    assert set(repeats["model"]) == {"z = 2"} and set(repeats["trainings"]) == {3}
    psnr = repeats.set_index("over all")["psnr"]
    assert psnr["mean"] == pytest.approx(nets["psnr"].mean())
    assert (
        psnr["deviation"] == pytest.approx(np.std(nets["psnr"], ddof=1)) and psnr["deviation"] > 0
    )
    assert (psnr["lowest"], psnr["highest"]) == (nets["psnr"].min(), nets["psnr"].max())
    assert "repeats" not in ran.record.results


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist", "digits8x8"])
def test_presets_fit_the_known_sets(preset: str, dataset: str) -> None:
    check_data(autoencoder.configure(preset, [f"data.dataset={dataset}"]))


def test_the_preset_seed_is_the_posts() -> None:
    p = autoencoder.configure("seed")
    assert p.training.is_posted and p.training.epochs == 40
    assert (p.models.z, p.models.variants, p.models.kl_weights) == ([16, 2], ["seed"], [0.0])
    assert p.tsne.sample == 15_000 and p.data.limit is None


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("models.z=[0]", "greater than or equal to 1"),
        ("models.z=[4,4]", "4 stands twice"),
        ("models.z=[]", "at least 1"),
        ("models.variants=[\"fixed\"]", "'seed' or 'corrected'"),
        ("models.kl_weights=[-1]", "greater than or equal to 0"),
        ("models.repeats=0", "greater than or equal to 1"),
        ("training.schedule=linear", "'constant', 'cosine' or 'one-cycle'"),
        ("training.rate=0", "greater than 0"),
        ("training.schedule=constant", "a constant rate has none; set it to 0"),
        ("tools.scales=[0.5]", "must hold 1.0"),
        ("training.epoch=3", "did you mean training.epochs"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_before_anything_runs(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        autoencoder.configure("standard", ["training.warm_up=.2", override])


def test_seeds_of_repeats_end_where_seeds_end() -> None:
    last = "training.seed=2147483648"
    assert autoencoder.configure(overrides=[last]).training.seed == 2**31
    with pytest.raises(InputError, match="the last seed would be 2,147,483,649"):
        autoencoder.configure(overrides=[last, "models.repeats=2"])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data.limit=30"], "tools.components = 20: there are 30 training images"),
        (["data.limit=80", "probes.clusters=90"], "probes.clusters = 90: there are 80 training"),
        (["tools.start=10000"], "tools.start = 10000: the test images are 0 to 9,999"),
        (["data.dataset=digits8x8", "tools.start=400"], "the test images are 0 to 269"),
        (["data.limit=1000", "tools.start=167"], "the test images are 0 to 166"),
    ],
)
def test_what_the_images_cannot_give_is_named_before_anything_runs(
    overrides: list[str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        autoencoder.run(autoencoder.configure(overrides=overrides), store=Store(tmp_path))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("unseen", "words"),
    [
        ("0 0 0 0 0 0 0 0 0", "all test images are of one class"),
        ("0 1 2 0 1 2 0", "there are 7 test images, and t-SNE needs at least 8"),
    ],
)
def test_a_test_part_that_shows_nothing_is_named_before_anything_runs(
    unseen: str, words: str, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    y = np.arange(90) % 3
    y_test = np.array(unseen.split()).astype(int)
    x, x_test = (random.integers(0, 255, (len(part), 8, 8), np.uint8) for part in (y, y_test))
    path = tmp_path / "own.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    p = autoencoder.configure("quick", [*SMALL, f"data.path={path}"])
    with pytest.raises(InputError, match=words):
        check_data(p)
