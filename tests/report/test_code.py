from __future__ import annotations

from pathlib import Path

import pytest

from engine import Store
from engine.fingerprint import fingerprint
from report.code import Code, CodePage, to_html
from report.site import Site
from tests.report import sample

DRAW, PNG = "tests.report.sample.draw", "tests.report.sample.draw_png"


@pytest.fixture(scope="module")
def hashes() -> dict[str, str]:
    return dict(fingerprint(sample.draw.fn).items())


def _code(site: Site, recipe: dict[str, str], look: str = "style.css") -> Code:
    def render(page: CodePage) -> str:
        return "\n".join(f"{s.name} {s.line}: {s.text}" for s in page.sources)

    return Code(site, [recipe], render, look)


def test_each_symbol_leads_to_its_own_source(tmp_path: Path, hashes: dict[str, str]) -> None:
    site = Site(Store(tmp_path))
    code = _code(site, hashes)
    href = code.href(PNG, hashes[PNG]) or ""
    page, _, name = href.partition("#")
    assert name == "draw_png"
    text = (site.root / page).read_text("utf-8")
    assert "def chunk(kind: bytes, data: bytes) -> bytes:" in text and "def judge" not in text
    source = code.source(DRAW, hashes[DRAW])
    assert source is not None and source.text.startswith("@stage\ndef draw(")


def test_code_that_has_changed_since_is_not_shown_in_its_place(
    tmp_path: Path, hashes: dict[str, str]
) -> None:
    changed = {**hashes, PNG: "0" * 16}
    code = _code(Site(Store(tmp_path)), changed)
    assert code.href(PNG, "0" * 16) is None and code.source(PNG, "0" * 16) is None
    assert code.href(DRAW, hashes[DRAW])


def test_a_page_once_written_keeps_showing_the_code_of_its_run(
    tmp_path: Path, hashes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(Store(tmp_path))
    before = _code(site, hashes).href(PNG, hashes[PNG])
    monkeypatch.setattr("report.code._texts", lambda path: {})
    assert _code(site, hashes).href(PNG, hashes[PNG]) == before
    assert _code(site, hashes, look="another.css").href(PNG, hashes[PNG]) is None


def test_symbols_of_no_file_are_left_out(tmp_path: Path) -> None:
    code = _code(Site(Store(tmp_path)), {"gone.module.function": "1" * 16, "alone": "2" * 16})
    assert code.href("gone.module.function", "1" * 16) is None


def test_source_is_shown_as_text() -> None:
    assert "<script>" not in to_html("text = '<script>'")
    assert "&lt;script&gt;" in to_html("text = '<script>'")
