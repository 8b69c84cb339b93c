from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tasks.figures.pca import plot_pca, say_pca

Frames = dict[str, Any]


def plot(frames: Frames) -> Any:
    return plot_pca(
        frames["variance"], frames["loadings"], frames["scores"], frames["labels"], frames["about"]
    )


def test_scree_loadings_and_scores_are_those_of_the_tables(frames: Frames) -> None:
    scree, heat, plane = plot(frames).get_axes()
    heights = [bar.get_height() for bar in scree.patches]
    assert np.allclose(heights, frames["variance"]["ratio"])
    assert np.allclose(scree.lines[0].get_ydata(), frames["variance"]["cumulative"])
    table = frames["loadings"].drop(columns="component").to_numpy().T
    assert np.allclose(np.asarray(heat.images[0].get_array()), table)
    written = [float(t.get_text().replace("−", "-")) for t in heat.texts]
    assert np.allclose(written, table.ravel(), atol=0.0051)
    points = sum(len(np.asarray(layer.get_offsets())) for layer in plane.collections)
    assert points == len(frames["scores"])
    assert plane.get_xlabel().startswith("PC1 [dBm]")


def test_a_distance_means_the_same_on_both_axes(frames: Frames) -> None:
    figure = plot(frames)
    figure.draw_without_rendering()
    plane = figure.get_axes()[2]
    (x0, y0), (x1, y1) = plane.transData.transform([(0, 0), (1, 1)])
    assert np.isclose(x1 - x0, y1 - y0, rtol=1e-3)


def test_of_many_features_those_with_large_loadings_are_shown(
    framed: Callable[..., Frames],
) -> None:
    frames = framed(features=30, unit="")
    figure = plot(frames)
    heat = figure.get_axes()[1]
    shown = np.asarray(heat.images[0].get_array())
    assert shown.shape == (12, 12)
    first = frames["loadings"].drop(columns="component").iloc[:3].abs().max()
    assert np.isclose(np.abs(shown[:, :3]).max(), first.max())
    assert any("18 features" in text.get_text() for text in figure.texts)


def test_a_single_component_is_drawn_without_a_plane(frames: Frames) -> None:
    cut = {key: frames[key].iloc[:1] for key in ("variance", "loadings")}
    plot(frames | cut | {"scores": frames["scores"][["pc1"]]})


def test_the_sentence_names_the_axes_and_follows_the_numbers() -> None:
    variance = pd.DataFrame(
        {
            "component": [1, 2, 3],
            "ratio": [0.656, 0.199, 0.049],
            "cumulative": [0.656, 0.855, 0.904],
        }
    )
    loadings = pd.DataFrame(
        {"component": [1, 2, 3], "a": [0.62, 0.1, 0.7], "b": [0.63, 0.2, -0.7], "c": [0.2, 0.85, 0]}
    )
    told = say_pca(variance, loadings)
    assert told == (
        "PC1 explains 65.6 % of the variance and the first 3 components 90.4 %; "
        "PC1 is mostly b (0.63) and a (0.62), PC2 mostly c (0.85)."
    )
    assert "PC1 is mostly c" in say_pca(variance, loadings.rename(columns={"b": "c", "c": "b"}))
