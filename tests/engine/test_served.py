"""Where the report is served: told while it is, and trusted only as far as it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.pages import Pages
from engine import Store
from engine.served import address_of, announce


@pytest.fixture
def page(store: Store) -> Path:
    path = store.report / "wifi & more.html"
    path.parent.mkdir(parents=True)
    path.write_text("rooms")
    return path


def test_the_address_is_known_while_it_is_served(store: Store, page: Path) -> None:
    with Pages(store.report).running() as pages, announce(store, pages.url):
        assert address_of(page, store) == f"{pages.url}wifi%20%26%20more.html"
        assert address_of(store.report / "other.html", store) == ""  # there is no such page
        assert address_of(store.root / "records", store) == ""
    assert address_of(page, store) == ""
    assert list(store.report.iterdir()) == [page]


def test_what_a_killed_server_left_is_no_address(store: Store, page: Path) -> None:
    with Pages(store.report).running() as pages:
        url = pages.url
    with announce(store, url):
        assert address_of(page, store) == ""


@pytest.mark.parametrize(
    "note", ["", "javascript:alert(1)/", "http://a b/", "http://127.0.0.1:1", "\udcff/", "file:///"]
)
def test_a_strange_note_is_no_address(store: Store, page: Path, note: str) -> None:
    (store.report / "served-at.txt").write_bytes(note.encode(errors="surrogateescape"))
    assert address_of(page, store) == ""


def test_a_later_server_keeps_its_note(store: Store, page: Path) -> None:
    with Pages(store.report).running() as pages:
        with announce(store, "http://127.0.0.1:1/"):
            store.write_bytes(store.report / "served-at.txt", pages.url.encode())
        assert address_of(page, store).startswith(pages.url)
