"""Python imports this if the folder is in its path: the wall clock jumps when a file says so.

The file, named by ``FAULTS_CLOCK``, holds seconds that are added to :func:`time.time`. The
monotonic clock goes on, as it does where an administrator or NTP sets a machine's time.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_OFFSET = Path(os.environ["FAULTS_CLOCK"])
_real_time = time.time


def _jumping_time() -> float:
    return _real_time() + float(_OFFSET.read_text(encoding="ascii"))


time.time = _jumping_time
