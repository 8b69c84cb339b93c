from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import File, InputError
from tasks.dreams.photo import aim_default, check_photo, default_photo, load_photo
from tasks.image_files import BadImages
from tests.tasks.test_image_files import huge_png


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> File:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return File(buffer.getvalue(), f".{kind.lower()}")


def ramp(width: int = 90, height: int = 60, mode: str = "RGB") -> Image.Image:
    across = np.linspace(0, 255, width, dtype=np.uint8)
    pixels = np.repeat(across[None], height, axis=0)
    colours = np.stack([pixels, 255 - pixels, np.full_like(pixels, 90)], axis=2)
    return Image.fromarray(colours).convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_formats_come_out_as_rgb(kind: str) -> None:
    photo = load_photo.fn(encode(ramp(), kind, quality=95), name="ramp")
    assert photo.pixels.shape == (60, 90, 3)
    assert photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels.astype(int) - np.asarray(ramp())).mean() < 6
    assert photo.about["name"] == "ramp"
    assert photo.about["found"] == {"width": 90, "height": 60, "mode": "RGB", "format": kind}
    assert photo.about["enlarged"] == 1


def test_exif_says_which_side_is_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    photo = load_photo.fn(encode(ramp(), "JPEG", quality=95, exif=exif.tobytes()))
    assert photo.pixels.shape == (90, 60, 3)
    assert photo.pixels[-1, 0, 0] > photo.pixels[0, 0, 0] + 200


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16", "RGBA", "LA"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        deep = np.asarray(ramp(mode="L")).astype(np.uint16) * 257
        image = Image.fromarray(deep)
    else:
        image = ramp(mode=mode)
    kind = "JPEG" if mode == "CMYK" else "PNG"
    photo = load_photo.fn(encode(image, kind))
    assert photo.pixels.shape == (60, 90, 3)
    assert np.ptp(photo.pixels) > 60


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (60, 60), (10, 20, 30, 0))
    assert (load_photo.fn(encode(clear)).pixels == 255).all()


def test_size_is_the_longer_side_and_shape_is_kept_unless_asked() -> None:
    raw = encode(ramp(180, 120))
    assert load_photo.fn(raw, size=90).pixels.shape == (60, 90, 3)
    assert load_photo.fn(raw, size=360).about["enlarged"] == 2
    square = load_photo.fn(raw, size=120, shape="square").pixels
    assert square.shape == (120, 120, 3)
    np.testing.assert_array_equal(square, np.asarray(ramp(180, 120))[:, 30:150])
    stretched = load_photo.fn(raw, size=100, shape="stretch").pixels
    assert stretched.shape == (100, 100, 3)
    assert stretched[0, -1, 0] > 250


def test_the_same_photo_gives_the_same_pixels_and_a_check_tells_their_shape(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    path.write_bytes(encode(ramp(200, 80), "JPEG").read_bytes())
    for size, shape in ((None, "keep"), (100, "keep"), (100, "square"), (90, "stretch")):
        options: Any = {"size": size, "shape": shape}
        found = load_photo.fn(File(None, ".jpg", path), **options).pixels
        assert check_photo(path, **options) == found.shape[:2]


def test_the_default_photo_is_found_without_importing_what_brings_it() -> None:
    code = (
        "import sys; from tasks.dreams.photo import *; default_photo(); aim_default(size=99); "
        "print([m for m in ('sklearn', 'numpy', 'PIL') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    photo = load_photo.fn(File(None, ".jpg", default_photo()))
    assert aim_default() == photo.pixels.shape[:2] == (427, 640)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"GARBAGE" * 50, "no picture"),
        (encode(ramp(), "JPEG").read_bytes()[:-600], "damaged"),
        (encode(ramp()).read_bytes()[:-40], "damaged"),
        (huge_png(60_000, 60_000), "limit"),
        (encode(ramp(40, 40)).read_bytes(), "too few"),
        (encode(ramp(900, 60)).read_bytes(), "strip"),
    ],
)
def test_what_is_no_photo_is_refused_with_its_fault(data: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(BadImages, match=rf"mine: .*{why}"):
        load_photo.fn(File(data, ".jpg"), name="mine")
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    with pytest.raises(BadImages, match=why):
        check_photo(path)


def test_missing_files_folders_and_sizes_out_of_range_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadImages, match="no such file"):
        check_photo(tmp_path / "none.jpg")
    with pytest.raises(BadImages, match="folder"):
        check_photo(tmp_path)
    with pytest.raises(InputError, match="56 to 8192"):
        load_photo.fn(encode(ramp()), size=20)
    with pytest.raises(InputError, match="square"):
        load_photo.fn(encode(ramp()), shape="round")  # type: ignore[arg-type]
