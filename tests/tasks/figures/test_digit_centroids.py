from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.figures.digit_centroids import (
    MOST_CENTROIDS,
    plot_digit_centroids,
    say_digit_centroids,
    sort_clusters,
)
from tasks.figures.style import ACCENT
from tests.tasks.figures.digit_frames import make_digits


def test_every_centroid_stands_under_its_label_with_purity_and_size() -> None:
    frames = make_digits(clusters=20)
    mapping, images = frames["mapping"], frames["images"]
    (axes,) = plot_digit_centroids(images, mapping, frames["about"]).get_axes()
    written = [t.get_text() for t in axes.texts]
    order = sort_clusters(mapping, frames["about"])
    labels = [name.rstrip("*") for name in written[::2]]
    assert labels == list(order["label"]) == sorted(mapping["label"])
    for shown, cluster, caption in zip(axes.images, order["cluster"], written[1::2], strict=True):
        assert np.array_equal(np.asarray(shown.get_array()), images[cluster])
        purity, size = mapping["purity"][cluster], int(mapping["size"][cluster])
        assert caption == f"{min(99, round(100 * purity)) if purity < 1 else 100} % · {size:,}"


def test_within_a_label_the_largest_cluster_comes_first() -> None:
    order = sort_clusters(make_digits(clusters=40)["mapping"], make_digits()["about"])
    assert all(part["size"].is_monotonic_decreasing for _, part in order.groupby("label"))


@pytest.mark.parametrize("clusters", [101, 300, 2000])
def test_of_many_clusters_each_label_keeps_its_share(clusters: int) -> None:
    about = {"classes": ["rare", "a", "b"]}
    label = np.where(np.arange(clusters) < 2, "rare", np.where(np.arange(clusters) % 4, "a", "b"))
    mapping = pd.DataFrame(
        {"cluster": range(clusters), "label": label, "size": np.arange(clusters) + 1,
         "purity": 0.9, "mapped": True}
    )  # fmt: skip
    kept = sort_clusters(mapping, about)
    assert len(kept) == MOST_CENTROIDS
    shares = kept["label"].value_counts(normalize=True)
    assert shares["rare"] >= 0.01
    assert shares["a"] == pytest.approx((label == "a").mean(), abs=0.03)
    for name, part in kept.groupby("label"):
        rest = mapping[(mapping["label"] == name) & ~mapping["cluster"].isin(part["cluster"])]
        assert rest.empty or part["size"].min() >= rest["size"].max()


def test_the_note_tells_what_is_left_out() -> None:
    frames = make_digits(clusters=130)
    figure = plot_digit_centroids(frames["images"], frames["mapping"], frames["about"])
    note = figure.texts[-1].get_text().replace("\n", " ")
    assert note.startswith("100 of 130 clusters, of each label the largest, with ")
    assert "130 clusters" in figure.texts[0].get_text()


def test_borrowed_labels_and_mixed_clusters_are_marked() -> None:
    frames = make_digits(clusters=10)
    mapping = frames["mapping"].assign(
        purity=[0.4] + [1.0] * 8 + [0.996], mapped=[True] * 9 + [False]
    )
    figure = plot_digit_centroids(frames["images"], mapping, frames["about"])
    (axes,) = figure.get_axes()
    names, captions = axes.texts[::2], axes.texts[1::2]
    assert [t.get_text().endswith("*") for t in names] == [False] * 9 + [True]
    assert [t.get_color() == ACCENT for t in captions] == [True] + [False] * 9
    assert captions[9].get_text().startswith("99 %") and captions[8].get_text().startswith("100 %")
    note = figure.texts[-1].get_text().replace("\n", " ")
    assert "*: no majority of its own" in note and "orange: less than half" in note


def test_the_sentence_follows_the_numbers() -> None:
    mapping = pd.DataFrame(
        {"cluster": range(4), "label": ["a", "a", "b", "b"], "size": [100, 50, 40, 10],
         "purity": [1.0, 0.8, 0.5, 0.3], "mapped": True}
    )  # fmt: skip
    told = say_digit_centroids(mapping, {"classes": ["a", "b", "c"]})
    assert told == (
        "81.5 % of the training images carry the label of their cluster; the least pure of the "
        "4 clusters is one of b with 30.0 %, and no cluster stands for c."
    )
    assert say_digit_centroids(mapping, {"classes": ["a", "b"]}).endswith(
        "and every label has 2 clusters."
    )
    assert say_digit_centroids(mapping.head(3), {"classes": ["a", "b"]}).endswith(
        "and a label has from 1 (b) to 2 clusters (a)."
    )
