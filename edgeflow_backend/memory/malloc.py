"""Settings of the GNU C library's heap with which memory levels off.

Large arrays come and go with every click, beside small things that are kept. As the C library does
it by itself, this leaves ever more holes (what is large and kept is
:mod:`edgeflow_backend.memory.pages`'s concern). Two things make them, and neither is done here:

* Each thread has a heap of its own, and holes in one are no use to another.
* A large array that fits into no hole makes the heap grow, and small ones that are kept settle in
  its place when it goes. With :data:`_OUTSIDE` it is taken from the system instead, and goes back
  whole.

What the heap has at its end is kept for the next click, since fresh pages cost more than their use.
``python -m benchmarks.memory`` measures the outcome.
"""

from __future__ import annotations

import ctypes

_OUTSIDE = 1 << 20
"""Bytes from which on an array that fits into no hole is put outside the heap."""

_KEPT_AT_END = 512 << 20
"""Free bytes at the heap's end that are not given back."""

_GROWTH = 16 << 20
"""Bytes by which the heap grows at least."""

_OPTIONS = {
    -8: 1,  # M_ARENA_MAX
    -3: _OUTSIDE,  # M_MMAP_THRESHOLD
    -1: _KEPT_AT_END,  # M_TRIM_THRESHOLD
    -2: _GROWTH,  # M_TOP_PAD
}
"""Names and values of ``mallopt`` in ``malloc.h``."""


def settle_heap() -> bool:
    """Set up the process's heap.

    Threads that have allocated already keep their heap, so call it first.

    Returns:
        Whether the C library knows how; others than GNU's keep what they do.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
        return all(mallopt(option, value) == 1 for option, value in _OPTIONS.items())
    except (AttributeError, OSError, TypeError):
        return False
