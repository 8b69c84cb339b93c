"""Training an autoencoder, plain or variational."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import File, InputError, stage, work
from tasks.autoencoder.networks import Networks, Variant, build_networks
from tasks.training.forward import run_layers
from tasks.training.loop import Network, Training, train_network
from tasks.training.model_file import pack_model
from tasks.training.precision import resolve_precision
from tasks.training.runtime import count_lanes, start_tensorflow
from tasks.training.schedule import Kind, Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)


class Autoencoder(NamedTuple):
    """model, encoder, decoder: `.keras` files, each loads alone · history: epoch, step, rate, loss,
    test_loss, of a VAE also cross_entropy, kl and both of the test images · state: what more epochs
    go on from · summary: the recipe, parameters (of the networks), loss, test_loss, finding."""

    model: File
    encoder: File
    decoder: File
    history: pd.DataFrame
    state: dict[str, np.ndarray]
    summary: dict[str, Any]


@stage(own_process=True, extends="epochs", packages=("tensorflow", "keras", "numpy"))
def train_autoencoder(
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    *,
    z: int = 16,
    variant: Variant = "seed",
    kl_weight: float = 0.0,
    epochs: int = 40,
    batch: int = 128,
    schedule: Kind = "constant",
    rate: float = 5e-4,
    warm_up: float = 0.0,
    seed: int = 0,
    precision: Literal["auto", "float32", "bfloat16"] = "float32",
    threads: int | None = None,
    steps_per_epoch: int | None = None,
) -> Autoencoder:
    """Train it to give back its images.

    The loss is the binary cross-entropy, the mean over all pixels and images, plus, of a VAE,
    kl_weight · KL / pixels, with KL summed over z and averaged over the images (nats): 1 is the
    evidence lower bound, 0 no VAE (Kingma & Welling 2014).

    Arguments:
        train, test: x uint8 (n, h, w[, 1 or 3]), y int64 (n,); test is judged after each epoch.
        schedule, rate, warm_up: see `tasks.training.schedule`.
        seed: of the weights, of the order of the images, and of a VAE's noise.
        threads: parts of a batch that are computed side by side; None: `count_lanes`. Another number
            adds in another order: the last digits differ.
        steps_per_epoch: at most so many steps make an epoch, on images drawn anew for each; None: all
            images are seen.

    Raises:
        InputError: a parameter or images out of range.
        StageError: the training diverged.
    """
    if not 0 <= kl_weight < 1e6:
        raise InputError(f"kl_weight = {kl_weight}: expected a number from 0 (no VAE) to a million")
    lanes = count_lanes(batch) if threads is None else threads
    plan = Training(epochs, batch, Schedule(schedule, rate, warm_up), seed, lanes, steps_per_epoch)
    chosen = resolve_precision(precision)
    start_tensorflow(lanes)
    shape = tuple(train["x"].shape[1:])
    networks = build_networks(shape, z=z, variant=variant, variational=kl_weight > 0, seed=seed)
    earlier = work.earlier() if plan.schedule.extends else None
    network = _network(networks, kl_weight, chosen)
    trained = train_network(network, train, test, plan, earlier and earlier.state)
    last = {name: float(value) for name, value in trained.history.iloc[-1].items()}
    summary = {
        "z": z,
        "variant": variant,
        "kl_weight": kl_weight,
        "epochs": epochs,
        "batch": batch,
        "steps_per_epoch": plan.count_steps(len(train["x"])),
        "schedule": schedule,
        "rate": rate,
        "warm_up": warm_up,
        "seed": seed,
        "precision": chosen,
        "images": len(train["x"]),
        "shape": list(shape),
        "parameters": int(networks.model.count_params()),
        "loss": last["loss"],
        "test_loss": last["test_loss"],
        "finding": f"After {epochs} epochs the loss is {last['loss']:.4f} on the training images and "
        f"{last['test_loss']:.4f} on unseen ones.",
    }
    return Autoencoder(
        pack_model(networks.model),
        pack_model(networks.encoder),
        pack_model(networks.decoder),
        trained.history,
        trained.state,
        summary,
    )


def _network(
    networks: Networks, kl_weight: float, precision: Literal["float32", "bfloat16"]
) -> Network:
    """The networks as the loop trains them; the sigmoid is part of the loss."""
    tf = start_tensorflow()
    variational = kl_weight > 0
    heads = 2 if variational else 1
    body, last = networks.encoder.layers[:-heads], networks.encoder.layers[-heads:]
    behind = [layer for layer in networks.decoder.layers if layer.name != "pixels"]

    def cross_entropy(images: Any, code: Any) -> Any:
        logits = tf.cast(run_layers(behind, code, precision), tf.float32)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(images, logits))

    def encode(images: Any) -> list[Any]:
        maps = run_layers(body, images, precision)
        return [run_layers([head], maps, precision) for head in last]

    def losses(images: Any, seed: Any) -> dict[str, Any]:
        images = _to_unit(images)
        if not variational:
            return {"loss": cross_entropy(images, encode(images)[0])}
        mu, log_var = (tf.cast(each, tf.float32) for each in encode(images))
        code = mu
        if seed is not None:
            noise = tf.random.stateless_normal(tf.shape(mu), seed)
            code = mu + tf.exp(0.5 * log_var) * noise
        error = cross_entropy(images, code)
        kl = -0.5 * tf.reduce_sum(1 + log_var - mu**2 - tf.exp(log_var), axis=1)
        pixels = images.shape[1] * images.shape[2] * images.shape[3]
        mean = tf.reduce_mean(kl)
        return {"loss": error + kl_weight * mean / pixels, "cross_entropy": error, "kl": mean}

    return Network(
        [variable.value for variable in networks.model.trainable_variables],
        lambda images, labels, seed: losses(images, seed),
        lambda images, labels: losses(images, None),
    )


def _to_unit(images: Any) -> Any:
    """Bytes (b, h, w[, c]) as float32 (b, h, w, c), 0..1."""
    tf = start_tensorflow()
    images = tf.cast(images, tf.float32) / 255
    return images[..., None] if len(images.shape) == 3 else images
