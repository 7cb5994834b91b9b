"""One heap for all threads, so that memory levels off.

Pictures and states are kept for long, arrays of the same size come and go between them, and each
thread has a heap of its own in the GNU C library: holes in one are no use to another. Over 10,000
clicks such heaps grew by a third while what was in use stayed the same; a single one stays as it
is, and is no slower (``python -m benchmarks.memory``).
"""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of ``malloc.h``."""


def share_one_heap() -> bool:
    """Have every thread allocate from the heap of the first one.

    It works for threads that have not allocated yet, so call it first.

    Returns:
        Whether the C library knows how; others than GNU's keep what they do.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, 1))
    except (AttributeError, OSError, TypeError):
        return False
