"""How well a network tells unseen images apart, and which ones it gets most wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage, work
from tasks.dreams.viewer import PACKAGES, Viewer
from tasks.figures.words import percent
from tasks.scores import confuse, rate_classes, say_weakest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd


class Evaluation(NamedTuple):
    """confusion: truth, predicted, rows, every pair of classes · mistakes: image (row of the test
    images), truth, predicted, chance (of what was predicted), chance_truth; the surest mistake
    first · summary: accuracy, per_class, mistakes, loss (cross-entropy, nats), finding."""

    confusion: pd.DataFrame
    mistakes: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def evaluate_cnn(
    model: File,
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
) -> Evaluation:
    """Classify the test images.

    Arguments:
        model: a `.keras` file whose output is a score or a chance for each class.
        test: x uint8 (n, h, w[, c]), y int64 (n,).
        about: classes, the names by code.

    Raises:
        InputError: the network has another number of classes.
    """
    import numpy as np
    import pandas as pd

    viewer = Viewer(model)
    names = about["classes"]
    if viewer.classes != len(names):
        raise InputError(
            f"the network tells {viewer.classes} classes apart and the images have {len(names)}: it "
            "was trained for something else"
        )
    images, truth = viewer.prepare(test["x"]), np.asarray(test["y"])
    chances = viewer.look(images, lambda done, total: work.progress(done, total, "image")).chances
    predicted = chances.argmax(axis=1)
    rows = np.arange(len(truth))
    own = chances[rows, truth]
    wrong = np.flatnonzero(predicted != truth)
    wrong = wrong[np.argsort(own[wrong] - chances[wrong, predicted[wrong]], kind="stable")]
    text = np.array(names, dtype=object)
    mistakes = pd.DataFrame(
        {
            "image": wrong,
            "truth": text[truth[wrong]],
            "predicted": text[predicted[wrong]],
            "chance": chances[wrong, predicted[wrong]].astype(np.float64),
            "chance_truth": own[wrong].astype(np.float64),
        }
    )
    accuracy = float((predicted == truth).mean())
    per_class = rate_classes(truth, predicted, names)
    confusion = confuse(truth, predicted, names)
    told = (
        f"The network tells {percent(accuracy, 2)} of the {len(truth):,} test images right and "
        f"{len(wrong):,} wrong"
    )
    weakest = f"; {say_weakest(per_class, confusion)}" if len(wrong) else ""
    summary = {
        "accuracy": accuracy,
        "per_class": per_class,
        "mistakes": len(wrong),
        "loss": float(-np.log(np.maximum(own, 1e-12)).mean(dtype=np.float64)),
        "finding": f"{told}{weakest}.",
    }
    return Evaluation(confusion, mistakes, summary)
