"""What holds for every picture of the autoencoders, and what each of them must show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine import Picture
from tasks.figures import autoencoder_card as card
from tasks.figures import autoencoder_loss as loss
from tasks.figures import autoencoder_rebuilt as rebuilt
from tasks.figures import latent_samples as samples
from tasks.figures import latent_spread as spread
from tasks.figures import latent_tsne as tsne
from tasks.figures import latent_walks as walks
from tasks.figures.style import ACCENT
from tests.tasks.figures.digit_frames import Frames
from tests.tasks.figures.latent_frames import make_card, make_history, make_latents
from tests.tasks.figures.sheets import assert_fitting, assert_readable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "z = 16, VAE"
FIGURES: dict[str, Callable[[Frames], Figure]] = {
    "losses": lambda f: loss.plot_losses(f["histories"], f["bounds"]),
    "reconstructions": lambda f: rebuilt.plot_reconstructions(
        f["rebuilt"], f["errors"], f["images"], f["rebuilt"], name=NAME
    ),
    "card": lambda f: card.plot_card(f["card"].card),
    "tsne": lambda f: tsne.plot_latent_tsne(
        f["embedding"], f["embedding"], f["images"], f["images"], f["about"],
        {part: {**f["qualities"][part], **f["kl"][part]} for part in f["qualities"]}, name=NAME,
    ),
    "plane": lambda f: spread.plot_plane(
        f["points"][:, :2], f["images"], f["about"],
        {"mean": f["spread"].shapes["mean"][:, :2],
         "covariance": f["spread"].shapes["covariance"][:, :2, :2]},
        f["spread"].summary["groups"], name=NAME,
    ),
    "spread": lambda f: spread.plot_spread(
        f["spread"].classes, f["spread"].pairs, f["units"], name=NAME
    ),
    "grid": lambda f: walks.plot_grid(f["grid"], f["plane"], f["grid_summary"], name=NAME),
    "traversals": lambda f: walks.plot_traversals(
        f["walks"], f["start"], f["axes"], f["walk_summary"], name=NAME
    ),
    "interpolations": lambda f: walks.plot_interpolations(
        f["ways"], f["ends"], f["pairs"], name=NAME
    ),
    "samples": lambda f: samples.plot_latent_samples(
        f["samples"], f["verdicts"], f["shares"], f["judge"], name=NAME
    ),
}  # fmt: skip
DATA: dict[str, dict[str, Any]] = {
    "digits": {"z": 16},
    "two classes of tall images in two numbers": {
        "classes": 2, "height": 48, "width": 20, "z": 2, "names": "odd",
    },
    "long names, wide coloured images": {
        "classes": 14, "height": 16, "width": 40, "z": 40, "names": "long", "colours": True,
    },
    "8 × 8 in one number": {"classes": 4, "height": 8, "width": 8, "z": 3, "names": "odd"},
}  # fmt: skip
OF_NO_IMAGES = {"losses", "card"}
CASES = [(n, d) for n in FIGURES for d in DATA if d == "digits" or n not in OF_NO_IMAGES]


@pytest.mark.parametrize(("name", "data"), CASES)
def test_texts_are_readable(name: str, data: str) -> None:
    assert_readable(FIGURES[name](make_latents(**DATA[data])))


DRAWN: dict[str, Callable[[Frames], Picture]] = {
    "losses": lambda f: loss.draw_losses.fn(f["histories"], f["bounds"]),
    "reconstructions": lambda f: rebuilt.draw_reconstructions.fn(
        f["rebuilt"], f["errors"], f["summary"], f["images"], f["rebuilt"], f["summary"], name=NAME
    ),
    "card": lambda f: card.draw_card.fn(f["card"].card, f["card"].summary),
    "tsne": lambda f: tsne.draw_latent_tsne.fn(
        f["embedding"], f["embedding"], f["images"], f["images"], f["about"], f["qualities"],
        f["kl"], name=NAME,
    ),
    "plane": lambda f: spread.draw_plane.fn(
        f["points"], f["images"], f["about"], f["spread"].shapes, f["spread"].summary, name=NAME
    ),
    "spread": lambda f: spread.draw_spread.fn(
        f["spread"].classes, f["spread"].pairs, f["units"], f["spread"].summary, name=NAME
    ),
    "grid": lambda f: walks.draw_grid.fn(f["grid"], f["plane"], f["grid_summary"], name=NAME),
    "traversals": lambda f: walks.draw_traversals.fn(
        f["walks"], f["start"], f["axes"], f["walk_summary"], name=NAME
    ),
    "interpolations": lambda f: walks.draw_interpolations.fn(
        f["ways"], f["ends"], f["pairs"], f["walk_summary"], name=NAME
    ),
    "samples": lambda f: samples.draw_latent_samples.fn(
            f["samples"], f["verdicts"], f["shares"], {"finding": "Some pass."}, f["judge"],
            name=NAME
    ),
}  # fmt: skip
assert set(DRAWN) == set(FIGURES)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_a_png_of_fitting_size_and_one_sentence(name: str) -> None:
    frames = make_latents(z=2)
    assert_fitting(lambda: DRAWN[name](frames))


def test_the_floor_stands_below_every_curve() -> None:
    frames = make_latents()
    left, right = loss.plot_losses(frames["histories"], frames["bounds"]).get_axes()
    floor = frames["bounds"]["test_floor"]
    assert left.get_ylim()[0] < floor
    heights = [np.asarray(line.get_ydata(), float).min() for line in left.lines]
    assert min(heights) == floor
    assert f"floor {floor:.4f}" in [text.get_text() for text in left.texts]
    assert right.get_yscale() == "log"
    below = {**frames["bounds"], "test_floor": 0.09}
    assert "below the floor, which only a mistake can do" in loss.say_losses(
        frames["histories"], below
    )
    assert "no loss lies below" in loss.say_losses(frames["histories"], frames["bounds"])


def test_of_a_vae_the_cross_entropy_is_drawn_and_not_the_sum() -> None:
    history = make_history(5, variational=True)
    assert loss.unseen_loss(history).equals(history["test_cross_entropy"])
    assert loss.unseen_loss(make_history(5)).iloc[0] == pytest.approx(0.124)


def test_images_are_drawn_of_every_class_and_the_worst_are_the_worst() -> None:
    frames = make_latents(classes=7)
    codes = frames["images"]["y"]
    chosen = rebuilt.choose_rows(codes, 14, 0)
    assert np.bincount(codes[chosen]).tolist() == [2] * 7
    assert not set(chosen) & set(rebuilt.choose_rows(codes, 14, 1)) or len(codes) < 50
    assert len(rebuilt.choose_rows(np.array([0, 0, 0, 1]), 14, 0)) == 4


def test_the_best_model_of_a_column_is_shaded_and_components_never_are() -> None:
    table = make_card(4).card
    assert card._is_best(table, "above", card.MEASURES["above"], 0.037)
    assert not card._is_best(table, "above", card.MEASURES["above"], 0.047)
    assert not card._is_best(table, "active", card.MEASURES["active"], 1)
    assert card.MEASURES["above"].write(float("nan")) == "–"
    assert card.MEASURES["knn"].write(0.9661) == "96.6"


def test_strong_confusions_and_the_widest_classes_are_marked() -> None:
    frames = make_latents(classes=6)
    told = frames["spread"]
    left, middle, _ = spread.plot_spread(told.classes, told.pairs, frames["units"]).get_axes()

    def marked(axes: Any) -> list[bool]:
        from matplotlib.colors import to_hex

        return [to_hex(bar.get_facecolor()) == ACCENT for bar in axes.patches]

    assert marked(left) == [True, True, False, False, False, False]
    assert marked(middle) == told.pairs.loc[told.pairs["share"] > 0, "strong"].tolist()[:10]


def test_ellipses_hold_most_of_their_class() -> None:
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(4000, 2)) @ np.array([[3, 1], [0, 0.5]]) + 7).astype(np.float32)
    codes = np.zeros(4000, np.int64)
    figure = spread.plot_plane(
        points, {"y": codes}, {"classes": ["one"]},
        {"mean": points.mean(axis=0)[None], "covariance": np.cov(points.T)[None]}, [],
    )  # fmt: skip
    ellipse = figure.get_axes()[1].patches[-1]
    inside = ellipse.get_path().contains_points(
        ellipse.get_patch_transform().inverted().transform(points)
    )
    assert inside.mean() == pytest.approx(1 - np.exp(-2), abs=0.02)
