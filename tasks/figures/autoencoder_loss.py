"""How the loss fell, epoch by epoch, and how far it is from what a perfect copy would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.style import (
    ACCENT,
    INK,
    MUTED,
    PACKAGES,
    SMALL,
    dress,
    label_looks,
    line_key,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, distinct_names, prose

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def unseen_loss(history: pd.DataFrame) -> pd.Series[float]:
    """Return the cross-entropy of the test images by epoch, of a VAE without its second term."""
    column = "test_cross_entropy" if "test_cross_entropy" in history else "test_loss"
    return history[column]


def plot_losses(histories: Mapping[str, pd.DataFrame], bounds: Mapping[str, Any]) -> Figure:
    """Return the loss of unseen images by epoch, and its distance from the floor on a log scale."""
    names = list(histories)
    looks = label_looks(names)
    shown = distinct_names(names)
    last = {name: float(unseen_loss(histories[name]).iloc[-1]) for name in names}
    key = {name: f"{shown[name]}: {last[name]:.4f}" for name in names}
    floor = float(bounds["test_floor"])
    epochs = max(len(history) for history in histories.values())
    figure = new_sheet(
        3.5,
        "Binary cross-entropy of unseen images, epoch by epoch",
        "mean over pixels and images, in nats · floor: the entropy of the grey pixels, which a "
        "perfect copy has too · mean image: the same one given back for all"
        + (" · thin: training images, while they are learned" if epochs > 2 else ""),
        line_key(looks, key),
    )
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    dress(left, "loss", x="epoch", y="cross-entropy")
    dress(right, "distance from the floor", x="epoch", y="cross-entropy − floor", grid="both")
    marker = "o" if epochs < 8 else ""
    for name, look in looks.items():
        history = histories[name]
        test = unseen_loss(history)
        _draw_training(left, history, look.colour)
        for axes, values in ((left, test), (right, (test - floor).clip(lower=1e-6))):
            axes.plot(
                history["epoch"], values, color=look.colour, linestyle=look.dash, linewidth=1.9,
                marker=marker, markersize=4, zorder=4,
            )  # fmt: skip
    highest = max(float(unseen_loss(history).max()) for history in histories.values())
    _draw_bounds(left, floor, float(bounds["mean_image"]), highest)
    right.set_yscale("log")
    _set_log_ticks(right)
    for axes in (left, right):
        _set_epochs(axes, epochs)
    return figure


def _draw_training(axes: Axes, history: pd.DataFrame, colour: str) -> None:
    column = "cross_entropy" if "cross_entropy" in history else "loss"
    # The first epoch's mean is that of a network that begins to learn: it would flatten the rest.
    rows = history[history["epoch"] > 1]
    axes.plot(rows["epoch"], rows[column], color=colour, linewidth=0.9, alpha=0.7, zorder=3)


def _draw_bounds(axes: Axes, floor: float, mean_image: float, highest: float) -> None:
    """The floor, and what the mean image costs: a model lies between the two."""
    span = max(highest - floor, mean_image - floor, 1e-3)
    axes.set_ylim(floor - 0.16 * span, floor + 1.12 * span)
    axes.axhspan(floor - span, floor, color=ACCENT, alpha=0.1, linewidth=0, zorder=1)
    for height, gap, align, colour, text in (
        (floor, -0.045, "top", ACCENT, f"floor {floor:.4f}"),
        (mean_image, 0.025, "bottom", MUTED, f"mean image {mean_image:.3f}"),
    ):
        axes.axhline(height, color=colour, linewidth=1.3, zorder=3)
        axes.text(
            0.985, height + gap * span, text, ha="right", va=align, color=colour,
            fontsize=SMALL + 0.5, fontweight="bold", transform=axes.get_yaxis_transform(), zorder=5,
        )  # fmt: skip


def _set_epochs(axes: Axes, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5 if epochs < 8 else 0, epochs + (0.5 if epochs < 8 else 0.02 * epochs))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def _set_log_ticks(axes: Axes) -> None:
    """Write every tick of 1, 2, 3 and 5 times a power of ten as a plain number."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)
    for label in axes.get_yticklabels():
        label.set_color(INK if label.get_text() else MUTED)


def say_losses(histories: Mapping[str, pd.DataFrame], bounds: Mapping[str, Any]) -> str:
    """Return one sentence: where each model ends, and that none goes below the floor."""
    floor = float(bounds["test_floor"])
    last = {name: float(unseen_loss(history).iloc[-1]) for name, history in histories.items()}
    ordered = sorted(last, key=lambda name: last[name])
    least = min(float(unseen_loss(history).min()) for history in histories.values())
    name = ordered[0]
    text = (
        f"{prose(name)} ends at {last[name]:.4f} on unseen images after "
        f"{counted(len(histories[name]), 'epoch')}, {last[name] - floor:.4f} above the floor of "
        f"{floor:.4f}"
    )
    if len(ordered) > 1:
        other = ordered[-1]
        text += f", {prose(other)} at {last[other]:.4f}"
    if least < floor:
        return f"{text}; a loss of {least:.4f} lies below the floor, which only a mistake can do."
    return f"{text}; no loss lies below the floor."


@stage(packages=PACKAGES)
def draw_losses(histories: dict[str, pd.DataFrame], bounds: dict[str, Any]) -> Picture:
    """Draw the loss of unseen images by epoch for each model, with the least loss that can be.

    Arguments:
        histories: by model: epoch, loss, test_loss, of a VAE cross_entropy and test_cross_entropy.
        bounds: of `measure_bounds`.
    """
    return picture(plot_losses(histories, bounds), say_losses(histories, bounds))
