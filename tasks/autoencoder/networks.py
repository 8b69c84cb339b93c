"""The autoencoder's two halves as Keras models of plain layers; each loads alone.

image ▸ pad ▸ Conv 32 ▸ Conv 64 ↓2 ▸ Conv 128 ↓2 ▸ flat ▸ Dense z            encoder (VAE: mu, log_var)
z ▸ Dense ▸ (h/4, w/4, 128) ▸ ConvT 64 ↑2 ▸ ConvT 32 ↑2 ▸ ConvT c ▸ σ ▸ crop    decoder

All kernels are 3×3, padding "same"; a LeakyReLU(0.3) follows each convolution. The seed variant has
one before the sigmoid too, as the post has it; the corrected variant has none there. Sides that 4
does not divide are padded with black to the next multiple of 4, evenly, the odd pixel below and on
the right; the decoder's output is cropped by the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from engine import InputError
from tasks.training.runtime import start_tensorflow

Variant = Literal["seed", "corrected"]

VARIANTS = ("seed", "corrected")
SLOPE = 0.3  # Keras's own for LeakyReLU
FILTERS = (32, 64, 128)
MAX_Z = 4096
CHANNELS = (1, 3)


class Networks(NamedTuple):
    """encoder: (b, h, w, c) 0..1 → (b, z), of a VAE mu and log_var, each (b, z) · decoder: (b, z) →
    (b, h, w, c) 0..1 · model: the one after the other, of a VAE through mu."""

    encoder: Any
    decoder: Any
    model: Any


def build_networks(
    shape: tuple[int, ...],
    *,
    z: int = 16,
    variant: Variant = "seed",
    variational: bool = False,
    seed: int = 0,
) -> Networks:
    """Untrained float32 networks for images of a shape (h, w) or (h, w, c).

    Arguments:
        z: dimensions of the latent space.
        variant: "seed" as the post has it, "corrected" without the LeakyReLU before the sigmoid.
        variational: whether the encoder gives a mean and a logarithm of the variance.
        seed: of the initial weights (Glorot's uniform ones, biases 0).

    Raises:
        InputError: an unknown variant, or z or a shape out of range.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant = {variant!r}: choose one of {', '.join(VARIANTS)}")
    if not 1 <= z <= MAX_Z:
        raise InputError(f"z = {z}: expected 1 to {MAX_Z:,} dimensions")
    height, width, channels = _sides(shape)
    start_tensorflow()
    import keras

    seeds = _seeds(seed)
    padding = _split(height), _split(width)
    encoder = _build_encoder((height, width, channels), z, padding, variational, seeds)
    inner = [(side + sum(pad)) // 4 for side, pad in zip((height, width), padding, strict=True)]
    decoder = _build_decoder((inner[0], inner[1]), channels, z, variant, padding, seeds)
    images = keras.Input((height, width, channels), name="images")
    code = encoder(images)
    rebuilt = decoder(code[0] if variational else code)
    return Networks(encoder, decoder, keras.Model(images, rebuilt, name="autoencoder"))


def _build_encoder(
    shape: tuple[int, int, int], z: int, padding: Any, variational: bool, seeds: Iterator[int]
) -> Any:
    import keras

    images = keras.Input(shape, name="images")
    x = images
    if any(map(any, padding)):
        x = keras.layers.ZeroPadding2D(padding, name="pad")(x)
    for number, (filters, stride) in enumerate(zip(FILTERS, (1, 2, 2), strict=True), 1):
        start = keras.initializers.GlorotUniform(next(seeds))
        x = keras.layers.Conv2D(
            filters, 3, stride, "same", kernel_initializer=start, name=f"conv_{number}"
        )(x)
        x = keras.layers.LeakyReLU(SLOPE, name=f"leaky_{number}")(x)
    x = keras.layers.Flatten(name="flat")(x)
    names = ("mu", "log_var") if variational else ("z",)
    codes = [
        keras.layers.Dense(
            z, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)), name=name
        )(x)
        for name in names
    ]
    return keras.Model(images, codes if variational else codes[0], name="encoder")


def _build_decoder(
    inner: tuple[int, int],
    channels: int,
    z: int,
    variant: Variant,
    padding: Any,
    seeds: Iterator[int],
) -> Any:
    import keras

    code = keras.Input((z,), name="code")
    shape = (*inner, FILTERS[-1])
    start = keras.initializers.GlorotUniform(next(seeds))
    x = keras.layers.Dense(shape[0] * shape[1] * shape[2], kernel_initializer=start, name="unfold")(
        code
    )
    x = keras.layers.Reshape(shape, name="maps")(x)
    sizes = (*FILTERS[-2::-1], channels)
    for number, (filters, stride) in enumerate(zip(sizes, (2, 2, 1), strict=True), 1):
        start = keras.initializers.GlorotUniform(next(seeds))
        x = keras.layers.Conv2DTranspose(
            filters, 3, stride, "same", kernel_initializer=start, name=f"transposed_{number}"
        )(x)
        if number < len(sizes) or variant == "seed":
            x = keras.layers.LeakyReLU(SLOPE, name=f"leaky_{number}")(x)
    x = keras.layers.Activation("sigmoid", name="pixels")(x)
    if any(map(any, padding)):
        x = keras.layers.Cropping2D(padding, name="crop")(x)
    return keras.Model(code, x, name="decoder")


def _sides(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of images (h, w) or (h, w, c)."""
    height, width, channels = (*shape, 1) if len(shape) == 2 else shape
    if channels not in CHANNELS or min(height, width) < 4:
        raise InputError(
            f"images of shape {shape}: expected (height, width) or (height, width, 1 or 3), sides of "
            "at least 4 pixels"
        )
    return height, width, channels


def _split(side: int) -> tuple[int, int]:
    """Pixels before and behind that make a side a multiple of 4."""
    missing = -side % 4
    return missing // 2, missing - missing // 2


def _seeds(seed: int) -> Iterator[int]:
    """A seed for each layer: layers of the same shape must not begin alike."""
    import numpy as np

    number = 0
    while True:
        yield int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) % (1 << 31)
        number += 1
