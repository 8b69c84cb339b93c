"""Which autoencoders a flow trains, and the latent points of its images: for every flow that uses z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from flows.autoencoder_parameters import Models
from flows.latent_training import LatentTraining, Variant
from tasks.autoencoder.encoding import encode
from tasks.autoencoder.training import train_autoencoder
from tasks.training.precision import resolve_precision
from tasks.training.runtime import count_lanes


class Model(NamedTuple):
    """One autoencoder: what it is trained as, and what pictures call it and all its repeats."""

    z: int
    variant: str
    kl_weight: float
    seed: int
    kin: str
    title: str

    @property
    def kind(self) -> str:
        """VAE or plain autoencoder."""
        return "VAE" if self.kl_weight else "autoencoder"

    @property
    def trained_as(self) -> dict[str, Any]:
        """The parameters of `train_autoencoder` that are its own."""
        return {
            "z": self.z,
            "variant": self.variant,
            "kl_weight": self.kl_weight,
            "seed": self.seed,
        }


def list_models(models: Models, seed: int) -> dict[str, Model]:
    """Every combination of the values by a label; it says what differs among them, and z always.

    Arguments:
        seed: of the first training of each; its repeats have the ones that follow.
    """
    found = {}
    for z, variant, weight in product(models.z, models.variants, models.kl_weights):
        words = [f"z={z}"]
        if len(models.variants) > 1:
            words.append(variant)
        if weight:
            words.append(_name_weight(weight, models.kl_weights))
        kin = _entitle(words)
        for each in range(seed, seed + models.repeats):
            own = [*words, f"seed {each}"] if models.repeats > 1 else words
            found[" ".join(own)] = Model(z, variant, float(weight), each, kin, _entitle(own))
    return found


def _entitle(words: Sequence[str]) -> str:
    return ", ".join([words[0].replace("=", " = "), *words[1:]])


def _name_weight(weight: float, weights: Sequence[float]) -> str:
    alone = sum(map(bool, weights)) == 1
    return "VAE" if alone and weight == 1 else f"VAE·{weight:g}"


def train_models(
    images: Any, models: Mapping[str, Model], training: LatentTraining
) -> dict[str, Any]:
    """What `train_autoencoder` gives for each model, on the images that `load_images` gave."""
    train, test, _ = images
    how = {
        **training.model_dump(include=set(LatentTraining.model_fields) - {"seed"}),
        "precision": resolve_precision(training.precision),
        "threads": count_lanes(training.batch),
    }
    rows = {label: model.trained_as for label, model in models.items()}
    return train_autoencoder.each(rows, train, test, **how)


def encode_images(images: Any, fits: Mapping[str, Any], training: LatentTraining) -> dict[str, Any]:
    """The latent points of all images by model, in the precision in which it was trained."""
    train, test, _ = images
    rows = {label: {"encoder": fit.encoder} for label, fit in fits.items()}
    precision = resolve_precision(training.precision)
    return encode.each(rows, train=train, test=test, precision=precision)


def take_latents(
    images: Any, spaces: Sequence[str], training: LatentTraining, variant: Variant
) -> dict[str, Any]:
    """The latent spaces of plain autoencoders: name, as ae16 → its decoder, and what `encode` gives."""
    sizes = {space: int(space.removeprefix("ae")) for space in dict.fromkeys(spaces)}
    names = {z: f"z = {z}" for z in sizes.values()}
    models = {
        f"z={z}": Model(z, variant, 0.0, training.seed, name, name) for z, name in names.items()
    }
    fits = train_models(images, models, training)
    latents = encode_images(images, fits, training)
    return {space: (fits[f"z={z}"].decoder, latents[f"z={z}"]) for space, z in sizes.items()}
