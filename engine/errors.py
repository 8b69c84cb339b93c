"""The errors a user of the engine can meet; each says what was expected, what was found and what to do."""

from __future__ import annotations

import errno
from pathlib import Path


class LatentflowError(Exception):
    """Base of every error that is shown to a user without a traceback."""


class InputError(LatentflowError, ValueError):
    """A file, a table, a parameter or a command-line value that cannot be used."""


class StageError(LatentflowError):
    """A stage that failed, or that returned something the store cannot keep."""


class StageTimeout(StageError):
    """A stage that took longer than it may; its process has been stopped."""


class StageStopped(StageError):
    """A stage that was told to stop before it was done."""


class StoreError(LatentflowError, OSError):
    """The store cannot be written: disk full, read-only, no permission."""

    @classmethod
    def because(cls, root: Path, error: OSError) -> StoreError:
        """The error for a store whose file system refused something; it says what to do."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "free some space (`latentflow gc --dry-run` shows what can go) and run again"
        elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            advice = "make it writable, or name another store with LATENTFLOW_STORE"
        else:
            advice = "nothing finished is lost: mend the cause and run again"
        return cls(f"the store {root} cannot be written ({error.strerror or error}): {advice}")


class DamagedObject(LatentflowError):
    """An object of the store that is missing, truncated or altered.

    Arguments:
        path: the object's file.
        fault: what was found, in a few words ("missing", "12 of 40 bytes", "content altered").
    """

    def __init__(self, path: str, fault: str, sha256: str = "") -> None:
        super().__init__(f"{path}: {fault}")
        self.add_note("run the flow again, or `latentflow verify --repair` to set it aside")
        self.path = path
        self.fault = fault
        self.sha256 = sha256

    def __reduce__(self) -> tuple[type[DamagedObject], tuple[str, str, str]]:
        return type(self), (self.path, self.fault, self.sha256)


NOT_WORTH_RETRYING = (DamagedObject, InputError, StageStopped, StageTimeout, StoreError)
