from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.image_files import BadImages, read_picture, to_square


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey(pixels: Any) -> Image.Image:
    return Image.fromarray(np.asarray(pixels, np.uint8))


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(width: int, height: int) -> bytes:
    """A PNG of few bytes whose header claims that many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(bytes(1_000_000))),
            chunk(b"IEND", b""),
        ]
    )


def test_a_grey_square_of_the_size_stays_as_it_is() -> None:
    pixels = noise(28, 28)
    for kind in ("PNG", "BMP", "GIF"):
        np.testing.assert_array_equal(read_picture(encode(grey(pixels), kind), 28, False), pixels)
    found = read_picture(encode(grey(pixels), "PNG"), 28, True)
    np.testing.assert_array_equal(found, 255 - pixels)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(kind: str) -> None:
    smooth = np.add.outer(np.arange(28), np.arange(28)) * 4
    found = read_picture(encode(grey(smooth), kind, quality=95), 28, False)
    assert np.abs(found.astype(int) - smooth).max() < 12


def test_colour_becomes_luma() -> None:
    pixels = noise(9, 9, 3)
    expected = pixels @ np.array([0.299, 0.587, 0.114])
    found = read_picture(encode(Image.fromarray(pixels)), 9, False)
    assert np.abs(found - expected).max() <= 0.51


@pytest.mark.parametrize(("invert", "background"), [(False, 0), (True, 255)])
def test_transparency_is_background(invert: bool, background: int) -> None:
    pixels = noise(8, 8, 4)
    pixels[0, 0] = (200, 100, 50, 0)
    alpha = pixels[..., 3:] / 255
    shown = pixels[..., :3] * alpha + background * (1 - alpha)
    expected = shown @ np.array([0.299, 0.587, 0.114])
    found = read_picture(encode(Image.fromarray(pixels)), 8, invert)
    assert found[0, 0] == 0
    assert np.abs((255.0 - found if invert else found) - expected).max() <= 1.6


@pytest.mark.parametrize("invert", [False, True])
def test_colours_are_kept_where_asked(invert: bool) -> None:
    pixels = noise(9, 9, 3)
    found = read_picture(encode(Image.fromarray(pixels)), 9, invert, colour=True)
    np.testing.assert_array_equal(found, 255 - pixels if invert else pixels)
    wide = read_picture(encode(Image.fromarray(pixels[:3])), 9, invert, colour=True)
    assert not wide[:3].any() and not wide[6:].any()
    plain = read_picture(encode(grey(pixels[..., 0])), 9, False, colour=True)
    np.testing.assert_array_equal(plain, np.repeat(pixels[..., :1], 3, axis=2))
    clear = np.dstack([pixels, np.zeros((9, 9), np.uint8)])
    assert not read_picture(encode(Image.fromarray(clear)), 9, invert, colour=True).any()


def test_palettes_bits_and_deep_grey() -> None:
    pixels = noise(8, 8)
    palette = grey(pixels).convert("RGB").quantize(256)
    np.testing.assert_array_equal(
        read_picture(encode(palette), 8, False), np.asarray(palette.convert("RGB").convert("L"))
    )
    bits = grey(pixels).convert("1")
    np.testing.assert_array_equal(read_picture(encode(bits), 8, False), np.asarray(bits) * 255)
    deep = Image.fromarray(pixels.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_picture(encode(deep), 8, False), pixels)
    cmyk = read_picture(encode(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG"), 8, False)
    assert cmyk.max() < 5
    transparent = grey(np.arange(64).reshape(8, 8)).convert("P")
    found = read_picture(encode(transparent, transparency=63), 8, False)
    assert (found[7, 7], found[7, 6]) == (0, 62)


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [grey(np.full((8, 8), value)) for value in (50, 200)]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert set(read_picture(data, 8, False).ravel()) == {50}, kind


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture(orientation: int) -> None:
    upright = np.zeros((8, 8), np.uint8)
    upright[0, :4] = upright[1, 0] = 255  # an F of sorts: no two orientations look alike
    turns = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, -1),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read_picture(encode(grey(upright), "PNG", exif=exif), 8, False)
    np.testing.assert_array_equal(found, turns[orientation])


@pytest.mark.parametrize("shape", [(10, 20), (20, 10), (1, 300), (300, 1), (5, 9), (57, 56)])
def test_the_aspect_is_kept_and_the_rest_is_black_on_both_sides(shape: tuple[int, int]) -> None:
    found = read_picture(encode(grey(np.full(shape, 255))), 28, False)
    assert found.shape == (28, 28)
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    expected = [max(1, round(side * 28 / max(shape))) for side in shape]
    assert [len(rows), len(columns)] == expected
    assert set(found[np.ix_(rows, columns)].ravel()) == {255}
    for used in (rows, columns):
        above, below = used[0], 27 - used[-1]
        assert below - above in (0, 1)


def test_background_is_black_after_inversion_too() -> None:
    ink = np.full((10, 20), 255)
    ink[4:6, 5:15] = 0
    found = read_picture(encode(grey(ink)), 28, True)
    assert found[0].max() == 0 and found[-1].max() == 0
    assert found.max() > 200


def test_shrinking_averages_instead_of_picking() -> None:
    stripes = np.zeros((280, 280), np.uint8)
    stripes[:, ::2] = 255
    found = read_picture(encode(grey(stripes)), 28, False)
    assert np.abs(found.astype(int) - 127).max() <= 6


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([4, 8, 28]),
    st.booleans(),
    st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "1"]),
)
@settings(max_examples=60)
def test_every_picture_becomes_a_square(
    height: int, width: int, size: int, invert: bool, mode: str
) -> None:
    image = Image.fromarray(noise(height, width, 3)).convert(mode)
    once, twice = (read_picture(encode(image), size, invert) for _ in range(2))
    assert once.shape == (size, size)
    assert once.dtype == np.uint8
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(once, to_square(image, size, invert))


HOSTILE = {
    "empty": (b"", "is empty"),
    "text": (b"hello, world", "no picture, it starts with 'hello"),
    "a page": (b"<!doctype html><script>", "no picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
    "tiff": (encode(grey(noise(8, 8)), "TIFF"), "no picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
    "half a png": (encode(grey(noise(64, 64)))[:-2000], "damaged or cut off"),
    "a png without its end": (encode(grey(noise(8, 8)))[:-12], "damaged or cut off"),
    "half a jpeg": (encode(grey(noise(64, 64)), "JPEG")[:-900], "truncated"),
    "half a gif": (encode(grey(noise(64, 64)), "GIF")[:-2000], "damaged or cut off"),
    "half a bmp": (encode(grey(noise(64, 64)), "BMP")[:-2000], "truncated"),
    "half a webp": (encode(grey(noise(64, 64)), "WEBP")[:-500], "damaged|no picture"),
    "60,000 squared": (huge_png(60_000, 60_000), "limit 50,000,000"),
    "8,000 squared": (huge_png(8_000, 8_000), "8,000 × 8,000 pixels, limit 50,000,000; shrink it"),
    "12,000 squared": (huge_png(12_000, 12_000), "12,000 × 12,000 pixels"),
    "fewer bytes than pixels": (huge_png(5_000, 5_000), "damaged or cut off"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_whole_picture_is_refused(name: str) -> None:
    data, says = HOSTILE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadImages, match=says):
            read_picture(data, 28, False)


def test_a_bomb_is_not_decoded() -> None:
    tracemalloc.start()
    try:
        for side in (8_000, 12_000, 60_000):
            with pytest.raises(BadImages):
                read_picture(huge_png(side, side), 28, False)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
@given(data=st.data())
@settings(max_examples=60)
def test_altered_bytes_give_a_square_or_one_kind_of_error(kind: str, data: st.DataObject) -> None:
    body = bytearray(encode(grey(noise(12, 12)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read_picture(bytes(body), 8, False).shape == (8, 8)
    except BadImages:
        return


def test_every_flipped_bit_in_a_png_is_noticed_or_harmless() -> None:
    whole = encode(grey(noise(6, 6)))
    expected = read_picture(whole, 6, False)
    for place in range(len(whole)):
        body = bytearray(whole)
        body[place] ^= 4
        try:
            found = read_picture(bytes(body), 6, False)
        except BadImages:
            continue
        np.testing.assert_array_equal(found, expected)
