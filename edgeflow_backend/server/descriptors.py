"""How many connections the process can have."""

from __future__ import annotations

import sys

from edgeflow_backend.server.limits import SPARE_FILES


def connection_limit(wanted: int) -> int:
    """Raise the process's limit of open files as far as needed; return how many connections fit."""
    if sys.platform == "win32":
        return min(wanted, 500)  # select() there takes 512 sockets
    import resource  # noqa: PLC0415 - POSIX only

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = wanted + SPARE_FILES
    if soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, soft), hard))
            soft = max(allowed, soft)
        except (OSError, ValueError):  # macOS refuses more than its own maximum
            pass
    return max(min(wanted, soft - SPARE_FILES), 16)
