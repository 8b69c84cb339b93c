"""Unseen images and what is left of them after the bottleneck, of the net and of as many components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage
from tasks.autoencoder.encoding import PACKAGES, decode_points, load_part, to_bytes, without_channel
from tasks.autoencoder.errors import (
    cross_entropy,
    entropy,
    noise_ratio,
    similarity,
    squared_error,
)
from tasks.components import back_project
from tasks.figures.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

_ROWS = 2000


class Reconstruction(NamedTuple):
    """images: uint8, the shape of the originals · errors: row, bce, floor, mse, psnr, ssim, a row an
    image · summary: their means, above (bce − floor), rows, dimensions, finding."""

    images: np.ndarray
    errors: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=(*PACKAGES, "pandas"))
def reconstruct(
    decoder: File, latents: np.ndarray, test: Mapping[str, np.ndarray]
) -> Reconstruction:
    """Decode the points of unseen images and measure what is missing.

    Arguments:
        decoder: a Keras model, z (n, d) to images (n, h, w, c), 0..1.
        latents: float32 (n, d), of the images in `test`.
        test: x, uint8 (n, h, w) or (n, h, w, c).
    """
    rebuilt = decode_points(load_part(decoder), latents)
    found = _measure(test["x"], rebuilt, latents.shape[1])
    mean = found.summary
    mean["finding"] = (
        f"{counted(mean['rows'], 'unseen image')} come back from "
        f"{counted(mean['dimensions'], 'number')} with a cross-entropy of {mean['bce']:.4f}, "
        f"{mean['above']:.4f} above the {mean['floor']:.4f} that their grey pixels cost even a "
        f"perfect copy (PSNR {mean['psnr']:.1f} dB, SSIM {mean['ssim']:.3f})."
    )
    return found


@stage(packages=("numpy", "pandas"))
def reconstruct_components(
    projection: np.ndarray, basis: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray]
) -> Reconstruction:
    """What as many principal components keep of the same images: the least an autoencoder must beat.

    Components know nothing of 0 and 1; values beyond are cut, and a cross-entropy, infinite for a
    wrong 0 or 1, is not given.

    Arguments:
        projection: float32 (n, c), coordinates of the test images, of `project`.
        basis: of `fit_components` on images / 255.
        test: x, uint8 (n, h, w) or (n, h, w, c).
    """
    import numpy as np

    rebuilt = np.clip(back_project(projection, basis), 0, 1).reshape(test["x"].shape)
    found = _measure(test["x"], without_channel(rebuilt), projection.shape[1])
    mean = found.summary
    mean["bce"] = mean["above"] = None
    mean["finding"] = (
        f"{counted(mean['dimensions'], 'principal component')} rebuild them with PSNR "
        f"{mean['psnr']:.1f} dB and SSIM {mean['ssim']:.3f}."
    )
    return Reconstruction(found.images, found.errors.drop(columns="bce"), mean)


def _measure(images: np.ndarray, rebuilt: np.ndarray, dimensions: int) -> Reconstruction:
    import numpy as np
    import pandas as pd

    images = without_channel(images)
    parts = []
    for start in range(0, len(images), _ROWS):
        original = images[start : start + _ROWS].astype(np.float32) / np.float32(255)
        copy = rebuilt[start : start + _ROWS]
        squared = squared_error(original, copy)
        parts.append(
            {
                "bce": cross_entropy(original, copy),
                "floor": entropy(original),
                "mse": squared,
                "psnr": noise_ratio(squared),
                "ssim": similarity(original, copy),
            }
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    means: dict[str, Any] = {name: float(values.mean()) for name, values in columns.items()}
    return Reconstruction(
        to_bytes(rebuilt),
        pd.DataFrame({"row": np.arange(len(images)), **columns}),
        {
            **means,
            "above": means["bce"] - means["floor"],
            "rows": len(images),
            "dimensions": dimensions,
        },
    )
