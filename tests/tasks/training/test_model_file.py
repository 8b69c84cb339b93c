from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import File, InputError
from tasks.training import model_file
from tasks.training.model_file import pack_model, read_model
from tasks.training.runtime import start_tensorflow


def build(dtype: Any = None) -> Any:
    start_tensorflow()
    import keras

    x = images = keras.Input((4, 4, 1), name="images")
    x = keras.layers.Conv2D(3, 3, name="conv", kernel_initializer="ones", dtype=dtype)(x)
    x = keras.layers.Flatten(name="flat")(x)
    return keras.Model(
        images, keras.layers.Dense(2, name="z", kernel_initializer="ones")(x), name="small"
    )


@pytest.fixture(scope="module")
def packed() -> bytes:
    return pack_model(build()).read_bytes()


def rewritten(data: bytes, change: Callable[[dict[str, bytes]], object]) -> File:
    """The archive after a change of its members."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return File(out.getvalue(), ".keras")


def test_equal_weights_give_equal_bytes(packed: bytes) -> None:
    assert pack_model(build()).read_bytes() == packed
    other = build()
    other.set_weights([weight + 1 for weight in other.get_weights()])
    assert pack_model(other).read_bytes() != packed


def test_shared_objects_are_numbered_and_not_told_by_address() -> None:
    import keras

    policy = keras.DTypePolicy("mixed_bfloat16")
    one, two = (pack_model(build(policy)).read_bytes() for _ in range(2))
    assert one == two


def test_it_comes_back_as_it_was(packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "small.keras"
    path.write_bytes(packed)
    x = np.random.default_rng(0).random((3, 4, 4, 1)).astype(np.float32)
    expected = build()(x).numpy()
    for source in (File(packed, ".keras"), File(None, ".keras", path), path, str(path)):
        assert (read_model(source)(x).numpy() == expected).all()


def test_the_code_of_a_lambda_is_not_run(packed: bytes) -> None:
    def put_lambda(members: dict[str, bytes]) -> None:
        members["config.json"] = members["config.json"].replace(b'"Flatten"', b'"Lambda"')

    with pytest.raises(InputError, match="holds a Lambda layer, which is code"):
        read_model(rewritten(packed, put_lambda))


def test_classes_that_are_not_kerass_are_named(packed: bytes) -> None:
    def put_class(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        config["config"]["layers"][2] |= {"module": "os", "class_name": "system"}
        members["config.json"] = json.dumps(config).encode()

    with pytest.raises(InputError, match=r"needs the class os\.system, which is not Keras's own"):
        read_model(rewritten(packed, put_class))


def test_links_in_the_weights_are_not_followed(packed: bytes, tmp_path: Path) -> None:
    import h5py

    def put_link(members: dict[str, bytes]) -> None:
        data = io.BytesIO(members["model.weights.h5"])
        with h5py.File(data, "r+") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")
        members["model.weights.h5"] = data.getvalue()

    with pytest.raises(InputError, match="are a link"):
        read_model(rewritten(packed, put_link))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no sound .keras file"),
        (b"text", "no sound .keras file"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 file of Keras 2"),
    ],
)
def test_other_files_are_told_from_models(data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_model(File(data, ".keras"))


def test_what_is_missing_or_too_much_is_named(packed: bytes) -> None:
    with pytest.raises(InputError, match=r"lacks config\.json"):
        read_model(rewritten(packed, lambda members: members.pop("config.json")))
    with pytest.raises(InputError, match=r"holds '\.\./evil'"):
        read_model(rewritten(packed, lambda members: members.update({"../evil": b""})))
    with pytest.raises(InputError, match="holds assets"):
        read_model(rewritten(packed, lambda members: members.update({"assets/words.txt": b""})))


def test_a_damaged_model_is_named(packed: bytes) -> None:
    with pytest.raises(InputError, match=r"no sound \.keras file"):
        read_model(File(packed[: len(packed) // 2], ".keras"))
    with pytest.raises(InputError, match="weights cannot be read"):
        read_model(rewritten(packed, lambda members: members.update({"model.weights.h5": b"no"})))
    with pytest.raises(InputError, match=r"no sound \.keras file"):
        read_model(rewritten(packed, lambda members: members.update({"config.json": b"{"})))


def test_a_bomb_is_not_unpacked(
    packed: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(model_file, "MAX_BYTES", 100_000)
    bomb = rewritten(packed, lambda members: members.update({"model.weights.h5": bytes(1_000_000)}))
    with pytest.raises(InputError, match=r"unpacks to 1,00\d,\d{3} bytes"):
        read_model(bomb)
    path = tmp_path / "large.keras"
    path.write_bytes(bytes(200_000))
    with pytest.raises(InputError, match="200,000 bytes"):
        read_model(path)


def test_a_model_that_only_describes_much_is_not_built(packed: bytes) -> None:
    def widen(members: dict[str, bytes]) -> None:
        config = members["config.json"].replace(b'"units": 2', b'"units": 100000000')
        assert config != members["config.json"]
        members["config.json"] = config

    with pytest.raises(InputError, match=r"describes weights of 5,200,000,120 bytes"):
        read_model(rewritten(packed, widen))
    assert read_model(File(packed, ".keras")).count_params() > 0  # nothing of it is left over


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.keras cannot be read: No such file"):
        read_model(tmp_path / "none.keras")
