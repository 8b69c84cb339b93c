"""Runners: who executes stale calls. This one does it in this process; Prefect's is another."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from engine.call import Call
from engine.compute import look_up
from engine.environment import usable_cores
from engine.record import Record

if TYPE_CHECKING:
    from engine.session import Session

log = logging.getLogger(__name__)


class Runner(Protocol):
    """Executes stale calls; told of cached ones too, so that a UI can show them."""

    def run(self, session: Session, call: Call, hit: Record | None) -> tuple[Record, bool]:
        """The call's record, and whether it was computed now."""

    def run_all(self, session: Session, calls: Sequence[Call]) -> None:
        """Finish several independent calls."""


class LocalRunner:
    """Computes in this process; mapped calls on threads."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or usable_cores()

    def run(self, session: Session, call: Call, hit: Record | None) -> tuple[Record, bool]:
        """Compute under the key's lock, unless another run did so while this one waited."""
        if hit is not None:
            return hit, False
        assert call.recipe is not None
        lock = session.store.lock(call.key, session.run_id)
        waited: list[str] = []

        def tell(text: str) -> None:
            waited.append(text)
            log.info("%s: %s", call.slot, text)

        with lock.hold(on_wait=tell):
            if waited or not call.force:
                record, _ = look_up(session.store, call.key, call.stage.output_names)
                if record is not None:
                    return record, False
            return session.compute(call), True

    def run_all(self, session: Session, calls: Sequence[Call]) -> None:
        """Finish the calls on as many threads as they gain from; the first error is raised after the others ended.

        An interrupt is raised at once: what the threads still publish is whole or absent.
        """
        workers = self.workers if all(c.stage.options.parallel for c in calls) else 1
        pool = ThreadPoolExecutor(workers, thread_name_prefix="stage")
        try:
            contexts = [contextvars.copy_context() for _ in calls]
            futures = [
                pool.submit(context.run, session.finish, call)
                for context, call in zip(contexts, calls, strict=True)
            ]
            errors = [future.exception() for future in futures]
        except BaseException:
            session.stop.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for error in errors:
            if error is not None:
                raise error
