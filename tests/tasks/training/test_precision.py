from __future__ import annotations

import pytest

from engine import InputError
from tasks.training import precision
from tasks.training.precision import resolve_precision


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        (("avx2", "avx512f", "avx512_bf16"), "bfloat16"),
        (("avx2", "amx_bf16"), "bfloat16"),
        (("avx2", "avx512f"), "float32"),
        ((), "float32"),
    ],
)
def test_auto_is_what_the_processor_multiplies(
    flags: tuple[str, ...], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "processor_flags", lambda: flags)
    assert resolve_precision("auto") == chosen
    assert resolve_precision("float32") == "float32" and resolve_precision("bfloat16") == "bfloat16"


def test_an_unknown_precision_is_named() -> None:
    with pytest.raises(
        InputError, match="precision = 'half': choose one of auto, float32, bfloat16"
    ):
        resolve_precision("half")  # type: ignore[arg-type]
