"""References between symbols, written `module:path`; the path is empty for the module itself.

`?module:name` may be there or not (star imports), `!module:name` only loads the module. In what is
changed in place `module:path()` is a call of that path, and `module:name<` a class that changes
when a subclass is defined.
"""

from __future__ import annotations

ENGINE = __name__.partition(".")[0]  # its own code is no part of any stage
EFFECTS = "<module>"  # symbol for what importing a file does beyond binding names
FIELDS = "<fields>"  # attribute for a class's annotated names, which dataclasses inherit


def join(target: str, chain: list[str]) -> str:
    """The target followed by attributes."""
    base, _, name = target.partition(":")
    return f"{base}:{'.'.join(part for part in (name, *chain) if part)}"
