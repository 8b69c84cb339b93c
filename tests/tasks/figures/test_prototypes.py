from __future__ import annotations

import numpy as np

from tasks.figures.prototypes import plot_prototypes, say_prototypes
from tests.tasks.figures.digit_frames import Frames, make_digits


def axes_of(frames: Frames, table: str = "prototypes"):
    return plot_prototypes(
        frames[table], frames["images"], frames["labels"], frames["about"]
    ).get_axes()


def test_a_row_a_class_from_its_largest_prototype_to_its_smallest() -> None:
    frames = make_digits(classes=4, clusters=12)
    labels = frames["labels"]
    plate = axes_of(frames)[0]
    order = labels.sort_values(["label", "size", "prototype"], ascending=[True, False, True])
    assert len(plate.images) == 12
    for shown, prototype in zip(plate.images, order["prototype"], strict=True):
        assert np.array_equal(np.asarray(shown.get_array()), frames["images"][prototype])
    shares = [t.get_text() for t in plate.texts if t.get_text().endswith("%")]
    total = labels[labels["label"] == "0"]["size"].sum()
    assert shares[0] == f"{100 * labels[labels['label'] == '0']['size'].max() / total:.0f} %"


def test_of_many_prototypes_the_largest_are_shown_and_the_note_says_so() -> None:
    frames = make_digits(classes=2, clusters=40, rows=100)
    figure = plot_prototypes(
        frames["prototypes"], frames["images"], frames["labels"], frames["about"]
    )
    assert len(figure.get_axes()[0].images) == 24
    assert figure.texts[-1].get_text().startswith("of each class the 12 largest prototypes")


def test_a_class_without_prototypes_has_no_row() -> None:
    frames = make_digits(classes=4, clusters=3)
    texts = [t.get_text() for t in axes_of(frames)[0].texts]
    assert "2" in texts and "3" not in texts


def test_the_curve_shows_the_means_over_seeds() -> None:
    frames = make_digits(clusters=10)
    _, curve = axes_of(frames)
    table = frames["prototypes"]
    means = table.groupby("per_class")["accuracy"].mean()
    assert np.allclose(curve.lines[0].get_xydata(), np.stack([means.index, means], axis=1))
    assert [t.get_text() for t in curve.texts] == [f"{100 * m:.1f} %" for m in means]
    assert "3 seeds" in curve.get_title(loc="left")
    frames["prototypes"] = table[table["per_class"] == 5]
    assert len(axes_of(frames)) == 1


def test_the_sentence_follows_the_numbers() -> None:
    frames = make_digits(clusters=10)
    table, labels = frames["prototypes"], frames["labels"]
    assert say_prototypes(table, labels) == (
        "The class of the nearest prototype is right for 69.8 % with 1 a class and 93.1 % with "
        "20 a class of the test images; the 10 prototypes of one fit are drawn."
    )
    peak = table.assign(accuracy=table["accuracy"] + 0.1 * (table["per_class"] == 5))
    assert "and most often, for 96.4 %, with 5 a class;" in say_prototypes(peak, labels)
    assert "right for 69.8 % with 1 a class of the test" in say_prototypes(table.head(3), labels)
