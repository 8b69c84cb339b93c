"""Between which losses a model must come to lie: of a perfect copy, and of one that knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import stage
from tasks.autoencoder.errors import cross_entropy, entropy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

_ROWS = 5000


@stage(packages=("numpy",))
def measure_bounds(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The cross-entropy of a perfect copy, and that of the mean training image for every image.

    Arguments:
        train, test: x, uint8 (n, h, w) or (n, h, w, c).

    Returns:
        train_floor, test_floor (the entropy of the grey values: no loss can be lower), mean_image
        (of the test images), in nats, means over pixels and images; finding.
    """
    import numpy as np

    mean = train["x"].mean(axis=0, dtype=np.float64) / 255
    floors = {name: _mean(part["x"], None) for name, part in (("train", train), ("test", test))}
    guess = _mean(test["x"], mean)
    return {
        "train_floor": floors["train"],
        "test_floor": floors["test"],
        "mean_image": guess,
        "finding": f"On unseen images no loss can be lower than {floors['test']:.4f}, the entropy of "
        f"their grey pixels; the mean training image has {guess:.3f}.",
    }


def _mean(images: np.ndarray, guess: np.ndarray | None) -> float:
    """The mean entropy of images, or their mean cross-entropy with one guess (h, w) for all."""
    import numpy as np

    total = 0.0
    for start in range(0, len(images), _ROWS):
        part = images[start : start + _ROWS].astype(np.float32) / np.float32(255)
        if guess is None:
            total += float(entropy(part).sum())
        else:
            total += float(cross_entropy(part, np.broadcast_to(guess, part.shape)).sum())
    return total / len(images)
