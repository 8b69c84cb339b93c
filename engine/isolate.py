"""Stages in a process of their own: native code too stops when that is killed, and memory goes back."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import importlib
import importlib.util
import inspect
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Any

from engine.artifact import Artifact, walk
from engine.checkpoints import Checkpoints
from engine.compute import call_and_store, find_earlier, load_earlier
from engine.errors import InputError, StageError, StageStopped, StageTimeout, StoreError
from engine.parcel import pack, unpack
from engine.stage import Bound, Stage
from engine.store import Store, project_root
from engine.work import Progress, Work, current

log = logging.getLogger(__name__)

_MARK = "\x1elatentflow "  # starts the child's own lines on its standard error


def run_isolated(
    store: Store, stage: Stage[Any, Any], bound: Bound, timeout: float | None, slot: str
) -> list[Artifact]:
    """Compute a stage in a child process, killed after `timeout` seconds or when the run is stopped.

    Handles and JSON parameters go in, handles come out; the child's log lines are logged here, and
    its progress is reported here.

    Raises:
        StageTimeout: the child was killed.
        StageStopped: the run was stopped, and the child with it.
        StageError: the child's stage failed, or the child died.
    """
    for value in bound.inputs.values():
        for _, handle in walk(value):
            if isinstance(handle, Artifact):
                store.open(handle)
    work = current()
    earlier = find_earlier(store, stage, stage.recipe(bound)) if stage.options.extends else None
    task = {
        "key": work.key,
        "checkpoints": str(work.checkpoints.folder or ""),
        "earlier": earlier.key if earlier else "",
        "module": stage.fn.__module__,
        "file": inspect.getsourcefile(inspect.unwrap(stage.fn)),
        "stage": stage.fn.__qualname__,
        "store": store.address,
        "inputs": pack(bound.inputs, stage.name),
        "params": pack(bound.params, stage.name),
        "path": sys.path,
    }
    environment = {**os.environ, "PYTHONPATH": str(project_root())}
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "engine.isolate"],  # -P: not what lies in the user's folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",  # native code prints what it likes
        env=environment,
        start_new_session=True,
    )
    assert child.stdin and child.stdout and child.stderr
    said = deque[str](maxlen=5)
    # Prefect knows by context variables which task run a log line belongs to.
    listen = functools.partial(contextvars.copy_context().run, _listen, child.stderr, said)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        _kill(child)

    clock = threading.Timer(timeout, stop) if timeout is not None else None
    if clock is not None:
        clock.start()
    try:
        with work.stop.calling(lambda: _kill(child)):
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(json.dumps(task) + "\n")
                child.stdin.flush()  # and stays open: the child ends when this process does
            answer = child.stdout.read()
            child.wait()
    finally:
        if clock is not None:
            clock.cancel()
        _kill(child)
        child.wait()
        listener.join(5)
        child.stdout.close()
        if not listener.is_alive():
            child.stderr.close()
        with contextlib.suppress(OSError):
            child.stdin.close()
    if expired.is_set():
        raise StageTimeout(f"stage {slot} took longer than {timeout:g} s and was stopped")
    if work.stop.is_set():
        raise StageStopped(f"stage {slot}: the run was stopped")
    if child.returncode != 0 or not answer:
        raise StageError(
            f"the process of stage {slot} ended with status {child.returncode}: "
            + ("\n".join(said) or "it said nothing")
        )
    reply = json.loads(answer)
    if "error" in reply:
        known = {"StoreError": StoreError, "InputError": InputError, "StageError": StageError}
        if reply["kind"] in known:
            raise known[reply["kind"]](reply["error"])
        raise StageError(f"stage {slot} failed: {reply['kind']}: {reply['error']}")
    return [Artifact.from_json(a) for a in reply["artifacts"]]


def _kill(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _listen(stream: IO[str], said: deque[str]) -> None:
    for line in stream:
        if not line.startswith(_MARK):
            said.append(line.rstrip())
            continue
        try:
            _hear(json.loads(line.removeprefix(_MARK)))
        except Exception:  # who stops listening lets the child wait for ever
            log.warning("a line of a stage's process is lost", exc_info=True)


def _hear(entry: dict[str, Any]) -> None:
    if "done" in entry:
        current().report(Progress(**entry))
    else:
        logging.getLogger(entry["name"]).log(entry["level"], "%s", entry["text"])


def _say(entry: dict[str, Any]) -> None:
    sys.stderr.write(_MARK + json.dumps(entry) + "\n")
    sys.stderr.flush()


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _say({"name": record.name, "level": record.levelno, "text": record.getMessage()})


def _find(task: dict[str, Any]) -> Stage[Any, Any]:
    name = task["module"]
    if name == "__main__":
        spec = importlib.util.spec_from_file_location("latentflow_main", task["file"])
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["latentflow_main"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    found: Any = module
    for part in task["stage"].split("."):
        found = getattr(found, part)
    if not isinstance(found, Stage):
        raise StageError(f"{name}.{task['stage']} is no stage")
    return found


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the parent has died: nothing more is ever written
    os.killpg(0, signal.SIGKILL)


def _work(task: dict[str, Any], store: Store, stage: Stage[Any, Any]) -> Work:
    folder = Path(task["checkpoints"]) if task["checkpoints"] else None
    return Work(
        key=task["key"],
        checkpoints=Checkpoints(folder),
        report=lambda progress: _say(dataclasses.asdict(progress)),
        earlier=lambda: (
            load_earlier(store, stage, store.read_record(task["earlier"]))
            if task["earlier"]
            else None
        ),
    )


def _main() -> None:
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.path[:] = task["path"]
    logging.basicConfig(level=logging.INFO, handlers=[_Forward()])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a stage prints must not mix with the answer
    try:
        stage = _find(task)
        store = Store(task["store"])
        bound = Bound(unpack(task["inputs"]), unpack(task["params"]))
        if task["module"] != "__main__" and stage.recipe(bound).key != task["key"]:
            raise StageError(
                f"stage {stage.name}: its code or packages were changed since the run began: run "
                "again"
            )
        with _work(task, store, stage).active():
            artifacts = call_and_store(store, stage, bound)
        reply: dict[str, Any] = {"artifacts": [a.to_json() for a in artifacts]}
    except Exception as error:  # noqa: BLE001 - told to the parent, which raises
        reply = {"kind": type(error).__name__, "error": str(error)}
    with answer:
        json.dump(reply, answer)


if __name__ == "__main__":
    _main()
