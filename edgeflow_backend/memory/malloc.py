"""Settings of the GNU C library's malloc that keep memory use from growing.

Large arrays come and go with every click, beside small objects that live for long. With malloc's
defaults this leaves ever more holes in the heap (:mod:`edgeflow_backend.memory.pages` takes care of
large objects that live for long). These settings avoid both causes:

* Each thread has a heap of its own, and the holes of one cannot be used by another. Here all
  threads share one heap.
* A large array that fits into no hole extends the heap, and small long-lived objects then settle in
  its place. From :data:`_MMAP_THRESHOLD` on, such an array is mapped instead, and goes back to the
  system as a whole.

Free memory at the heap's end is reserved for the next click, since fresh pages are expensive.
``python -m benchmarks.memory`` measures the outcome.
"""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD = 1 << 20
"""Bytes from which on an array that fits into no hole is mapped outside the heap."""

_TRIM_THRESHOLD = 512 << 20
"""Free bytes at the heap's end that are not given back."""

_TOP_PAD = 16 << 20
"""Least bytes by which the heap grows."""

_OPTIONS = {
    -8: 1,  # M_ARENA_MAX
    -3: _MMAP_THRESHOLD,  # M_MMAP_THRESHOLD
    -1: _TRIM_THRESHOLD,  # M_TRIM_THRESHOLD
    -2: _TOP_PAD,  # M_TOP_PAD
}
"""Option numbers of ``malloc.h`` and their values for ``mallopt``."""


def configure_malloc() -> bool:
    """Apply the settings to this process.

    Threads that have already allocated keep their heap, so call it first.

    Returns:
        Whether they took effect; C libraries other than GNU's keep their own settings.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
        return all(mallopt(option, value) == 1 for option, value in _OPTIONS.items())
    except (AttributeError, OSError, TypeError):
        return False


def give_back_memory() -> bool:
    """Give what malloc holds free, in holes of the heap too, back to the system.

    What is needed next has to be mapped anew, which takes time: it is meant for the end of a piece
    of work.

    Returns:
        Whether anything was; other C libraries than GNU's do as they please.
    """
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0) == 1)
    except (AttributeError, OSError, TypeError):
        return False
