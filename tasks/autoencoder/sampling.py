"""Images that no one drew: points drawn in the latent space, decoded in one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage
from tasks.autoencoder.encoding import PACKAGES, decode_points, load_part, to_bytes
from tasks.estimators import limited_to
from tasks.figures.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

MIXTURE = "Gaussian mixture"


class Samples(NamedTuple):
    """images: uint8 (s, h, w) or (s, h, w, c) · points: z, float32 (s, d) · table: row, source, scale
    (0 of the mixture), a row an image, sources in order · summary: components (as many as there were
    different points for), rows, scales, finding.
    """

    images: np.ndarray
    points: np.ndarray
    table: pd.DataFrame
    summary: dict[str, Any]


def name_normal(scale: float) -> str:
    """What the points of a normal distribution of this deviation around the origin are called."""
    return f"normal, deviation {scale:g}"


@stage(packages=(*PACKAGES, "scikit-learn", "pandas"))
def sample_latents(
    decoder: File,
    points: np.ndarray,
    *,
    samples: int = 200,
    components: int = 20,
    rows: int = 10_000,
    scales: Sequence[float] = (0.5, 1.0),
    seed: int = 0,
) -> Samples:
    """Draw points where the training points are, and around the origin, and decode them all at once.

    A Gaussian mixture with full covariances is fitted on a sample of z (McLachlan & Peel 2000): it
    knows where images lie. A normal distribution around the origin is what the Kullback-Leibler
    term of a variational autoencoder draws its points to; a plain one has no reason to be there.

    Arguments:
        points: z of the training images, float32 (n, d).
        samples: images from each source.
        components, rows: of the mixture, and training points that it is fitted on.
        scales: deviations of the normal distributions.

    Raises:
        InputError: fewer training points than components.
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    if len(points) < 2 * components:
        raise InputError(
            f"components = {components}: expected at most {len(points) // 2:,}, half of the "
            "training points"
        )
    mixed, found = _draw_mixture(points, samples, components, rows, random)
    sources = {MIXTURE: (mixed, 0.0)}
    for scale in scales:
        normal = scale * random.standard_normal((samples, points.shape[1]))
        sources[name_normal(scale)] = normal, float(scale)
    drawn = np.concatenate([part for part, _ in sources.values()]).astype(np.float32)
    table = pd.DataFrame(
        {
            "row": np.arange(len(drawn)),
            "source": np.repeat(list(sources), samples),
            "scale": np.repeat([scale for _, scale in sources.values()], samples),
        }
    )
    images = decode_points(load_part(decoder), drawn)
    return Samples(
        to_bytes(images),
        drawn,
        table,
        {
            "components": found,
            "rows": min(rows, len(points)),
            "scales": list(scales),
            "finding": f"{counted(len(drawn), 'image')}: {samples:,} from a mixture of "
            f"{counted(found, 'Gaussian')}"
            + "".join(
                f", {samples:,} with deviation {scale:g} around the origin" for scale in scales
            )
            + ".",
        },
    )


def _draw_mixture(
    points: np.ndarray, samples: int, components: int, rows: int, random: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Points of a mixture fitted on `rows` of the points, float64 (samples, d); its components."""
    import numpy as np
    from sklearn.mixture import GaussianMixture

    if rows < len(points):
        points = points[np.sort(random.choice(len(points), rows, replace=False))]
    components = min(components, len(np.unique(points, axis=0)))
    spread = float(points.var(axis=0, dtype=np.float64).mean())
    with limited_to(1):
        model = GaussianMixture(
            components,
            # Ends long before max_iter; a group of equal points must not become a needle.
            max_iter=500, tol=1e-2, reg_covar=max(1e-4 * spread, 1e-9), init_params="kmeans",
            random_state=int(random.integers(2**31)),
        ).fit(points.astype(np.float64))  # fmt: skip
    chosen = random.multinomial(samples, model.weights_ / model.weights_.sum())
    drawn = [
        mean + random.standard_normal((count, points.shape[1])) @ np.linalg.cholesky(covariance).T
        for count, mean, covariance in zip(chosen, model.means_, model.covariances_, strict=True)
    ]
    return random.permutation(np.concatenate(drawn)), components
