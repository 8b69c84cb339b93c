"""Leases: one holder among machines, taken over from the dead and never from the living."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from engine.locks import FileLock
from engine.storage import lease as leases
from engine.storage.bucket import Bucket
from engine.storage.lease import LeaseLock
from tests.engine.s3_server import Proxy
from tests.waiting import PATIENCE, wait_for

NAME = "locks/fit.json"


@pytest.fixture
def locks(url: str, tmp_path: Path):
    """Locks of machines, made by their names."""
    made = []

    def make(machine: str) -> LeaseLock:
        made.append(LeaseLock(tmp_path / machine / "fit.lock", Bucket(url), NAME, machine))
        return made[-1]

    yield make
    for lock in made:
        lock.release()


@pytest.fixture
def short(monkeypatch):
    """Leases that run out soon; a server's times are whole seconds."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 4.0)


def outlive(url: str) -> None:
    """Wait until the lease has been renewed after the time at which it would have run out."""
    bucket = Bucket(url)
    first = bucket.stat(NAME)
    assert first is not None

    def is_renewed() -> bool:
        found = bucket.stat(NAME)
        return found is not None and found.written > first.written + leases.LEASE_SECONDS

    wait_for("a renewal", is_renewed)


def die(lock: LeaseLock) -> None:
    """Stop renewing, as a killed process does; the kernel frees its file lock."""
    lock._ended.set()
    assert lock._renewer is not None
    lock._renewer.join()
    lock._renewer = None
    FileLock.release(lock)


def test_one_machine_holds_it_and_others_are_told_who(locks, url):
    a, b = locks("a"), locks("b")
    assert a.try_acquire() and a.held and not b.try_acquire()
    assert b.is_locked() and b.holder().startswith("run a (pid ")
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        a.release()
        assert not b.is_locked()

    assert b.acquire(timeout=PATIENCE, on_wait=hear)
    (text,) = heard
    assert text.startswith("waiting for run a (pid ") and text.endswith("it holds fit")
    b.release()
    assert Bucket(url).stat(NAME) is None


def test_two_of_one_machine_exclude_each_other_without_asking(locks, proxy: Proxy):
    first, second = locks("a"), locks("a")
    assert first.try_acquire()
    proxy.seen.clear()
    assert not second.try_acquire() and proxy.seen == []


def test_many_machines_at_once_get_it_one_after_another(locks):
    inside, most, log = [0], [0], []

    def work(lock: LeaseLock) -> None:
        with lock.hold(on_wait=lambda text: None):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            log.append(lock.run)
            time.sleep(0.05)
            inside[0] -= 1

    threads = [threading.Thread(target=work, args=(locks(name),)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(log) == list("abcd") and most == [1]


def test_the_lease_of_a_dead_holder_runs_out_and_one_takes_it_over(locks, short, caplog):
    a, b, c = locks("a"), locks("b"), locks("c")
    assert a.try_acquire()
    die(a)
    assert not b.try_acquire()
    assert b.acquire(timeout=PATIENCE, on_wait=lambda text: None)
    assert not c.try_acquire() and c.holder().startswith("run b ")


def test_a_living_holder_keeps_it_longer_than_a_lease_lasts(locks, url, short):
    a, b = locks("a"), locks("b")
    assert a.try_acquire()
    outlive(url)
    assert not b.try_acquire() and a.held


@pytest.mark.parametrize("request_", ["PUT", "POST"])
def test_a_lost_answer_is_no_stranger(locks, proxy: Proxy, url, request_):
    a, b = locks("a"), locks("b")
    proxy.fail("lost", request_)
    assert a.try_acquire()
    a.release()
    assert proxy.spent and Bucket(url).stat(NAME) is None
    assert b.try_acquire()


def test_a_renewal_whose_answer_is_lost_is_still_ours(locks, proxy: Proxy, url, short):
    a, b = locks("a"), locks("b")
    assert a.try_acquire()
    proxy.fail("lost", "PUT", 3)
    outlive(url)
    assert proxy.spent and not b.try_acquire() and a.held


def test_who_lost_it_while_asleep_leaves_the_new_holder_alone(locks, url, short, caplog):
    a = locks("a")
    assert a.try_acquire()
    other = json.dumps({"run": "b", "pid": 1, "host": "box", "since": 0, "token": "b"}).encode()
    bucket = Bucket(url)
    bucket.write(NAME, other)
    wait_for("a renewal that fails", lambda: "taken over by another machine" in caplog.text)
    a.release()
    assert bucket.read(NAME) == other


def test_without_a_way_to_the_bucket_nothing_stays_locked_here(locks, proxy: Proxy, tmp_path):
    a = locks("a")
    proxy.fail("denied", "PUT", 10**6)
    with pytest.raises(OSError, match="refuses access"):
        a.try_acquire()
    assert not a.held and FileLock(tmp_path / "a" / "fit.lock").try_acquire()


def test_a_garbage_lease_is_somebody_s_until_it_runs_out(locks, url, short):
    Bucket(url).write(NAME, b"\xff{")
    a = locks("a")
    assert not a.try_acquire() and a.holder() == "another process"
    assert a.acquire(timeout=PATIENCE, on_wait=lambda text: None)
