"""Checkpoints: where a long stage stands, kept so that a killed one goes on from there.

    checkpoints/<key>/000000001200-<sha256>.npz

The folder is named by the recipe's key, so a changed recipe never goes on from a stale state.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import StoreError
from engine.npz import Arrays, plain_array, write_npz

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d{12})-([0-9a-f]{64})\.npz")
_KEPT = 2


class Checkpoints:
    """The checkpoints of one computation.

    Arguments:
        folder: where they lie, made with the first one; None keeps them in memory, for a stage
            that is called as a plain function.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._memory: dict[int, dict[str, np.ndarray]] = {}

    def save(self, position: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep the arrays; the older ones but one are removed afterwards.

        Arguments:
            position: how far the stage is, at least 0; the largest is the newest.

        Raises:
            StageError: an array cannot be stored without pickle.
            StoreError: the disk is full or cannot be written.
        """
        clean = {name: plain_array(name, array) for name, array in arrays.items()}
        if self.folder is None:
            self._memory[position] = {name: array.copy() for name, array in clean.items()}
            for old in sorted(self._memory)[:-_KEPT]:
                del self._memory[old]
            return
        temporary = self.folder / f"{os.getpid()}-{secrets.token_hex(6)}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("x+b") as file:
                write_npz(file, clean)
                file.flush()
                os.fsync(file.fileno())
                file.seek(0)
                content = hashlib.file_digest(file, "sha256").hexdigest()
            temporary.replace(self.folder / f"{position:012d}-{content}.npz")
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError.because(self.folder, error) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        for _, path in list(self._newest_first())[_KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()

    def latest(self) -> dict[str, np.ndarray] | None:
        """The arrays of the newest sound checkpoint, or None; a damaged one is passed over."""
        if self.folder is None:
            newest = max(self._memory, default=None)
            return None if newest is None else dict(self._memory[newest])
        for content, path in self._newest_first():
            try:
                with path.open("rb") as file:
                    sound = hashlib.file_digest(file, "sha256").hexdigest() == content
                if sound:
                    return {name: array.copy() for name, array in Arrays(path).items()}
                fault = "content altered"
            except (OSError, ValueError) as error:
                fault = str(error)
            log.warning("checkpoint %s is damaged (%s): the one before it is used", path, fault)
        return None

    def clear(self) -> None:
        """Remove them all; nothing else in the folder is touched."""
        self._memory.clear()
        if self.folder is None or not self.folder.is_dir():
            return
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if _NAME.fullmatch(path.name) or path.suffix == ".part":
                    path.unlink(missing_ok=True)
            self.folder.rmdir()

    def _newest_first(self) -> Iterator[tuple[str, Path]]:
        if self.folder is None or not self.folder.is_dir():
            return
        found = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        named = [(match[1], match[2], path) for match, path in found if match]
        for _, content, path in sorted(named, reverse=True):
            yield content, path
