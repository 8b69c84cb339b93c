from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tasks.autoencoder.card import compile_card
from tasks.autoencoder.findings import LOSS_BY_EPOCH, NOISE, tabulate_autoencoders
from tasks.autoencoder.sampling import MIXTURE, name_normal

MODELS: dict[str, dict[str, Any]] = {
    "z = 16": {"z": 16, "variant": "seed", "kl_weight": 0.0},
    "z = 2": {"z": 2, "variant": "seed", "kl_weight": 0.0},
    "z = 16, VAE·0.001": {"z": 16, "variant": "seed", "kl_weight": 0.001},
    "z = 16, VAE·1": {"z": 16, "variant": "seed", "kl_weight": 1.0},
}
BOUNDS = {"test_floor": 0.05808, "mean_image": 0.2625}


def card_of(**changes: dict[str, Any]) -> pd.DataFrame:
    """A card as good runs give it, but for what is changed: model → column → value."""
    names = {name: {"kind": "VAE" if m["kl_weight"] else "autoencoder", "z": m["z"]}
             for name, m in MODELS.items()}  # fmt: skip
    names["16 components"] = {"kind": "PCA", "z": 16}
    kept: dict[str, dict[str, Any]] = {name: {"bce": 0.085, "above": 0.027, "mse": 0.01, "psnr": 21.0, "ssim": 0.9}
            for name in names}  # fmt: skip
    kept["16 components"] = {**kept["16 components"], "bce": None, "above": None, "psnr": 16.3}
    probes = {name: {"knn": 0.97, "linear": 0.9, "active": 16, "neighbours": 10} for name in names}
    scores = {name: {"accuracy": 0.7, "ari": 0.5, "nmi": 0.6, "clusters": 10} for name in names}
    verdicts = {name: {"share": {MIXTURE: 0.8, name_normal(1): 0.85}} for name in MODELS}
    card = compile_card.fn(
        kept, probes, scores, verdicts, models=[{"name": n, **m} for n, m in names.items()]
    ).card
    for model, values in changes.items():
        for column, value in values.items():
            card.loc[card["model"] == model, column] = value
    return card


def tabulate(**options: Any) -> dict[str, dict[str, Any]]:
    curve = [LOSS_BY_EPOCH.get(epoch, (0.09, 0))[0] for epoch in range(1, 41)]
    history = pd.DataFrame({"epoch": range(1, 41), "loss": curve, "test_loss": curve})
    vae = history.assign(test_cross_entropy=history["test_loss"], test_loss=0.2)
    histories = {name: vae if m["kl_weight"] else history for name, m in MODELS.items()}
    spread = pd.DataFrame({"class": list("0123456789"), "rank": [1, 9, 8, 7, 6, 5, 3, 4, 2, 10]})
    pairs = pd.DataFrame(
        {"first": ["4", "3", "2"], "second": ["9", "5", "7"], "strong": [True, True, False]}
    )
    inputs = {
        "card": card_of(), "histories": histories, "bounds": BOUNDS,
        "spreads": dict.fromkeys(MODELS, spread), "pairs": dict.fromkeys(MODELS, pairs),
    }  # fmt: skip
    names = {k: v for k, v in options.items() if k in inputs}
    rest = {k: v for k, v in options.items() if k not in inputs}
    found = tabulate_autoencoders.fn(
        **{**inputs, **names}, models=[{"name": n, **m} for n, m in MODELS.items()], **rest
    )
    return {"": found, **{row["name"]: row for row in found["findings"]}}


def test_a_good_run_keeps_every_band_and_the_posts_losses_are_among_them() -> None:
    found = tabulate(as_posted=True)
    assert found[""]["met"] == found[""]["checked"] == 3 + 9 + 3 + 3 + 1 + len(NOISE) + 1
    assert found["z = 16: loss of unseen images after 1 epoch"]["expected"] == "0.1184 measured"
    assert found["z = 2: loss of unseen images after 40 epochs"]["met"] is None
    # Where a class lies wide is chance: its place is told, and none is expected.
    place = found["z = 2: place of class 6 by spread"]
    assert (place["value"], place["met"]) == (3, None)
    for each in NOISE.values():
        row = found[f"z = 16, VAE·0.001: {each.words}, less that of z = 16"]
        assert row["value"] == 0 and row["met"] is True
    other = tabulate(as_posted=False)
    assert "z = 16: loss of unseen images after 1 epoch" not in other


def test_of_a_plane_after_few_epochs_nothing_is_expected() -> None:
    short = pd.DataFrame({"epoch": [1, 2, 3], "test_loss": [0.21, 0.2, 0.19]})
    vae = short.assign(test_cross_entropy=short["test_loss"])
    found = tabulate(histories={n: vae if m["kl_weight"] else short for n, m in MODELS.items()})
    assert found["z = 2: strongest confusions inside {3, 5, 8} or {4, 7, 9}"]["met"] is None


@pytest.mark.parametrize(
    ("model", "column", "value", "missed"),
    [
        ("z = 16", "knn", 0.94, "z = 16: unseen images told right by 10 neighbours in z"),
        ("z = 16", "psnr", 16.0, "z = 16: PSNR above that of as many components"),
        ("z = 16, VAE·1", "normal", 0.5, "z = 16, VAE·1: samples around the origin that look like images of the data"),
        ("z = 16, VAE·0.001", "bce", 0.09, "z = 16, VAE·0.001: loss of unseen images, less that of z = 16"),
        ("z = 16, VAE·0.001", "active", 12, "z = 16, VAE·0.001: active axes, less that of z = 16"),
    ],
)  # fmt: skip
def test_what_leaves_its_band_is_named(model: str, column: str, value: float, missed: str) -> None:
    found = tabulate(card=card_of(**{model: {column: value}}))
    assert found[missed]["met"] is False and missed in found[""]["sentence"]
    outside = {name for name, row in found.items() if name and row["met"] is False} - {missed}
    # What a plain model loses, the one beside it has more of.
    beside = {name for name in outside if name.endswith("less that of z = 16")}
    assert outside == beside and len(beside) == (model == "z = 16")
    assert found[""]["checked"] - found[""]["met"] == 1 + len(beside)


def test_a_plain_model_may_know_nothing_of_the_origin() -> None:
    found = tabulate(card=card_of(**{"z = 16": {"normal": 0.0}}))
    assert (
        found["z = 16: samples around the origin that look like images of the data"]["met"] is None
    )


def test_a_loss_below_the_floor_is_a_mistake() -> None:
    low = pd.DataFrame({"epoch": [1], "loss": [0.05], "test_loss": [0.05]})
    found = tabulate(histories=dict.fromkeys(MODELS, low))
    assert found["lowest loss of any epoch, above the floor"]["met"] is False


def test_other_data_has_no_bands() -> None:
    found = tabulate(reference=False)
    assert found[""]["checked"] == 0
    assert "nothing to compare them with" in found[""]["sentence"]


def test_names_tell_how_many_voted() -> None:
    found = tabulate(neighbours=3, clusters=1)
    assert "z = 2: unseen images told right by 3 neighbours in z" in found
    assert "z = 2: 1 cluster in z, unseen images told right" in found
