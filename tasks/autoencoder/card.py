"""The latent card: what a model keeps of an image, and what its latent space is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.autoencoder.sampling import MIXTURE, name_normal
from tasks.figures.words import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


class Card(NamedTuple):
    """card: model, kind ("autoencoder", "VAE" or "PCA"), z, bce, above, mse, psnr, ssim, knn, linear,
    accuracy, ari, nmi, active, mixture, normal; shares 0..1, None where there is no such number ·
    summary: sentence."""

    card: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("pandas",))
def compile_card(
    reconstructions: dict[str, dict[str, Any]],
    probes: dict[str, dict[str, Any]],
    clusters: dict[str, dict[str, Any]],
    verdicts: dict[str, dict[str, Any]],
    *,
    models: Mapping[str, Mapping[str, Any]],
    scale: float = 1.0,
) -> Card:
    """A row for each model, and one for as many principal components.

    Arguments:
        reconstructions, probes, clusters, verdicts: the summaries of `reconstruct`,
            `probe_latents`, `score_clusters` and `judge_samples` by model; of components the last
            one is missing.
        models: name → kind, z; in the order of the rows.
        scale: deviation of the normal distribution whose samples count.
    """
    import pandas as pd

    rows = []
    for name, model in models.items():
        kept, told, grouped = reconstructions[name], probes[name], clusters[name]
        shares = verdicts.get(name, {}).get("share", {})
        rows.append(
            {
                "model": name,
                "kind": model["kind"],
                "z": model["z"],
                **{key: kept[key] for key in ("bce", "above", "mse", "psnr", "ssim")},
                **{key: told[key] for key in ("knn", "linear")},
                **{key: grouped[key] for key in ("accuracy", "ari", "nmi")},
                "active": told["active"],
                "mixture": shares.get(MIXTURE),
                "normal": shares.get(name_normal(scale)),
            }
        )
    table = pd.DataFrame(rows).astype(dict.fromkeys(("bce", "above", "mixture", "normal"), float))
    return Card(table, {"sentence": " ".join(_say(row, table) for row in _nets(table))})


def _nets(table: pd.DataFrame) -> Sequence[Any]:
    return list(table[table["kind"] != "PCA"].itertuples(index=False))


def _say(row: Any, table: pd.DataFrame) -> str:
    text = (
        f"{row.model}: {row.above:.4f} above the floor, PSNR {row.psnr:.1f} dB, "
        f"{percent(row.knn)} told right by 10 neighbours and {percent(row.linear)} by planes"
    )
    same = table[(table["kind"] == "PCA") & (table["z"] == row.z)]
    if len(same):
        other = same.iloc[0]
        text += (
            f" (as many principal components: {other['psnr']:.1f} dB, {percent(other['knn'])}, "
            f"{percent(other['linear'])})"
        )
    return f"{text}."
