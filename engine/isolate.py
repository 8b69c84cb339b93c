"""Stages with a timeout run in a process of their own: native code too stops when it is killed."""

from __future__ import annotations

import contextlib
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
from pathlib import Path
from typing import IO, Any

from engine.artifact import Artifact, replace_handles, walk
from engine.errors import StageError, StageTimeout
from engine.recipe import canonical
from engine.stage import Bound, Stage
from engine.store import Store, project_root

log = logging.getLogger(__name__)

_MARK = "\x1elatentflow "  # starts the child's own lines on its standard error


def run_isolated(
    store: Store, stage: Stage[Any, Any], bound: Bound, timeout: float
) -> list[Artifact]:
    """Compute a stage in a child process and kill that after `timeout` seconds.

    Handles and JSON parameters go in, handles come out; the child's log lines are logged here.

    Raises:
        StageTimeout: the child was killed.
        StageError: the child's stage failed, or the child died.
    """
    for value in bound.inputs.values():
        for _, handle in walk(value):
            if isinstance(handle, Artifact):
                store.open(handle)
    task = {
        "module": stage.fn.__module__,
        "file": inspect.getsourcefile(inspect.unwrap(stage.fn)),
        "stage": stage.fn.__qualname__,
        "root": str(store.root),
        "inputs": replace_handles(bound.inputs, lambda a: {"artifact": a.to_json()}),
        "params": canonical(bound.params, stage.name),
        "path": sys.path,
    }
    environment = {**os.environ, "PYTHONPATH": str(project_root())}
    child = subprocess.Popen(
        [sys.executable, "-m", "engine.isolate"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert child.stdin and child.stdout and child.stderr
    said: list[str] = []
    listener = threading.Thread(target=_listen, args=(child.stderr, said), daemon=True)
    listener.start()
    expired = threading.Event()

    def stop() -> None:
        expired.set()
        _kill(child)

    clock = threading.Timer(timeout, stop)
    clock.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(task))
            child.stdin.close()
        answer = child.stdout.read()
        child.wait()
    finally:
        clock.cancel()
        _kill(child)
        child.wait()
        listener.join(5)
    if expired.is_set():
        raise StageTimeout(f"stage {stage.slot} took longer than {timeout:g} s and was stopped")
    if child.returncode != 0 or not answer:
        raise StageError(
            f"the process of stage {stage.slot} ended with status {child.returncode}: "
            + ("\n".join(said[-5:]) or "it said nothing")
        )
    reply = json.loads(answer)
    if "error" in reply:
        raise StageError(f"stage {stage.slot} failed: {reply['error']}")
    return [Artifact.from_json(a) for a in reply["artifacts"]]


def _kill(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _listen(stream: IO[str], said: list[str]) -> None:
    for line in stream:
        if line.startswith(_MARK):
            entry = json.loads(line.removeprefix(_MARK))
            logging.getLogger(entry["name"]).log(entry["level"], "%s", entry["text"])
        else:
            said.append(line.rstrip())


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        entry = {"name": record.name, "level": record.levelno, "text": record.getMessage()}
        sys.stderr.write(_MARK + json.dumps(entry) + "\n")
        sys.stderr.flush()


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


def _revive(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"artifact"}:
            return Artifact.from_json(value["artifact"])
        return {key: _revive(item) for key, item in value.items()}
    return [_revive(item) for item in value] if isinstance(value, list) else value


def _main() -> None:
    from engine.compute import call_and_store

    task = json.load(sys.stdin)
    sys.path[:] = task["path"]
    logging.basicConfig(level=logging.INFO, handlers=[_Forward()])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a stage prints must not mix with the answer
    try:
        stage = _find(task)
        store = Store(Path(task["root"]))
        artifacts = call_and_store(store, stage, Bound(_revive(task["inputs"]), task["params"]))
        reply: dict[str, Any] = {"artifacts": [a.to_json() for a in artifacts]}
    except Exception as error:  # noqa: BLE001 - told to the parent, which raises
        text = str(error) if isinstance(error, StageError) else f"{type(error).__name__}: {error}"
        reply = {"error": text}
    with answer:
        json.dump(reply, answer)


if __name__ == "__main__":
    _main()
