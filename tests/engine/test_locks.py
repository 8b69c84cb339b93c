from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine import StoreError
from engine.locks import FileLock, shared
from tests.waiting import PATIENCE

_HOLDER = """
import sys, time
from pathlib import Path
from engine.locks import FileLock
FileLock(Path(sys.argv[1]), "20260102-run").acquire()
print("held", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "make-0123.lock"


@pytest.fixture
def holder(path: Path):
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_one_holder_at_a_time(path):
    one, other = FileLock(path), FileLock(path)
    assert one.try_acquire() and one.held and one.is_locked()
    assert not other.try_acquire()
    assert other.is_locked() and not other.held
    assert not other.acquire(timeout=0)
    one.release()
    one.release()
    assert not other.is_locked()
    assert other.acquire(timeout=0)
    other.release()


def test_a_lock_that_was_never_taken_is_free(path):
    assert not FileLock(path).is_locked()
    assert not path.parent.exists()


def test_threads_take_turns(path):
    inside = []
    most = []

    def work() -> None:
        with FileLock(path).hold():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def test_the_one_that_waits_says_for_whom(path, holder):
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        holder.kill()

    lock = FileLock(path)
    assert lock.acquire(on_wait=hear)
    lock.release()
    (text,) = said
    assert f"run 20260102-run (pid {holder.pid} on " in text
    assert text.startswith("waiting for") and text.endswith("it holds make-0123")


def test_the_one_that_waits_long_says_so_again(path, holder, monkeypatch):
    monkeypatch.setattr("engine.locks._REMIND_SECONDS", 0.1)
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            holder.kill()

    lock = FileLock(path)
    assert lock.acquire(on_wait=hear) and len(said) >= 3
    lock.release()


def test_a_killed_holder_frees_its_lock(path, holder):
    lock = FileLock(path)
    assert not lock.try_acquire()
    holder.kill()
    assert lock.acquire(timeout=PATIENCE)
    lock.release()


@pytest.mark.parametrize("text", ["", "garbage", "{}", '{"pid": 1}', "[]"])
def test_a_holder_without_a_name_is_another_process(path, text):
    path.parent.mkdir()
    path.write_text(text)
    assert FileLock(path).holder() == "another process"


def test_a_forked_child_does_not_keep_a_released_lock(path):
    """A stage may fork workers that outlive its lock."""
    lock = FileLock(path)
    lock.acquire()
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,))
    child.start()
    try:
        lock.release()
        assert FileLock(path).acquire(timeout=0)
    finally:
        child.kill()
        child.join()


def test_shared_keeps_an_exclusive_one_out_and_no_other_shared_one(path):
    collector = FileLock(path)
    with shared(path), shared(path):
        assert not collector.try_acquire()
    assert collector.try_acquire()
    collector.release()


def test_a_lock_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "locks").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"cannot be written.*run again"):
        FileLock(tmp_path / "locks" / "x.lock").acquire()
    with shared(tmp_path / "locks" / "x.lock"):
        pass
