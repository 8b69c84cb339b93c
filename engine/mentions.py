"""Which keys and objects a journal or a record names, found without parsing it.

What is cut short or damaged names what can still be read: a collector keeps rather too much.
"""

from __future__ import annotations

import re

from engine.record import KEY

_KEY = re.compile(rf'"key": "({KEY.pattern})"'.encode())
# In the order and form of `Artifact.to_json`; a quote inside a text is escaped, so none looks so.
_OBJECT = re.compile(
    rb'"sha256": "([0-9a-f]{2})([0-9a-f]{62})",\s+"format": "[a-z]+",\s+'
    rb'"suffix": "(\.[a-z0-9]{1,10})",\s+"size": (\d{1,18})'
)


def keys_in(data: bytes) -> set[str]:
    """The keys of records that stand in a journal."""
    return {match[1].decode() for match in _KEY.finditer(data)}


def objects_in(data: bytes) -> dict[str, int]:
    """Address below `objects/` → bytes, of the objects that stand in a journal or a record."""
    return {
        f"{match[1].decode()}/{match[2].decode()}{match[3].decode()}": int(match[4])
        for match in _OBJECT.finditer(data)
    }
