from __future__ import annotations

from matplotlib.figure import Figure

from tasks.figures.against_k import mark_k, set_k_axis


def test_few_k_have_a_tick_each_and_many_whole_ones() -> None:
    axes = Figure().subplots()
    set_k_axis(axes, range(2, 13))
    assert list(axes.get_xticks()) == list(range(2, 13))
    set_k_axis(axes, range(4, 41))
    assert all(tick == int(tick) for tick in axes.get_xticks())
    assert axes.get_xlim()[0] < 4 and axes.get_xlim()[1] > 40


def test_a_mark_writes_towards_the_middle() -> None:
    axes = Figure().subplots()
    set_k_axis(axes, range(2, 13))
    mark_k(axes, 2, 0.5, "low")
    mark_k(axes, 12, 0.5, "high")
    low, high = axes.texts
    assert low.get_horizontalalignment() == "left"
    assert high.get_horizontalalignment() == "right"
