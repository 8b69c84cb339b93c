from __future__ import annotations

import json

import pytest

from engine import Artifact
from engine.recipe import Recipe
from engine.record import Record, check_key

RECIPE = Recipe("make", {"m:make": "ab"}, {"n": 5, "text": "é"}, {}, {"python": "3.11"})
ARTIFACTS = (
    Artifact("make.values", "12" * 32, "34" * 32, "npz", ".npz", 10, {"single": True}),
    Artifact("make.about", "56" * 32, "78" * 32, "json", ".json", 11),
)
RECORD = Record(RECIPE, ARTIFACTS, 0.12345678, "2026-01-02T03:04:05+00:00", {"cores": 2})


def test_round_trip():
    found = Record.loads(RECORD.dumps())
    assert (found.recipe, found.artifacts, found.seconds) == (RECIPE, ARTIFACTS, 0.1235)
    assert found.key == RECORD.key
    assert found.dumps() == RECORD.dumps()


def test_every_flipped_bit_is_found_or_harmless():
    data = RECORD.dumps()
    found = 0
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        try:
            assert Record.loads(bytes(broken)).dumps() == data
        except ValueError:
            found += 1
    assert found > 0.99 * 8 * len(data)


def test_every_truncation_is_found():
    data = RECORD.dumps()
    for length in range(len(data)):
        with pytest.raises(ValueError):  # noqa: PT011 - json's own words or ours
            Record.loads(data[:length])


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b"{}",
        b'{"sha256": 1}',
        b"\xff\xfe\x00",
        b"\0" * 4096,
        b"[" * 100_000,
        json.dumps({**json.loads(RECORD.dumps()), "more": 1}).encode(),
        json.dumps({**json.loads(RECORD.dumps()), "seconds": "NaN"}).encode(),
        b'{"sha256": "x", "a": 1e999}',
    ],
)
def test_garbage_is_refused_by_name(garbage):
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words or ours
        Record.loads(garbage)


@pytest.mark.parametrize(
    "key",
    ["", "make", "../x-" + "0" * 20, "make-" + "0" * 19, "a/b-" + "0" * 20, RECORD.key + "\n"],
)
def test_what_is_no_key_is_refused(key):
    with pytest.raises(ValueError, match="cache key"):
        check_key(key)


def test_a_key_is_one():
    assert check_key(RECORD.key) == RECORD.key
