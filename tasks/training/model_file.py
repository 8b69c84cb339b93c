"""A Keras model as one file: the same bytes for the same weights, and read without running its code."""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import File, InputError
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1 << 30  # of a model file, packed and unpacked
_CONFIG, _WEIGHTS, _ABOUT = "config.json", "model.weights.h5", "metadata.json"
_MEMBERS = {_CONFIG, _WEIGHTS, _ABOUT}
_MAX_CONFIG = 16 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # no zip holds an earlier one
# Layers whose content is code.
_CODE = {"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"}


def pack_model(model: Any) -> File:
    """The model as a `.keras` file without the date of its saving."""
    start_tensorflow()
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as saved:
            config = _renumber(json.loads(saved.read(_CONFIG)))
            members = {
                _ABOUT: json.dumps({"keras_version": keras.__version__}).encode(),
                _CONFIG: json.dumps(config).encode(),
                _WEIGHTS: saved.read(_WEIGHTS),
            }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name, _DATE), content)
    return File(data.getvalue(), ".keras")


def read_model(source: File | Path | str) -> Any:
    """The Keras model in a file, for use: not compiled, no code of the file is run.

    Raises:
        InputError: it is no `.keras` file, too large, damaged, or holds code or classes of its own;
            the message says which.
    """
    start_tensorflow()
    import keras

    name, data = _open(source)
    config = _check_archive(name, data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(data)
        try:
            # A thread of its own: what Keras notes of a model that is never built ends with it.
            with ThreadPoolExecutor(1) as apart:
                size = apart.submit(_count_bytes, config).result()
            if size > MAX_BYTES:
                raise InputError(
                    f"{name} describes weights of {size:,} bytes; {MAX_BYTES:,} at most are built"
                )
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except InputError:
            raise
        except Exception as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(
                f"{name} cannot be read as a Keras model: {reason[0]}; save it with "
                f"model.save('model.keras') of Keras 3 (here {keras.__version__})"
            ) from error


def read_config(source: File | Path | str) -> Any:
    """The configuration in a model's file, after the same checks; TensorFlow is not loaded.

    Raises:
        InputError: as `read_model`, of what can be seen without building the model.
    """
    return _check_archive(*_open(source))


def _count_bytes(config: Any) -> int:
    """The size of the weights that Keras would make of it; none is made."""
    import keras
    import tensorflow as tf

    # How it was trained is not read: an optimiser makes variables, which this scope forbids.
    untrained = {name: value for name, value in config.items() if name != "compile_config"}
    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(untrained, safe_mode=True)
    return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in model.variables)


def _open(source: File | Path | str) -> tuple[str, bytes]:
    path = source.path if isinstance(source, File) else Path(source).expanduser()
    if path is None:
        assert isinstance(source, File)
        return "the model", source.read_bytes()
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path}: {size:,} bytes; a model of {MAX_BYTES:,} at most is read")
        return str(path), path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _check_archive(name: str, data: bytes) -> Any:
    """Look at what the archive claims before Keras unpacks anything; its configuration."""
    if data.startswith(b"\x89HDF\r\n"):
        raise InputError(
            f"{name} is an HDF5 file of Keras 2; load it there and save it as .keras with Keras 3"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            missing = _MEMBERS - set(names)
            unknown = [n for n in names if n not in _MEMBERS and not n.startswith("assets/")]
            if missing or unknown or len(names) != len(set(names)):
                odd = f"lacks {min(missing)}" if missing else f"holds {names[-1]!r}"
                raise InputError(f"{name} is no .keras file of Keras 3: it {odd}")
            if any(n.startswith("assets/") for n in names):
                raise InputError(f"{name} holds assets, which are not read; models of layers are")
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_BYTES or archive.getinfo(_CONFIG).file_size > _MAX_CONFIG:
                raise InputError(
                    f"{name} unpacks to {unpacked:,} bytes; a model of {MAX_BYTES:,} at most is read"
                )
            config = json.loads(archive.read(_CONFIG))
            weights = archive.read(_WEIGHTS)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is no sound .keras file: {error}") from error
    _check_classes(name, config)
    _check_weights(name, weights)
    return config


def _check_classes(name: str, config: Any) -> None:
    for part in _objects(config):
        module, kind = str(part.get("module")), str(part.get("class_name"))
        if kind in _CODE:
            raise InputError(f"{name} holds a {kind} layer, which is code; it is not run")
        if part.get("registered_name") not in (None, kind) or not re.match(
            r"(keras|builtins)(\.|$)", module
        ):
            raise InputError(
                f"{name} needs the class {module}.{kind}, which is not Keras's own; models of Keras's "
                "layers are read"
            )


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object that Keras would build, the whole first."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part and part.get("module") is not None:
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _check_weights(name: str, weights: bytes) -> None:
    """Refuse links out of the file and arrays that are larger than what was allowed."""
    import h5py

    total = 0

    def look(path: str, item: Any) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            total += item.nbytes
            if item.external or item.is_virtual:
                raise InputError(f"{name}: the weights {path} point to another file")

    def links(group: Any) -> None:
        for key in group:
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise InputError(f"{name}: the weights {group.name}/{key} are a link")
            if isinstance(group.get(key, getclass=True), type(h5py.Group)):
                item = group[key]
                if isinstance(item, h5py.Group):
                    links(item)

    try:
        with h5py.File(io.BytesIO(weights), "r") as file:
            links(file)
            file.visititems(look)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name}: its weights cannot be read: {error}") from error
    if total > MAX_BYTES:
        raise InputError(f"{name}: weights of {total:,} bytes; {MAX_BYTES:,} at most are read")


def _renumber(config: Any) -> Any:
    """The configuration with objects that are shared numbered 1, 2, … instead of by address."""
    numbers: dict[int, int] = {}

    def renumbered(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                key: numbers.setdefault(value, len(numbers) + 1)
                if key == "shared_object_id"
                else renumbered(value)
                for key, value in part.items()
            }
        return [renumbered(item) for item in part] if isinstance(part, list) else part

    return renumbered(config)
