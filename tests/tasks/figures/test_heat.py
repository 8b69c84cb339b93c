from __future__ import annotations

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from tasks.figures.heat import rule_cells, type_colour
from tasks.figures.style import CARD, INK


@pytest.mark.parametrize(
    ("background", "expected"),
    [("#ffffff", INK), ("#08306b", CARD), ("#deebf7", INK), ("#d94801", CARD), ("#fdae6b", INK)],
)
def test_type_stands_out_from_its_cell(background: str, expected: str) -> None:
    assert type_colour(to_rgba(background)) == expected


def test_rules_run_between_cells_only() -> None:
    axes = Figure().subplots()
    axes.imshow([[0, 1, 2], [3, 4, 5]])
    axes.set_xticks(range(3))
    axes.set_yticks(range(2))
    rule_cells(axes, 2, 3)
    assert list(axes.get_xticks(minor=True)) == [0.5, 1.5]
    assert list(axes.get_yticks(minor=True)) == [0.5]
    assert not any(spine.get_visible() for spine in axes.spines.values())
