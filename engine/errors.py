"""The errors a user of the engine can meet; each says what was expected, what was found and what to do."""

from __future__ import annotations


class LatentflowError(Exception):
    """Base of every error that is shown to a user without a traceback."""


class InputError(LatentflowError, ValueError):
    """A file, a table, a parameter or a command-line value that cannot be used."""


class StageError(LatentflowError):
    """A stage that failed, or that returned something the store cannot keep."""


class StageTimeout(StageError):
    """A stage that took longer than it may; its process has been stopped."""


class StoreError(LatentflowError, OSError):
    """The store cannot be written: disk full, read-only, no permission."""


class DamagedObject(LatentflowError):
    """An object of the store that is missing, truncated or altered.

    Arguments:
        path: the object's file.
        fault: what was found, in a few words ("missing", "12 of 40 bytes", "content altered").
    """

    def __init__(self, path: str, fault: str, sha256: str = "") -> None:
        super().__init__(f"{path}: {fault}")
        self.path = path
        self.fault = fault
        self.sha256 = sha256

    def __reduce__(self) -> tuple[type[DamagedObject], tuple[str, str, str]]:
        return type(self), (self.path, self.fault, self.sha256)
