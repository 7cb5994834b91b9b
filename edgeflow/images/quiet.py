"""Silence while an image is decoded."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_STANDARD_ERROR = 2


@contextlib.contextmanager
def quiet_decoders() -> Iterator[None]:
    """Drop what is written to standard error inside the ``with``, by any thread.

    libtiff writes its complaints there itself, and Pillow warns; what a person needs to know of a
    damaged file comes as an error or a note.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # closed: nothing would be written anyway
        yield
        return
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, _STANDARD_ERROR)
        os.close(silence)
        yield
    finally:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
