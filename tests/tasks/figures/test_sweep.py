from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from tasks.figures.sweep import (
    MOST_COLUMNS,
    MOST_ROWS,
    plot_sweep,
    say_sweep,
    tabulate_cells,
)
from tests.tasks.figures.digit_frames import make_means


def test_every_cell_is_written_where_it_belongs() -> None:
    means = make_means()
    (axes,) = plot_sweep(means).get_axes()
    names = [t.get_text() for t in axes.get_yticklabels()]
    ks = [int(t.get_text().replace(",", "")) for t in axes.get_xticklabels()]
    assert ks == [10, 40, 100, 300] and len(axes.texts) == len(means)
    scaling = ""
    written = {}
    for row, name in enumerate(names):
        cells = [t for t in axes.texts if t.get_position()[1] == row]
        if not cells:
            scaling = name.replace(" → ", "-")
        for cell in cells:
            written[scaling, name, ks[int(cell.get_position()[0])]] = float(cell.get_text())
    for _, mean in means.iterrows():
        space = "all pixels" if mean["space"] == "raw" else f"{mean['space'][3:]} components"
        name = f"{space} · {'KMeans' if mean['algorithm'] == 'kmeans' else 'MiniBatch'}"
        shown = written[mean["scaling"], name, mean["clusters"]]
        assert abs(shown - 100 * mean["accuracy"]) <= 0.051


def test_the_best_scaling_comes_first_and_the_best_cell_is_framed() -> None:
    (axes,) = plot_sweep(make_means()).get_axes()
    headings = [t.get_text() for t in axes.get_yticklabels() if t.get_fontweight() == "bold"]
    assert headings == ["normalise", "unit", "standard → normalise", "standard"]
    (frame,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    column, row = frame.get_x() + 0.5, frame.get_y() + 0.5
    (inside,) = [t for t in axes.texts if t.get_position() == (column, row)]
    assert inside.get_text() == max((t.get_text() for t in axes.texts), key=float)
    assert inside.get_fontweight() == "bold"


def test_a_cell_that_was_not_computed_is_a_dot() -> None:
    means = make_means(scalings=("unit",)).drop(index=5)
    (axes,) = plot_sweep(means).get_axes()
    assert [t.get_text() for t in axes.texts].count("·") == 1


def test_a_single_cell_is_drawn() -> None:
    one = make_means(scalings=("unit",), spaces=("raw",), ks=(10,), seeds=1)
    (axes,) = plot_sweep(one).get_axes()
    assert [t.get_text() for t in axes.texts] == ["55.0"]
    assert say_sweep(one) == (
        "The most accurate of 1 clustering has 10 clusters (MiniBatch) and tells 55.0 % of the "
        "test images right."
    )


def test_huge_sweeps_show_their_best_rows_and_some_columns() -> None:
    rows = [
        ("unit", f"pca{d}", "minibatch", k, d, 1, d / 100 + k / 10000, 0.0)
        for d in range(1, 61) for k in range(10, 400, 10)
    ]  # fmt: skip
    means = pd.DataFrame(
        rows, columns=["scaling", "space", "algorithm", "clusters", "dimensions", "seeds",
                       "accuracy", "accuracy_sd"],
    )  # fmt: skip
    table = tabulate_cells(means)
    assert len(table) == MOST_ROWS and table.index[-1][1] == "pca60"
    figure = plot_sweep(means)
    ks = [int(t.get_text()) for t in figure.get_axes()[0].get_xticklabels()]
    assert len(ks) == MOST_COLUMNS and (ks[0], ks[-1]) == (10, 390)
    assert f"the best {MOST_ROWS} of 60 rows" in figure.texts[-1].get_text().replace("\n", " ")


def test_shades_follow_the_errors_so_that_good_cells_differ() -> None:
    means = make_means(scalings=("unit",), spaces=("raw",), ks=(10, 20, 40))
    means["accuracy"] = [0.8, 0.9, 0.95]
    (axes,) = plot_sweep(means).get_axes()
    shade = np.asarray(axes.images[0].get_array())[0]
    assert np.isclose(shade[1] - shade[0], shade[2] - shade[1])


def test_the_sentence_follows_the_numbers() -> None:
    means = make_means()
    told = say_sweep(means)
    assert told.startswith(
        "The most accurate of 156 clusterings has 300 clusters (normalise, 40 components, KMeans) "
        "and tells "
    )
    assert "(sd 0.8) of the test images right; " in told and "40 components, MiniBatch)." in told
