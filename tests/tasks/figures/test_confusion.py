from __future__ import annotations

import numpy as np
import pytest

from tasks.figures.confusion import (
    Mistake,
    plot_confusion,
    rank_mistakes,
    say_confusion,
    tabulate_shares,
    write_share,
)
from tasks.scores import confuse
from tests.tasks.figures.digit_frames import make_digits

NAMES = ["a", "b", "c"]
ABOUT = {"classes": NAMES}
TRUTH = np.repeat([0, 1, 2], [100, 10, 50])
TOLD = np.array([0] * 90 + [1] * 10 + [1] * 7 + [2] * 3 + [2] * 50)
CONFUSION = confuse(TRUTH, TOLD, NAMES)


def test_shares_are_of_the_true_class() -> None:
    counts, shares = tabulate_shares(CONFUSION.sample(frac=1, random_state=0), ABOUT)
    assert counts.tolist() == [[90, 10, 0], [0, 7, 3], [0, 0, 50]]
    assert np.allclose(shares, [[0.9, 0.1, 0.0], [0.0, 0.7, 0.3], [0.0, 0.0, 1.0]])


def test_the_worst_confusion_is_that_of_the_largest_share() -> None:
    assert rank_mistakes(CONFUSION, ABOUT) == [
        Mistake("b", "c", 3, 0.3),
        Mistake("a", "b", 10, 0.1),
    ]


def test_cells_show_the_shares_and_the_bars_the_worst() -> None:
    table, bars = plot_confusion(CONFUSION, ABOUT).get_axes()
    cells = {t.get_position()[::-1]: t.get_text() for t in table.texts}
    assert cells == {
        (0, 0): "90", (0, 1): "10", (1, 1): "70", (1, 2): "30", (2, 2): "100",
    }  # fmt: skip
    right, wrong = (np.ma.getmaskarray(np.ma.asarray(image.get_array())) for image in table.images)
    assert (~right == np.eye(3, dtype=bool)).all()
    assert (~wrong).sum() == 2
    assert [t.get_text().strip() for t in bars.texts] == [
        "b → c", "30.0 % (3)", "a → b", "10.0 % (10)",
    ]  # fmt: skip
    assert table.get_title(loc="left") == "91.9 % of 160 are right"


def test_right_is_blue_and_wrong_orange() -> None:
    table, _ = plot_confusion(CONFUSION, ABOUT).get_axes()
    blue, orange = (image.to_rgba(np.array([0.3]))[0] for image in table.images)
    assert blue[2] > blue[0] and orange[0] > orange[2]


@pytest.mark.parametrize(
    ("share", "roomy", "text"),
    [(0, True, ""), (1, True, "100"), (0.999, True, "99"), (0.123, True, "12"), (0.0994, True, "9.9"),
     (0.0996, True, "10"), (0.001, True, "0.1"), (0.0002, True, "·"), (0.004, False, ""),
     (0.03, False, "3"), (0.999, False, "99")],
)  # fmt: skip
def test_a_share_is_written_as_short_as_it_can(share: float, roomy: bool, text: str) -> None:
    assert write_share(share, roomy) == text


def test_a_perfect_classifier_and_a_class_without_images_are_drawn() -> None:
    codes = np.array([0, 0, 2])
    perfect = confuse(codes, codes, NAMES)
    _, bars = plot_confusion(perfect, ABOUT).get_axes()
    assert [t.get_text() for t in bars.texts] == ["none"]
    assert say_confusion(perfect, ABOUT) == (
        "100 % of the 3 test images are told right, from 100 % of a to 100 % of a."
    )


def test_thirty_classes_leave_small_shares_out() -> None:
    frames = make_digits(classes=30, rows=3000, names="long")
    table, bars = plot_confusion(frames["confusion"], frames["about"]).get_axes()
    assert len(table.get_xticklabels()) == 30 and len(bars.patches) == 8
    assert all(t.get_text().isdigit() for t in table.texts)


def test_the_sentence_follows_the_numbers() -> None:
    assert say_confusion(CONFUSION, ABOUT) == (
        "91.9 % of the 160 test images are told right, from 70.0 % of b to 100 % of c; most often "
        "mistaken are b for c (30.0 % of the class) and a for b (10.0 % of the class)."
    )
