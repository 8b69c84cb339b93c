"""A flow's pages in the report, made from a run's manifest and artifacts.

Importing this module costs nothing: a run in which every stage was cached compares one hash with
the head of the page that is there and loads neither a template engine nor a table library.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import RunRecord
from engine.outcome import Outcome
from engine.recipe import canonical_json
from engine.store import Store

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

_HEAD_BYTES, _TAIL_BYTES = 2048, 64
_MARK = re.compile(rb'<meta name="latentflow-results" content="([0-9a-f]{64})">')


@dataclass(frozen=True)
class Section:
    """One heading of the page and which of the flow's results stand under it.

    Arguments:
        title: the heading.
        intro: what the section asks, in a sentence or two.
        figures: names of results that are pictures.
        tables: names of results that are tables or JSON data.
        sentences: names of JSON results whose `sentence` (or `finding`) is shown as text.
        seconds: pairs of a table's name and the slots that each of its rows stands for, as
            `report.timing` reads them: the table gets a column of seconds, from the run's records.
        maps: names of latent maps, as `tasks/figures/latent_map.py` packs them.
        atlases: names of atlases of a network's maps, as `tasks/figures/pattern_atlas.py` packs them.
        occasional: those of all these names of whose absence nothing is said.

    A name stands for all members of a list or dict of results: `profiles` for `profiles[3]`.
    """

    title: str
    intro: str = ""
    figures: Sequence[str] = ()
    tables: Sequence[str] = ()
    sentences: Sequence[str] = ()
    seconds: Sequence[tuple[str, str]] = ()
    maps: Sequence[str] = ()
    atlases: Sequence[str] = ()
    occasional: Sequence[str] = ()


def page_of(
    sections: Sequence[Section],
    *,
    about: str | None = None,
    parameters: type[BaseModel] | None = None,
) -> Callable[[RunRecord, Store], Path]:
    """The `page` of a flow, with these sections; see `write_page`."""

    def page(record: RunRecord, store: Store) -> Path:
        return write_page(record, store, sections=sections, about=about, parameters=parameters)

    return page


def write_page(
    record: RunRecord,
    store: Store,
    *,
    sections: Sequence[Section],
    about: str | None = None,
    parameters: type[BaseModel] | None = None,
) -> Path:
    """Write the run's pages into the store's report, unless they already show these results.

    They are the flow's page, the run's page and whatever else `report.site` lists.

    Arguments:
        record: the run's manifest; results are looked up in it by name.
        sections: what stands where; results that are missing are noted, pictures that no
            section names come last.
        about: what the flow does, e.g. its docstring; paragraphs are parted by empty lines.
        parameters: the flow's parameter model, to show what differs from its defaults.

    Returns:
        The path of the flow's page, `report/<flow>.html`.

    Raises:
        StoreError: the page cannot be written.
    """
    path = store.report / f"{record.flow}.html"
    if not record.path.name:
        log.warning("no page for this run: it could leave no manifest")
        return path
    about = inspect.cleandoc(about or "")
    mark = _mark(record, sections, about)
    cached = all(stage.outcome is Outcome.CACHED for stage in record.stages.values())
    if cached and _mark_of(path) == mark:
        return path

    from report.publish import publish

    return publish(record, store, sections, about, parameters, mark)


def _mark(record: RunRecord, sections: Sequence[Section], about: str) -> str:
    """Hash of everything on the page that a cached run cannot change."""
    stages = sorted(
        [stage.slot, stage.key, [artifact.digest for artifact in stage.artifacts]]
        for stage in record.stages.values()
    )
    shown = {
        "stages": stages,
        "results": {name: artifact.digest for name, artifact in record.results.items()},
        "parameters": record.parameters,
        "preset": record.preset,
        "sections": [list(map(_plain, astuple(section))) for section in sections],
        "about": about,
    }
    sha = hashlib.sha256(canonical_json(shown).encode())
    folder = Path(__file__).parent
    for file in sorted(
        [*folder.glob("*.py"), *folder.glob("templates/*"), *folder.glob("static/*")]
    ):
        sha.update(file.name.encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else [_plain(part) for part in value]


def _mark_of(path: Path) -> str | None:
    """The hash in a page's head, or None if there is no whole page."""
    try:
        with path.open("rb") as file:
            found = _MARK.search(file.read(_HEAD_BYTES))
            file.seek(-_TAIL_BYTES, 2)
            whole = file.read().rstrip().endswith(b"</html>")
    except OSError:
        return None
    return found.group(1).decode() if found and whole else None
