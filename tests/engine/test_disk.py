"""A disk that is full or read-only: a clear error, a sound store, and nothing lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import Store, StoreError
from engine.verify import verify
from tests.engine.toy import SLOTS, digests, run_toy
from tests.engine.zygote import Request, Zygote

ROOT = Path(__file__).parent.parent.parent
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(
    "not __import__('tests.engine.test_disk', fromlist=['x']).can_mount()",
    reason="this system lets nobody mount a small disk",
)


def on_a_disk(folder: Path, *arguments: str) -> dict[str, Any]:
    command = [*UNSHARE, sys.executable, "-m", "tests.engine.small_disk", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@needs_mount
def test_a_full_disk(tmp_path):
    """Bytes run out at a dozen places, file names at a dozen others."""
    disks = [(f"size={size}k", "size=4m") for size in range(8, 161, 12)]
    disks += [(f"size=4m,nr_inodes={n}", "nr_inodes=1000") for n in range(4, 60, 5)]
    found = on_a_disk(tmp_path / "disk", "fill", json.dumps(disks))
    undisturbed = digests(run_toy(Store(tmp_path / "undisturbed"), n=1000))
    failed = kept = 0
    for disk, told in found.items():
        assert told["sound"] and told["sound_then"], disk
        assert told["temporary"] == [], disk
        assert told["digests"] == undisturbed, disk
        assert told["cached_then"] == told["kept"], f"{disk}: what was finished was lost"
        kept += told["kept"]
        if "error" in told:
            failed += 1
            assert told["error"] == "StoreError", f"{disk}: {told}"
            assert "cannot be written (No space left on device): free some space" in told["text"]
    assert failed >= 15 and kept > 0


@needs_mount
def test_a_read_only_store(tmp_path):
    told = on_a_disk(tmp_path / "disk", "read-only")
    cached = dict.fromkeys(SLOTS, "cached")
    assert told["cached"] == {"result": cached}
    assert len(told["said"]) == 1 and "this run leaves no journal" in told["said"][0]
    assert told["plan"] == {"result": cached}
    for asked in ("stale", "refresh", "gc_now"):
        assert told[asked]["error"] == "StoreError", told[asked]
        assert "(Read-only file system): make it writable, or name another" in told[asked]["text"]
    assert told["verify"] == {"result": True}
    assert told["gc"] == {"result": 0}


@pytest.mark.parametrize("limit", [0, 40, 300, 700, 2000, 4000, 8200])
def test_a_file_size_limit(tmp_path, zygote: Zygote, limit):
    store = Store(tmp_path / "store")
    request = Request(str(store.root), str(tmp_path), {"n": 1000}, file_limit=limit)
    assert zygote.run(request) == 1
    first = (tmp_path / "error.txt").read_text().splitlines()[0]
    assert first.startswith("StoreError: the store ")
    assert "cannot be written (File too large): free some space" in first
    assert verify(store).sound
    assert not list((store.root / "tmp").glob("*"))
    run = run_toy(store, n=1000)
    assert digests(run) == digests(run_toy(Store(tmp_path / "undisturbed"), n=1000))


def test_a_journal_that_ends_early_does_not_hide_what_the_run_did(store, monkeypatch, caplog):
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if data.startswith(b'{"event": "stage"') and b'"slot": "times' in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", full)
    run = run_toy(store)
    assert run.record.status == "completed"
    assert list(run.record.stages) == SLOTS
    assert run.record.results["table"] == run.results["table"]
    assert [r.message.split(":")[0] for r in caplog.records] == ["the journal ends early"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EFBIG, "free some space"),
        (errno.EROFS, "make it writable"),
        (errno.EACCES, "make it writable"),
        (errno.EPERM, "make it writable"),
        (errno.EIO, "nothing finished is lost"),
    ],
)
def test_every_error_says_what_to_do(store, monkeypatch, number, advice):
    def refuse(*args: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StoreError, match=advice) as caught:
        run_toy(store)
    assert os.strerror(number) in str(caught.value) and str(store.root) in str(caught.value)
    monkeypatch.undo()
    assert verify(store).sound
    assert not list((store.root / "tmp").iterdir())
