from __future__ import annotations

import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    Artifact,
    File,
    InputError,
    Parameters,
    Selection,
    Store,
    flow,
    source_folder,
    stage,
)
from engine.folder import Folder, Limits, PackedFolder, list_folder, put_folder

TXT = (".txt",)
CONTENT = {"a/1.txt": b"one", "a/2.txt": b"", "b/deep/1.TXT": b"three", "ü <b>/4.txt": b"four"}


def fill(root: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", CONTENT)


def packed(store: Store, root: Path, **options: Any) -> Artifact:
    return put_folder(store, list_folder(root, TXT, **options))


def test_what_was_packed_is_read_back(store: Store, root: Path) -> None:
    artifact = packed(store, root)
    loaded = store.load(artifact)
    assert isinstance(loaded, File) and loaded.path is not None
    found = PackedFolder(loaded.path)
    assert dict(found) == CONTENT == dict(list_folder(root, TXT))
    assert list(found) == sorted(CONTENT)
    assert (artifact.suffix, artifact.spec["files"]) == (".folder", 4)
    with zipfile.ZipFile(loaded.path) as archive:
        assert archive.testzip() is None


def test_identity_is_names_and_contents(store: Store, root: Path, tmp_path: Path) -> None:
    first = packed(store, root)
    copy = tmp_path / "another name"
    for name in sorted(CONTENT, reverse=True):
        fill(copy, {name: CONTENT[name]})
    os.utime(copy / "a/1.txt", (0, 0))
    (copy / "a/2.txt").chmod(0o600)
    fill(copy, {"notes.md": b"no content", ".hidden/5.txt": b"x", "__MACOSX/a/1.txt": b"x"})
    fill(copy, {"a/._1.txt": b"resource fork"})
    second = packed(store, copy)
    assert (second.digest, second.sha256) == (first.digest, first.sha256)
    for change in ({"a/1.txt": b"ONE"}, {"a/3.txt": b""}):
        fill(copy, change)
        assert packed(store, copy).digest != first.digest
        shutil.rmtree(copy)
        fill(copy, CONTENT)
    (copy / "a/1.txt").rename(copy / "a/0.txt")
    assert packed(store, copy).digest != first.digest


def test_identifying_writes_nothing_and_tells_the_same(store: Store, root: Path) -> None:
    planned = put_folder(store, list_folder(root, TXT), copy=False)
    assert not store.root.exists()
    assert packed(store, root) == planned
    written = store.path_of(planned).stat()
    assert packed(store, root) == planned
    assert store.path_of(planned).stat().st_mtime_ns == written.st_mtime_ns


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(names.map(lambda n: f"{n[:40]}.txt"), st.binary(max_size=50), max_size=6))
def test_any_names_and_bytes_survive(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("any")
    store = Store(root / ".store")
    expected = {
        name: data
        for name, data in content.items()
        if not name.startswith(".") and len(name.encode()) < 250
    }
    fill(root, expected)
    assert dict(PackedFolder(store.path_of(packed(store, root)))) == expected


def test_what_was_left_out_is_told(root: Path) -> None:
    fill(root, {"a/Thumbs.db": b"x", "c/read.me": b"x", "a/.DS_Store": b"x"})
    (root / "d" / "e").mkdir(parents=True)
    folder = list_folder(root, TXT)
    assert folder.ignored == ("a/Thumbs.db", "c/read.me")
    assert folder.empty == ("c", "d", "d/e")


def test_a_link_inside_is_followed(store: Store, root: Path) -> None:
    (root / "a" / "9.txt").symlink_to(root / "a" / "1.txt")
    assert list_folder(root, TXT)["a/9.txt"] == b"one"
    top = root.parent / "link"
    top.symlink_to(root)
    assert packed(store, top) == packed(store, root)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda r: (r / "a/x.txt").symlink_to("/etc/hostname"), "outside the folder"),
        (lambda r: (r / "a/x.txt").symlink_to(r / "nowhere.txt"), "cannot be read"),
        (lambda r: (r / "a/x.txt").symlink_to("x.txt"), "cannot be read|outside"),
        (lambda r: (r / "c").symlink_to(r / "a"), "link to a folder"),
        (lambda r: (r / "a/up").symlink_to(r), "link to a folder"),
        (lambda r: os.mkfifo(r / "a/x.txt"), "no file but a pipe"),
        (lambda r: (r / "a" / os.fsdecode(b"\xff.txt")).write_bytes(b"x"), "no UTF-8 name"),
        (lambda r: fill(r, {"/".join("d" * 25) + "/x.txt": b"x"}), "20 folders deep"),
    ],
)
def test_what_cannot_be_packed_is_refused_by_name(root: Path, make: Any, says: str) -> None:
    make(root)
    with pytest.raises(InputError, match=says):
        list_folder(root, TXT)


def test_a_huge_file_is_refused_without_reading_it(root: Path) -> None:
    with (root / "a/2.txt").open("wb") as file:
        file.truncate(4 << 40)  # which nobody could read in the time of a test
    with pytest.raises(InputError, match=r"a/2\.txt has 4,398,046,511,104 bytes, limit 67,108,864"):
        list_folder(root, TXT)


@pytest.mark.parametrize("limits", [Limits(files=3), Limits(total=11)])
def test_too_much_is_refused(root: Path, limits: Limits) -> None:
    with pytest.raises(InputError, match="take a sample"):
        list_folder(root, TXT, limits)
    assert len(list_folder(root, TXT, Limits(files=4, total=12, file=5))) == 4


def test_no_folder_is_said_plainly(root: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        list_folder(root / "none", TXT)
    with pytest.raises(InputError, match="is not a folder"):
        list_folder(root / "a" / "1.txt", TXT)
    with pytest.raises(InputError, match="is empty"):
        source_folder("", TXT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named(root: Path) -> None:
    (root / "a").chmod(0)
    with pytest.raises(InputError, match="a cannot be read"):
        list_folder(root, TXT)
    (root / "a").chmod(0o700)


def test_a_file_that_changes_meanwhile_is_noticed(store: Store, root: Path) -> None:
    class Changing(Folder):
        def __getitem__(self, name: str) -> bytes:
            return super().__getitem__(name) + str(time.monotonic_ns()).encode()

    with pytest.raises(InputError, match="changed while it was read"):
        put_folder(store, Changing(**vars(list_folder(root, TXT))))
    (root / "a/1.txt").write_bytes(b"grown")
    with pytest.raises(InputError, match="grew"):
        dict(Folder(**vars(list_folder(root, TXT)) | {"limits": Limits(file=4)}))


def _zip(path: Path, method: int) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a/1.txt", bytes(1_000_000))
    return path


def test_a_packed_folder_from_elsewhere_cannot_inflate_or_lie(tmp_path: Path) -> None:
    deflated = _zip(tmp_path / "x.folder", zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="stores its files"):
        dict(PackedFolder(deflated))
    stored = _zip(tmp_path / "y.folder", zipfile.ZIP_STORED)
    with pytest.raises(InputError, match="has 1,000,000 bytes, limit 99: take a smaller"):
        dict(PackedFolder(stored, Limits(file=99)))
    data = bytearray(stored.read_bytes())
    data[500] ^= 1
    stored.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        dict(PackedFolder(stored))
    stored.write_bytes(b"no zip")
    with pytest.raises(InputError, match="no packed folder"):
        PackedFolder(stored)


class Where(Parameters):
    path: str


@stage
def count_bytes(raw: File) -> dict[str, int]:
    assert raw.path is not None
    return {name: len(data) for name, data in PackedFolder(raw.path).items()}


@flow(name="counting", parameters=Where, presets={})
def counting(p: Where) -> dict[str, Any]:
    raw: Any = source_folder(p.path, TXT)
    return {"sizes": count_bytes(raw)}


def test_a_flow_is_cached_by_the_folders_content(store: Store, root: Path) -> None:
    run = counting.run(Where(path=str(root)), store=store)
    assert store.load(run.results["sizes"]) == {name: len(data) for name, data in CONTENT.items()}
    moved = root.rename(root.with_name("moved"))
    assert counting.plan(Where(path=str(moved)), store=store).stale == []
    (moved / "a/1.txt").write_bytes(b"longer")
    (call,) = counting.plan(Where(path=str(moved)), store=store).stale
    assert "raw" in str(call.reasons[0])


def test_a_damaged_pack_is_made_again(store: Store, root: Path) -> None:
    with_pack = counting.run(Where(path=str(root)), store=store)
    pack = next(store.objects.glob("*/*.folder"))
    pack.chmod(0o644)
    pack.write_bytes(bytes(pack.stat().st_size))
    again = counting.run(Where(path=str(root)), Selection(refresh=("count_bytes",)), store=store)
    assert again.results["sizes"] == with_pack.results["sizes"]
    assert dict(PackedFolder(next(store.objects.glob("*/*.folder")))) == CONTENT
