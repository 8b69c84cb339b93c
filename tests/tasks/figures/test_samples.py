from __future__ import annotations

import numpy as np

from tasks.figures.samples import plot_samples, say_samples
from tests.tasks.figures.digit_frames import make_digits


def test_every_image_shown_is_one_of_its_class() -> None:
    frames = make_digits(classes=4, rows=80)
    train = frames["train"]
    (axes,) = plot_samples(train, frames["about"], per_class=5).get_axes()
    assert len(axes.images) == 20
    for place, shown in enumerate(axes.images):
        own = train["x"][train["y"] == place // 5]
        assert any(np.array_equal(np.asarray(shown.get_array()), image) for image in own)
    details = [t.get_text() for t in axes.texts][1::2]
    assert details == [f"{(train['y'] == c).sum()} images" for c in range(4)]


def test_a_class_of_few_images_shows_them_all_once() -> None:
    frames = make_digits(classes=3, rows=30)
    codes = np.array([0] * 20 + [1] * 8 + [2] * 2)
    train = {"x": frames["train"]["x"], "y": codes}
    (axes,) = plot_samples(train, frames["about"]).get_axes()
    assert len(axes.images) == 12 + 8 + 2


def test_the_seed_chooses() -> None:
    frames = make_digits(classes=2, rows=200)

    def shown(seed: int) -> list[bytes]:
        (axes,) = plot_samples(frames["train"], frames["about"], 4, seed).get_axes()
        return [np.asarray(image.get_array()).tobytes() for image in axes.images]

    assert shown(0) == shown(0) != shown(1)


def test_the_sentence_tells_size_and_balance() -> None:
    frames = make_digits(classes=3, height=20, width=30, rows=30)
    images = frames["train"]["x"]
    uneven = {"x": images, "y": np.array([0] * 20 + [1] * 8 + [2] * 2)}
    assert say_samples(uneven, frames["about"]) == (
        "The 30 training images of 30 × 20 pixels fall into 3 classes of 2 (2) to 20 (0)."
    )
    even = {"x": images, "y": np.repeat([0, 1, 2], 10)}
    assert say_samples(even, frames["about"]).endswith("3 classes of 10 each.")
