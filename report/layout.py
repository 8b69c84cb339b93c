"""Lays values into the site's templates: links, styles, scripts and the policy of every page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from report.code import to_html
from report.site import Site
from report.values import show, show_seconds

TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    # Nothing may come from elsewhere, and no script but the site's own may run, whatever a label
    # holds. Opened from a disk, some browsers take `file:` and some `'self'` for the site itself.
    "default-src 'none'; img-src 'self' file: data:; script-src 'self' file:; "
    "style-src 'self' file:{}"
)


class Pages:
    """Lays values into the site's templates."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.style = site.add_static("style.css")
        self.script = site.add_static("script.js")
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {
            "seconds": show_seconds,
            "moment": _moment,
            "show": show,
            "python": lambda text: Markup(to_html(text)),
        }

    def write(self, name: str, template: str, **values: Any) -> Path:
        """Write a page; raises StoreError where that cannot be."""
        return self.site.write(name, self.text(name, template, **values))

    def text(
        self,
        name: str,
        template: str,
        styles: str = "",
        scripts: Sequence[str] = (),
        styled_by_scripts: bool = False,
        **values: Any,
    ) -> str:
        """A page's text.

        Arguments:
            name: the page's name in the site, from which its links lead.
            styles: rules of this page alone.
            scripts: names of scripts in the site besides the one that all pages have.
            styled_by_scripts: whether they bring styles of their own along.
        """
        self.site.needs |= {self.style, self.script, *scripts}
        own = f" '{_hash(styles)}'" if styles else ""
        policy = _POLICY.format(" 'unsafe-inline'" if styled_by_scripts else own)
        return self._templates.get_template(template).render(
            root="../" * name.count("/"),
            style=self.style,
            scripts=[self.script, *scripts],
            styles=Markup(styles),
            policy=policy,
            **values,
        )


def _hash(text: str) -> str:
    """A style as the page's own security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _moment(iso: str) -> str:
    """`2026-11-22 16:45 UTC` for an ISO 8601 time in UTC."""
    return f"{iso[:10]} {iso[11:16]} UTC" if len(iso) >= 16 else iso
