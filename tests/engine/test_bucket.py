"""The bucket: a bounded number of tries, and an error that says what to do when they are used up."""

from __future__ import annotations

import os
import time

import pytest

from engine import InputError, StoreError
from engine.storage import bucket as buckets
from engine.storage.bucket import Bucket
from tests.engine.s3_server import Proxy

LARGE = os.urandom(3 << 20)


@pytest.fixture
def bucket(url: str) -> Bucket:
    return Bucket(url)


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(buckets, "_CHUNK_BYTES", 1 << 20)


def whole(bucket: Bucket, name: str, size: int) -> bytes:
    return b"".join(bucket.pieces(name, size))


def test_what_is_written_is_read_found_and_listed(bucket):
    before = time.time() - 2  # a server's times are whole seconds
    tag = bucket.write("records/a.json", b"one")
    bucket.write("records/b.json", b"three")
    bucket.write("runs/toy/1.jsonl", b"")
    assert bucket.read("records/a.json") == b"one"
    found = bucket.stat("records/a.json")
    assert found is not None and (found.size, found.tag) == (3, tag)
    assert before < found.written < bucket.now() + 2 and before < bucket.now() < time.time() + 2
    assert list(bucket.list("records/")) == ["records/a.json", "records/b.json"]
    assert list(bucket.list("records/b")) == ["records/b.json"]
    assert list(bucket.list("record")) == list(bucket.list("records/"))
    assert bucket.list("objects/") == {}
    bucket.remove(["records/a.json", "records/never.json"])
    bucket.remove(["records/a.json"])
    assert bucket.stat("records/a.json") is None
    with pytest.raises(FileNotFoundError):
        bucket.read("records/a.json")


def test_of_two_writers_under_a_condition_one_wins(bucket):
    assert bucket.create("locks/a.json", b"mine")
    assert bucket.create("locks/a.json", b"yours") is None
    before = bucket.stat("locks/a.json").tag
    after = bucket.replace("locks/a.json", b"mine again", before)
    assert after and after != before
    assert bucket.replace("locks/a.json", b"yours", before) is None
    assert bucket.read("locks/a.json") == b"mine again"


def test_files_are_uploaded_in_parts_and_read_in_pieces(
    bucket, tmp_path, small_pieces, monkeypatch
):
    monkeypatch.setattr(buckets, "_PART_BYTES", 5 << 20)
    data = LARGE * 4
    (tmp_path / "file").write_bytes(data)
    assert bucket.upload(tmp_path / "file", "objects/x")
    assert not bucket.upload(tmp_path / "file", "objects/x")
    assert bucket.upload(tmp_path / "file", "objects/x", over=True)
    assert whole(bucket, "objects/x", len(data)) == data
    (tmp_path / "empty").write_bytes(b"")
    assert bucket.upload(tmp_path / "empty", "objects/y")
    assert whole(bucket, "objects/y", 0) == b""
    with pytest.raises(FileNotFoundError, match="objects/x"):
        whole(bucket, "objects/x", len(data) + 1)


@pytest.mark.parametrize("kind", ["busy", "closed", "lost", "cut", "half", "slow"])
def test_passing_harm_is_outlasted(bucket, tmp_path, proxy: Proxy, small_pieces, kind):
    (tmp_path / "file").write_bytes(LARGE)
    proxy.fail(kind, "PUT", 2)
    bucket.upload(tmp_path / "file", "objects/x")
    proxy.fail(kind, "GET", 3)
    assert whole(bucket, "objects/x", len(LARGE)) == LARGE
    proxy.fail(kind, "HEAD", 2)
    assert bucket.stat("objects/x").size == len(LARGE)
    proxy.fail(kind, "list-type", 2)
    assert list(bucket.list("objects/")) == ["objects/x"]


@pytest.mark.parametrize(
    ("kind", "request_"),
    [("half", "partNumber"), ("lost", "POST"), ("closed", "POST"), ("busy", "partNumber")],
)
def test_harm_to_an_upload_in_parts(bucket, tmp_path, proxy: Proxy, monkeypatch, kind, request_):
    monkeypatch.setattr(buckets, "_PART_BYTES", 5 << 20)
    data = LARGE * 4
    (tmp_path / "file").write_bytes(data)
    proxy.fail(kind, request_, 2)
    bucket.upload(tmp_path / "file", "objects/x")
    assert proxy.spent and whole(bucket, "objects/x", len(data)) == data


def test_a_cut_costs_one_piece(bucket, tmp_path, proxy: Proxy, small_pieces):
    (tmp_path / "file").write_bytes(LARGE)
    bucket.upload(tmp_path / "file", "objects/x")
    proxy.seen.clear()
    proxy.fail("cut", "GET", 1)
    assert whole(bucket, "objects/x", len(LARGE)) == LARGE
    assert len(proxy.seen) == 3 + 1


@pytest.mark.parametrize(
    ("act", "request_"),
    [
        (lambda b: b.read("records/a.json"), "GET"),
        (lambda b: b.stat("records/a.json"), "HEAD"),
        (lambda b: b.write("records/a.json", b"1"), "PUT"),
        (lambda b: b.create("records/a.json", b"1"), "PUT"),
        (lambda b: b.list("records/"), "GET"),
        (lambda b: b.remove(["records/a.json"]), "POST|DELETE"),
    ],
)
def test_lasting_harm_is_an_error_after_a_bounded_number_of_tries(
    bucket, proxy: Proxy, act, request_
):
    proxy.fail("busy", request_, 10**6)
    with pytest.raises(StoreError, match=r"s3://.*cannot be reached .*9 tries\).*run again"):
        act(bucket)


def test_nobody_there_is_an_error(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="cannot be reached"):
        bucket.read("records/a.json")


def test_patience_ends_even_where_every_try_is_slow(bucket, proxy: Proxy, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE_SECONDS", 0.5)

    def slowly_busy(request: str) -> str:
        time.sleep(0.3)
        return "busy"

    proxy.chaos = slowly_busy
    with pytest.raises(StoreError, match="cannot be reached"):
        bucket.read("records/a.json")
    assert len(proxy.seen) <= 3


def test_refused_access_is_told_at_once(bucket, proxy: Proxy):
    proxy.fail("denied", "PUT", 10**6)
    with pytest.raises(StoreError, match=r"refuses access to records/a.json .*AWS_ACCESS_KEY_ID"):
        bucket.write("records/a.json", b"1")
    assert len(proxy.seen) == 1


def test_without_keys_it_says_which_are_missing(bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match="AWS_ACCESS_KEY_ID"):
        bucket.write("records/a.json", b"1")


def test_a_missing_bucket_is_no_empty_store(proxy):
    bucket = Bucket("s3://nowhere/at/all")
    for act in (lambda: bucket.read("records/a"), lambda: bucket.write("records/a", b"1")):
        with pytest.raises(StoreError, match="there is no bucket nowhere"):
            act()


@pytest.mark.parametrize(
    "url",
    [
        *("s3://", "s3:///prefix", "s3://B_d", "s3://bucket/../x", "s3://bucket/./x"),
        *("s3://bucket/a//b", "s3://bucket/a b", "s3://bucket/a?x=1"),
        *("gs://bucket/prefix", "file:///etc", "http://a/b"),
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InputError, match=r"expected a folder or s3://bucket/prefix"):
        Bucket(url)


def test_names_that_would_leave_the_folder_are_not_seen(bucket, url, caplog):
    sound = "runs/toy/1.jsonl"
    bucket.write(sound, b"1")
    strange = ["runs/../../etc", "runs/./a", "runs//a", "runs/to y/a", "runs/a\\b", "runs/é"]
    for name in strange:
        bucket.write(name, b"1")
    assert list(bucket.list("runs/")) == [sound]


def test_without_s3fs_it_says_what_to_install(url, monkeypatch):
    import fsspec

    def absent(*args: object, **options: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(buckets, "_CLIENTS", {})
    monkeypatch.setattr(fsspec, "filesystem", absent)
    with pytest.raises(InputError, match=r"needs the package s3fs: python -m pip install"):
        Bucket(url).read("records/a.json")
