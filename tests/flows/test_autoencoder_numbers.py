"""What autoencoders of MNIST are known for, on a few thousand images from the bundled copy."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Selection, Store, load
from engine.session import Session
from flows.autoencoder import autoencoder

pytestmark = pytest.mark.slow

TINY, NORMAL = 0.0001, 3.0


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The latent card of a plain model, of one with a tiny second term, and of one with a normal one."""
    p = autoencoder.configure(
        "quick",
        [
            "data.offline=true", "data.limit=6000", "models.z=[8]",
            "training.epochs=3", "training.batch=32", "training.rate=0.003",
            f"models.kl_weights=[0,{TINY},{NORMAL}]", "probes.n_init=2",
        ],
    )  # fmt: skip
    store = Store(tmp_path_factory.mktemp("store"))
    record = autoencoder.run(p, Selection(until=("compile_card",)), store=store).record
    with Session(store).active():
        table = load(record.stages["compile_card"].artifacts[0])
    return {row["model"]: row for row in table.to_dict("records")}


def test_every_model_keeps_more_than_as_many_components(card: dict[str, dict[str, Any]]) -> None:
    components = card["8 components"]
    for name in ("z = 8", f"z = 8, VAE·{TINY}"):
        assert card[name]["psnr"] > components["psnr"] + 2
        assert card[name]["ssim"] > components["ssim"] + 0.2
        assert 0.02 < card[name]["above"] < 0.08


def test_classes_lie_apart_though_no_model_was_told_of_them(
    card: dict[str, dict[str, Any]],
) -> None:
    for name in ("z = 8", f"z = 8, VAE·{TINY}", f"z = 8, VAE·{NORMAL:g}"):
        assert card[name]["knn"] > 0.8
        assert card[name]["linear"] > 0.6
        assert card[name]["active"] == 8


def test_a_tiny_second_term_changes_nothing(card: dict[str, dict[str, Any]]) -> None:
    plain, tiny = card["z = 8"], card[f"z = 8, VAE·{TINY}"]
    assert tiny["bce"] == pytest.approx(plain["bce"], abs=0.005)
    assert tiny["ssim"] == pytest.approx(plain["ssim"], abs=0.04)
    assert tiny["knn"] == pytest.approx(plain["knn"], abs=0.03)


def test_a_normal_second_term_brings_images_to_the_origin(card: dict[str, dict[str, Any]]) -> None:
    plain, normal = card["z = 8"], card[f"z = 8, VAE·{NORMAL:g}"]
    assert plain["normal"] < 0.1
    assert normal["normal"] > 0.4
    assert plain["mixture"] > 0.6
