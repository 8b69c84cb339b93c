"""Memory that a loop gives back and asks for again is kept in the process instead of returned."""

from __future__ import annotations

import contextlib
import ctypes
import functools

# Of glibc's <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST = 32 << 20  # bytes of a block that may be kept: the most that glibc takes
_KEPT = 1 << 30  # bytes that are free and stay


@functools.cache
def keep_memory() -> bool:
    """Let glibc keep freed blocks of up to 32 MB for the next step; True where that could be set.

    TensorFlow allocates each activation anew in every step. As blocks of their own they would come
    from the kernel each time, page by page and cleared, which takes as long as the convolutions.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        settings = ((_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, 64 << 20))
        taken = [mallopt(name, value) == 1 for name, value in settings]
        return all(taken)
    return False
