"""The latent card as a table: a row a model, and one for as many principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import BREADTH, LINE, fit_names, new_plate
from tasks.figures.style import GRID, INK, LABEL, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import counted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Measure:
    """A column: its heading in two lines, how a value is written, whether more is better."""

    first: str
    second: str
    form: str
    better: bool | None

    def write(self, value: float) -> str:
        """The value as it stands in the table; shares in percent."""
        if value != value:  # not a number: there is no such value
            return "–"
        return f"{100 * value:.1f}" if self.form == "%" else format(value, self.form)


MEASURES = {
    "above": Measure("BCE above", "the floor", ".4f", False),
    "mse": Measure("", "MSE", ".4f", False),
    "psnr": Measure("PSNR", "dB", ".1f", True),
    "ssim": Measure("", "SSIM", ".3f", True),
    "knn": Measure("points", "%", "%", True),
    "linear": Measure("planes", "%", "%", True),
    "accuracy": Measure("KMeans", "%", "%", True),
    "ari": Measure("KMeans", "ARI", ".2f", True),
    "nmi": Measure("KMeans", "NMI", ".2f", True),
    "active": Measure("active", "axes", "d", None),
    "mixture": Measure("mixture", "pass, %", "%", True),
    "normal": Measure("normal", "pass, %", "%", True),
}
NAMES = 1.55  # inches for the models
ROW = 2.1 * LINE
BEST = "#e3edf7"


def plot_card(card: pd.DataFrame, neighbours: int = 10, clusters: int = 10) -> Figure:
    """Return the table; the best model of each column on a shade, components in grey."""
    figure, axes = new_plate(
        2.6 * LINE + ROW * len(card) + 0.05,
        "Latent card: what is kept of an image, and what z is good for",
        (
            "percent: unseen images whose class is told right in z, which was never told of classes: "
            f"by their nearest {counted(neighbours, 'training point')}, by planes, and by "
            f"{counted(clusters, 'cluster')} of KMeans",
            "pass: samples of a mixture and of a normal distribution that look like images of the data",
            "shaded: the best model",
        ),
    )
    width = (BREADTH - NAMES) / len(MEASURES)
    names = fit_names([str(name) for name in card["model"]], NAMES - 0.1, LABEL)
    for column, measure in enumerate(MEASURES.values()):
        x = NAMES + (column + 1) * width - 0.06
        for line, text in enumerate((measure.first, measure.second)):
            axes.text(
                x, (0.2 + line) * LINE, text, ha="right", va="top", fontsize=SMALL, color=MUTED
            )
    top = 2.6 * LINE
    axes.plot([0, BREADTH], [top - 0.04] * 2, color=GRID, linewidth=1.2)
    for line, row in enumerate(card.to_dict("records")):
        net = row["kind"] != "PCA"
        y = top + line * ROW
        axes.text(
            0, y + ROW / 2, names[str(row["model"])], va="center", fontsize=LABEL,
            fontweight="bold" if net else "normal", color=INK if net else MUTED,
        )  # fmt: skip
        for column, (key, measure) in enumerate(MEASURES.items()):
            x = NAMES + (column + 1) * width
            if net and _is_best(card, key, measure, float(row[key])):
                _shade(axes, x - width, y, width)
            axes.text(
                x - 0.06, y + ROW / 2, measure.write(row[key]), ha="right", va="center",
                fontsize=LABEL - 0.5, color=INK if net else MUTED,
            )  # fmt: skip
    return figure


def _is_best(card: pd.DataFrame, key: str, measure: Measure, value: float) -> bool:
    nets = card[card["kind"] != "PCA"][key].dropna()
    if measure.better is None or len(nets) < 2:
        return False
    return bool(value == (nets.max() if measure.better else nets.min()))


def _shade(axes: Axes, x: float, y: float, width: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((x, y + 0.02), width, ROW - 0.04, facecolor=BEST, edgecolor="none", zorder=1)
    )


@stage(packages=PACKAGES)
def draw_card(card: pd.DataFrame, summary: dict[str, Any]) -> Picture:
    """Draw the latent card as a table.

    Arguments:
        card, summary: of `compile_card`.
    """
    figure = plot_card(card, summary["neighbours"], summary["clusters"])
    return picture(figure, str(summary["sentence"]))
