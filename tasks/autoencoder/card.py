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
    repeats: model, measure, trainings, mean, deviation (of the sample), lowest, highest, of each
    measure that all trainings of a model have; empty where each was trained once ·
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
    """What a number of the card is over all trainings of a model, and how far chance moves it."""
    import pandas as pd

    measures = table.columns.drop(["model", "kind", "z"])
    rows = []
    for name, own in table.groupby(pd.Series(kin), sort=False):
        known = own[measures].astype(float).dropna(axis=1) if len(own) > 1 else own[[]]
        for measure, values in known.items():
            rows.append(
                {
                    "model": name,
                    "measure": measure,
                    "trainings": len(values),
                    "mean": float(values.mean()),
                    "deviation": float(values.std()),
                    "lowest": float(values.min()),
                    "highest": float(values.max()),
                }
            )
    columns = ["model", "measure", "trainings", "mean", "deviation", "lowest", "highest"]
    return pd.DataFrame(rows, columns=columns)


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
