"""The most memory that a process has held."""

from __future__ import annotations

import re
from pathlib import Path


def peak_kilobytes(process: int | str = "self") -> int:
    """The most memory that a running process has held so far; 0 where Linux does not tell.

    What the system tells at its end is no less than what its parent held when it began.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0
