"""Healing: a damaged object is made again by the stage that made it, or from the file it came from."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.artifact import Artifact
from engine.call import Call
from engine.errors import DamagedObject, InputError, LatentflowError
from engine.outcome import Cause, Outcome, Reason
from engine.record import Record
from engine.store import Store

log = logging.getLogger(__name__)


class Healing:
    """Who made which object of a run, and what is done when one turns out to be damaged.

    Arguments:
        sources: sha256 → handle and path of what was taken from outside.
        compute: computes a call here and now.
        tell: is told of a call that has run again.
    """

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, tuple[Artifact, Path]],
        compute: Callable[[Call], Record],
        tell: Callable[[Call], None],
    ) -> None:
        self._store = store
        self._sources = sources
        self._compute = compute
        self._tell = tell
        self._makers: dict[str, Call] = {}
        self._healed: set[str] = set()
        self._mutex = threading.RLock()  # an input of what is made again may be damaged too

    def remember(self, call: Call) -> None:
        """Note that the call made its artifacts."""
        with self._mutex:
            self._makers.update((artifact.sha256, call) for artifact in call.artifacts)

    def set_aside(self, key: str) -> None:
        """Take a record's damaged objects away, so that no later look-up takes them for sound."""
        with self._store.using(), contextlib.suppress(ValueError):
            record = self._store.read_record(key)
            for artifact in record.artifacts if record else ():
                if self._store.fault(artifact, deep=True):
                    self._store.set_aside(artifact)

    def heal(self, damage: DamagedObject) -> None:
        """Make a damaged object again: run the stage that made it, or read its file again.

        Raises:
            DamagedObject: nobody knows what made it.
            InputError: its file has changed since.
            LatentflowError: its stage gives other bytes now.
        """
        with self._mutex:
            if damage.sha256 in self._healed:
                return
            if damage.sha256 in self._sources:
                self._read_again(damage)
            elif damage.sha256 in self._makers:
                self._run_again(damage)
            else:
                raise damage
            self._healed.add(damage.sha256)

    def _run_again(self, damage: DamagedObject) -> None:
        maker = self._makers[damage.sha256]
        log.warning("%s; %s runs again", damage, maker.slot)
        self.set_aside(maker.key)
        old = maker.artifacts
        record = self._compute(maker)
        if [a.sha256 for a in record.artifacts] != [a.sha256 for a in old]:
            raise LatentflowError(
                f"{maker.slot} gave other bytes than before, so its damaged result cannot be "
                "restored for what was made from it: run the flow again"
            )
        maker.reasons = [Reason(Cause.OBJECT, old[0].name, new=damage.fault)]
        maker.outcome = Outcome.UNCHANGED
        self._tell(maker)

    def _read_again(self, damage: DamagedObject) -> None:
        artifact, path = self._sources[damage.sha256]
        log.warning("%s; %s is read again", damage, path)
        with self._store.using():
            self._store.set_aside(artifact)
            if self._put_again(artifact, path).sha256 != artifact.sha256:
                raise InputError(f"{path} has changed since this run began: run again") from damage

    def _put_again(self, artifact: Artifact, path: Path) -> Artifact:
        if "suffixes" not in artifact.spec:
            return self._store.put_file(path, artifact.size)
        from engine.folder import Limits, list_folder, put_folder

        limits = Limits(files=max(Limits.files, artifact.spec["files"]))
        return put_folder(self._store, list_folder(path, artifact.spec["suffixes"], limits))
