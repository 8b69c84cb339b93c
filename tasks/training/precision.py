"""In which numbers a network is trained."""

from __future__ import annotations

from typing import Literal

from engine import InputError
from engine.environment import processor_flags

Precision = Literal["auto", "float32", "bfloat16"]

PRECISIONS = ("auto", "float32", "bfloat16")
# Instruction sets that multiply bfloat16; without one of them it is emulated, several times slower.
_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


def resolve_precision(precision: Precision = "auto") -> Literal["float32", "bfloat16"]:
    """The precision that will be used here: "float32" or "bfloat16".

    With bfloat16 layers multiply in bfloat16 and sum in float32; weights, the loss and the
    optimiser stay in float32.

    Arguments:
        precision: "auto" takes bfloat16 where this processor multiplies it.

    Raises:
        InputError: an unknown one.
    """
    if precision == "auto":
        return "bfloat16" if _BFLOAT16 & set(processor_flags()) else "float32"
    if precision not in PRECISIONS:
        raise InputError(f"precision = {precision!r}: choose one of {', '.join(PRECISIONS)}")
    return precision
