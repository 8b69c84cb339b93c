"""The latent card: what a model keeps of an image, and what its latent space is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.autoencoder.sampling import MIXTURE, name_normal
from tasks.figures.words import counted, percent, prose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


class Card(NamedTuple):
    """card: model, kind ("autoencoder", "VAE" or "PCA"), z, bce, above, mse, psnr, ssim, knn, linear,
    accuracy, ari, nmi, active, mixture, normal; shares 0..1, None where there is no such number ·
    repeats: model, trainings, over all ("mean", "deviation" of the sample, "lowest", "highest"), and
    the measures of the card, bce to normal; empty where each was trained once ·
    summary: sentence; neighbours and clusters, by which classes were told."""

    card: pd.DataFrame
    repeats: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("pandas",))
def compile_card(
    reconstructions: dict[str, dict[str, Any]],
    probes: dict[str, dict[str, Any]],
    clusters: dict[str, dict[str, Any]],
    verdicts: dict[str, dict[str, Any]],
    *,
    models: Sequence[Mapping[str, Any]],
    scale: float = 1.0,
) -> Card:
    """A row for each model, and one for as many principal components.

    Arguments:
        reconstructions, probes, clusters, verdicts: the summaries of `reconstruct`,
            `probe_latents`, `score_clusters` and `judge_samples` by model; of components the last
            one is missing.
        models: name, kind, z of each, in the order of the rows; kin, the name that all trainings of
            a model with other seeds have in common, is the name itself where it is missing.
        scale: deviation of the normal distribution whose samples count.
    """
    import pandas as pd

    rows = []
    for model in models:
        name = model["name"]
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
    first = models[0]["name"]
    neighbours = int(probes[first]["neighbours"])
    kin = [str(model.get("kin", model["name"])) for model in models]
    return Card(
        table,
        _sum_up(table, kin),
        {
            "sentence": _say(table, neighbours),
            "neighbours": neighbours,
            "clusters": int(clusters[first]["clusters"]),
        },
    )


def _sum_up(table: pd.DataFrame, kin: Sequence[str]) -> pd.DataFrame:
    """What the numbers of the card are over all trainings of a model, and how far chance moves them."""
    import pandas as pd

    measures = table.columns.drop(["model", "kind", "z"])
    parts = []
    for name, own in table.groupby(pd.Series(kin), sort=False):
        if len(own) > 1:
            found = own[measures].astype(float).agg(["mean", "std", "min", "max"])
            found.insert(0, "model", name)
            found.insert(1, "trainings", len(own))
            found.insert(2, "over all", ["mean", "deviation", "lowest", "highest"])
            parts.append(found)
    if not parts:
        return pd.DataFrame(columns=["model", "trainings", "over all", *measures])
    return pd.concat(parts, ignore_index=True)


def _say(table: pd.DataFrame, neighbours: int) -> str:
    """The model that keeps most, beside as many components, and the one that tells classes best."""
    nets = table[table["kind"] != "PCA"]
    best = nets.iloc[int(nets["above"].to_numpy().argmin())]
    told = nets.iloc[int(nets["knn"].to_numpy().argmax())]
    text = (
        f"{prose(best['model'])} keeps most of an image, {best['above']:.4f} above the floor with "
        f"PSNR {best['psnr']:.1f} dB"
    )
    same = table[(table["kind"] == "PCA") & (table["z"] == best["z"])]
    if len(same):
        text += f" (as many principal components: {same['psnr'].iloc[0]:.1f} dB)"
    place = "it" if told["model"] == best["model"] else prose(told["model"])
    return (
        f"{text}; in {place} {counted(neighbours, 'neighbour')} tell{'s' * (neighbours == 1)} "
        f"{percent(float(told['knn']))} of the unseen images right and planes "
        f"{percent(float(told['linear']))}."
    )
