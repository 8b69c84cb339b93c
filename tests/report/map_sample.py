"""A flow with a latent map: real digits in the plane of their first components, rebuilt from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Parameters, Store, flow, stage
from engine.store import project_root
from report.page import Section, page_of
from tasks.figures.latent_map import pack_images, pack_map, take_rows
from tests.report.sample import EVIL

if TYPE_CHECKING:
    import numpy as np

FILE = str(project_root() / "data" / "mnist.npz")


class MapParameters(Parameters):
    """How many digits."""

    rows: int = 300


class Digits(NamedTuple):
    """Digits, their places in two planes, and what a simple rule takes them for."""

    embedding: dict[str, np.ndarray]
    images: dict[str, np.ndarray]
    about: dict[str, Any]
    plane: np.ndarray
    taken: np.ndarray
    rebuilt: np.ndarray


@stage(ignore=("file",))
def project_digits(*, rows: int, file: str = FILE) -> Digits:
    """Principal components of the first digits; each is taken for the class with the nearest mean."""
    import numpy as np

    with np.load(file) as data:
        x, y = data["x_train"][: 2 * rows], data["y_train"][: 2 * rows].astype(np.int64)
    flat = x.reshape(len(x), -1) / 255
    mean = flat.mean(axis=0)
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2][:8]
    z = (flat - mean) @ axes.T
    means = np.stack([z[y == code].mean(axis=0) for code in range(10)])
    taken = ((z[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    rebuilt = np.clip(z @ axes + mean, 0, 1).reshape(x.shape).astype(np.float32)
    places = np.arange(0, 2 * rows, 2)
    names = [EVIL if code == 4 else f"{code}" for code in range(10)]
    embedding = {"xy": z[places, :2].astype(np.float32), "rows": places}
    return Digits(embedding, {"x": x, "y": y}, {"classes": names}, z[:, 2:4], taken, rebuilt)


SECTIONS = (Section("The map", "Where the digits lie.", maps=("latent_map", "no_map")),)


@flow(
    name="digit_map",
    parameters=MapParameters,
    presets={},
    page=page_of(SECTIONS, about="Digits in a plane.", parameters=MapParameters),
)
def digit_map(p: MapParameters) -> dict[str, Any]:
    """A latent map of a few digits."""
    made = project_digits(rows=p.rows)
    points = pack_map(
        made.embedding,
        made.images,
        made.about,
        {"components 3 and 4": made.plane},
        {"nearest mean": made.taken},
        name="components 1 and 2",
    )
    sheets = pack_images.map(
        take_rows(made.embedding),
        over={"images": {"image": made.images, "8 components": made.rebuilt}},
    )
    named = dict(zip(("image", "8 components"), sheets, strict=True))
    return {"latent_map": {"points": points, "sheets": named}}


def run_map(folder: Path) -> Store:
    """Run the flow on a store in this folder."""
    store = Store(folder)
    digit_map.run(digit_map.configure(), None, store)
    return store
