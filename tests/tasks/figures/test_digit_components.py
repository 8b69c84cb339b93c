from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.figures.digit_components import (
    needed,
    plot_components,
    plot_variance,
    say_components,
    say_variance,
    wavelength,
)
from tests.tasks.figures.digit_frames import make_digits


def curve(ratio: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"component": range(1, len(ratio) + 1), "ratio": ratio, "cumulative": np.cumsum(ratio)}
    )


HALVES = curve([0.5**n for n in range(1, 31)])


def test_a_share_needs_so_many_components() -> None:
    assert needed(HALVES, 0.5) == 1 and needed(HALVES, 0.9) == 4 and needed(HALVES, 0.95) == 5
    assert needed(curve([0.2, 0.1]), 0.9) is None


def test_marks_lie_on_the_curve_at_counts_and_shares() -> None:
    figure = plot_variance(HALVES, counts=(2, 3, 999), shares=(0.9,))
    _, summed = figure.get_axes()
    marks = {line.get_label(): line for line in summed.lines if line.get_marker() in ("o", "s")}
    assert set(marks) == {"2 components: 75.0 %", "3 components: 87.5 %", "90 %: 4 components"}
    assert np.asarray(marks["3 components: 87.5 %"].get_xydata()).tolist() == [[3, 0.875]]
    assert np.asarray(marks["90 %: 4 components"].get_xydata()).tolist() == [[4, 0.9]]
    legend = summed.get_legend()
    assert legend is not None and len(legend.get_texts()) == 3


def test_marks_that_meet_share_one_number() -> None:
    figure = plot_variance(curve([0.01] * 100), counts=(90,), shares=(0.9, 0.95))
    assert [t.get_text() for t in figure.get_axes()[1].texts] == ["90"]


def test_variance_of_nothing_and_of_few_is_drawn() -> None:
    plot_variance(curve([1.0, 0.0, 0.0]))
    assert say_variance(curve([0.7, 0.3])) == (
        "Of 2 components the first alone explains 70.0 %; 90 % takes 2 and 95 % takes 2."
    )


def test_the_sentence_of_the_variance_follows_the_numbers() -> None:
    assert say_variance(HALVES, (2, 3), (0.9,)) == (
        "Of 30 components the first alone explains 50.0 %; of the variance 2 hold 75.0 % and "
        "3 hold 87.5 %; 90 % takes 4."
    )


def test_components_are_images_around_a_white_zero() -> None:
    frames = make_digits(height=12, width=20)
    basis = frames["basis"]
    (axes,) = plot_components(basis, frames["about"], count=9).get_axes()
    assert len(axes.images) == 9
    for image, row in zip(axes.images, basis["components"], strict=False):
        assert np.allclose(np.asarray(image.get_array()).ravel(), row)
        low, high = image.get_clim()
        assert low == -high and high == pytest.approx(np.abs(row).max())
    assert axes.texts[8].get_text() == f"9 · {100 * basis['ratio'][8]:.1f} %"


@pytest.mark.parametrize("period", [8, 16, 32])
def test_the_wavelength_of_a_wave_is_its_period(period: int) -> None:
    wave = np.sin(2 * np.pi * np.arange(64) / period)[:, None] * np.ones(64)
    assert wavelength(wave) == pytest.approx(period, rel=0.06)
    assert wavelength(wave.T) == pytest.approx(wavelength(wave))
    assert wavelength(np.ones((4, 4))) == float("inf")


def test_the_sentence_of_the_components_tells_coarse_from_fine() -> None:
    waves = np.stack(
        [np.outer(np.sin(2 * np.pi * np.arange(32) / p), np.ones(32)).ravel() for p in
         (32, 32, 32, 32, 8, 8, 8, 8)]
    )  # fmt: skip
    basis = {"components": waves, "ratio": np.array([0.2] + [0.05] * 7)}
    told = say_components(basis, {"shape": [32, 32]}, count=8)
    assert "The first 8 components explain 55.0 % of the variance" in told
    assert "ever finer, with a typical wavelength of 33 pixels" in told and "8 in the last" in told
    turned = {"components": waves[::-1], "ratio": basis["ratio"]}
    assert "no finer" in say_components(turned, {"shape": [32, 32]}, count=8)
