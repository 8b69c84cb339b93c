"""The report's folder: pages, and the files that they share, each written whole or not at all.

    index.html  <flow>.html  runs/<flow>/<run>.html  compare/<run>..<run>.html
    code/  maps/  atlas/      pages of source code, of latent spaces, of a network's maps
    media/                    pictures, named by their content
    static/                   styles and scripts, named by their content: an old page keeps its own
    .cards/<page>.json        what the index says of a page, and which files it needs

Whatever no page needs any more is removed when the next page is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.artifact import Artifact
from engine.locks import FileLock
from engine.store import Store

log = logging.getLogger(__name__)

_CARDS = ".cards"
_STATIC = Path(__file__).parent / "static"
_SHARED = ("media", "static", "code", "maps", "atlas", "compare")


class Site:
    """Writes into a store's report folder; `needs` gathers what the page being made refers to."""

    def __init__(self, store: Store) -> None:
        self.root = store.report
        self._store = store
        self.needs: set[str] = set()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs of this machine from writing the index at the same time."""
        with FileLock(self._store.root / "locks" / "report.lock").hold():
            yield

    def exists(self, name: str) -> bool:
        """Whether a file of the site is there."""
        return (self.root / name).is_file()

    def write(self, name: str, text: str | bytes) -> Path:
        """Write a file of the site; a reader finds the old or the new one, whole.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        path = self.root / name
        data = text if isinstance(text, bytes) else text.encode()
        # Not synced: a page can be made again, and a page that is no whole one is seen to be none.
        with self._store.temporary(path.suffix) as (temporary, file):
            file.write(data)
            file.close()
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        return path

    def share(self, name: str, content: Callable[[], bytes]) -> str:
        """Write a file whose name says its content, unless it is there; returns its name."""
        self.needs.add(name)
        if not self.exists(name):
            self.write(name, content())
        return name

    def add_picture(self, artifact: Artifact, data: bytes) -> str:
        """Copy a picture of the store into the site; returns its name."""
        return self.share(f"media/{artifact.sha256[:20]}{artifact.suffix}", lambda: data)

    def add_static(self, file: str) -> str:
        """Copy a style or script of the report, or the named file, into the site."""
        return self.add_file(_STATIC / file)

    def add_file(self, path: Path) -> str:
        """Copy a file from elsewhere, such as a library's script, into `static/`."""
        data = path.read_bytes()
        short = hashlib.sha256(data).hexdigest()[:8]
        return self.share(f"static/{path.stem}-{short}{path.suffix}", lambda: data)

    # Cards

    def write_card(self, page: str, journals: Sequence[str], about: Mapping[str, Any]) -> None:
        """Note what a page shows, with the files that were asked for since the last card.

        Arguments:
            journals: `<flow>/<run>` of the runs without which the page is to go.
        """
        card = {**about, "page": page, "journals": list(journals), "needs": sorted(self.needs)}
        self.needs = set()
        self.write(f"{_CARDS}/{page}.json", json.dumps(card, ensure_ascii=False))

    def card(self, page: str, keys: Iterable[str] = ()) -> dict[str, Any] | None:
        """The card of a page that is there; None where either is missing or damaged.

        Arguments:
            keys: what the reader needs; a card that an older state of the project wrote may lack it.
        """
        if not self.exists(page):
            return None
        try:
            found = json.loads((self.root / _CARDS / f"{page}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and found.keys() >= {"journals", "needs", *keys}
        return found if whole and found.get("page") == page else None

    def cards(self, folder: str = "", keys: Iterable[str] = ()) -> list[dict[str, Any]]:
        """The cards of the pages in a folder of the site, by name; see `card`."""
        names = sorted(p.stem for p in (self.root / _CARDS / folder).glob("*.json"))
        found = [self.card(f"{folder}/{name}" if folder else name, keys) for name in names]
        return [card for card in found if card is not None]

    def tidy(self) -> None:
        """Remove pages about runs whose journal is gone, and files that no page needs."""
        folder = self.root / _CARDS
        cards = {path: self.card(_page_of(path, folder)) for path in folder.rglob("*.json")}
        waiting = [card for card in cards.values() if card and self._is_alive(card)]
        needed: set[str] = set()
        by_page = {card["page"]: card for card in cards.values() if card}
        while waiting:
            card = waiting.pop()
            new = {card["page"], *card["needs"]} - needed
            needed |= new
            waiting += [by_page[name] for name in new if name in by_page]
        for path in cards:
            page = _page_of(path, folder)
            if page not in needed:
                self._remove(path)
                self._remove(self.root / page)
        for name in _SHARED:
            for path in (self.root / name).glob("*"):
                if f"{name}/{path.name}" not in needed:
                    self._remove(path)

    def _is_alive(self, card: Mapping[str, Any]) -> bool:
        return all((self._store.runs / f"{name}.jsonl").exists() for name in card["journals"])

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink()


def _page_of(card: Path, folder: Path) -> str:
    return card.relative_to(folder).as_posix().removesuffix(".json")
