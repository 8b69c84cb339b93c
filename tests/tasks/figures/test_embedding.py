from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tasks.figures.embedding import (
    CLASS_COLOURS,
    class_colours,
    find_centre,
    plot_tsne,
    read_labels,
    say_tsne,
    spread_apart,
)
from tasks.figures.style import INK
from tests.tasks.figures.digit_frames import Frames, make_digits
from tests.tasks.figures.test_style import SIGHT, seen

if TYPE_CHECKING:
    from matplotlib.collections import Collection


def inputs(frames: Frames) -> tuple[Any, Any, Any, Any, Any]:
    return (
        frames["points"], frames["assignment"], frames["train"], frames["mapping"], frames["about"],
    )  # fmt: skip


def offsets(points: Collection) -> np.ndarray:
    return np.asarray(points.get_offsets())


def colours(points: Collection) -> list[str]:
    return [to_hex(tuple(colour)) for colour in np.asarray(points.get_facecolor())]


@pytest.mark.parametrize("sight", SIGHT)
def test_ten_classes_and_the_mistakes_differ_for_colour_blind_readers(sight: str) -> None:
    assert len(class_colours([str(i) for i in range(10)]).values()) == 10
    for one, other in combinations((*CLASS_COLOURS, INK), 2):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) > 0.07, (one, other)


def test_labels_are_looked_up_through_rows_and_clusters() -> None:
    frames = make_digits(classes=3, clusters=3)
    frames["points"] = {"xy": np.zeros((3, 2)), "rows": np.array([5, 1, 9])}
    frames["mapping"] = frames["mapping"].assign(label=["2", "0", "1"]).iloc[::-1]
    truth, told = read_labels(*inputs(frames))
    assert truth.tolist() == frames["train"]["y"][[5, 1, 9]].tolist()
    assert told.tolist() == [[2, 0, 1][c] for c in frames["assignment"]["train"][[5, 1, 9]]]


def test_mistakes_are_ink_and_all_others_have_their_class_colour() -> None:
    frames = make_digits(classes=4, clusters=8)
    truth, told = read_labels(*inputs(frames))
    left, right = plot_tsne(*inputs(frames), frames["quality"]).get_axes()
    palette = list(class_colours(frames["about"]["classes"]).values())
    (points,) = left.collections
    assert colours(points) == [palette[code].lower() for code in truth]
    good, bad = right.collections
    assert np.allclose(offsets(bad), frames["points"]["xy"][truth != told])
    assert colours(bad) == [INK]
    assert len(offsets(good)) == (truth == told).sum()
    assert f"black: {100 * (truth != told).mean():.1f} % wrong" in right.get_title(loc="left")


def test_every_class_is_named_at_its_centre() -> None:
    frames = make_digits(classes=6, clusters=6)
    left, _ = plot_tsne(*inputs(frames), frames["quality"]).get_axes()
    codes, xy = frames["train"]["y"], frames["points"]["xy"]
    assert sorted(t.get_text() for t in left.texts) == list("012345")
    for text in left.texts:
        mean = xy[codes == int(text.get_text())].mean(axis=0)
        assert np.linalg.norm(np.array(text.get_position()) - mean) < 4


def test_a_class_that_no_cluster_stands_for_is_named_on_the_left_alone() -> None:
    frames = make_digits(classes=6, clusters=5)
    left, right = plot_tsne(*inputs(frames), frames["quality"]).get_axes()
    assert {t.get_text() for t in left.texts} - {t.get_text() for t in right.texts} == {"5"}


def test_the_centre_lies_among_the_points_even_of_two_groups() -> None:
    rng = np.random.default_rng(0)
    groups = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(20, 1, (200, 2)), [[500, 500]]])
    assert np.linalg.norm(find_centre(groups)) < 2
    assert find_centre(np.array([[1.0, 2.0]])) == (1.0, 2.0)
    assert find_centre(np.ones((5, 2))) == (1.0, 1.0)


def test_names_that_would_meet_move_apart_and_stay_inside() -> None:
    centres = np.tile([9.5, 5.0], (6, 1)) + np.linspace(0, 0.01, 6)[:, None]
    sizes = np.tile([2.0, 1.0], (6, 1))
    moved = spread_apart(centres, sizes, np.zeros(2), np.full(2, 10.0))
    for one, other in combinations(moved, 2):
        assert (np.abs(one - other) >= [2 - 1e-3, 1 - 1e-3]).any()
    assert (moved - sizes / 2 >= -1e-9).all() and (moved + sizes / 2 <= 10 + 1e-9).all()
    apart = np.array([[1.0, 1.0], [8.0, 8.0]])
    assert np.allclose(spread_apart(apart, sizes[:2], np.zeros(2), np.full(2, 10.0)), apart)


def test_of_very_many_points_a_sample_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.figures.embedding.MOST_POINTS", 100)
    frames = make_digits()
    figure = plot_tsne(*inputs(frames), frames["quality"])
    left, _ = figure.get_axes()
    assert len(offsets(left.collections[0])) == 100
    assert "100 of 600 points drawn" in figure.texts[-1].get_text().replace("\n", " ")


def test_the_sentence_follows_the_numbers() -> None:
    frames = make_digits(classes=3)
    truth = np.array([0] * 8 + [1] * 4 + [2] * 8)
    told = truth.copy()
    told[:2], told[8:10] = 1, 2
    text = say_tsne(truth, told, frames["mapping"], frames["about"], frames["quality"])
    assert text == (
        "The map keeps 42.1 % of each point's 10 nearest neighbours (trustworthiness 0.988) and "
        "95.3 % of the points lie among their own class; the 20 clusters mislabel 20.0 % of them, "
        "most of 1 (50.0 %) and 0 (25.0 %)."
    )
    right = say_tsne(truth, truth, frames["mapping"], frames["about"], frames["quality"])
    assert right.endswith("the 20 clusters mislabel 0 % of them.")
