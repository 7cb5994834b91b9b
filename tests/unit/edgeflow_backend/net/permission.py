"""What a guard with a list of allowed hosts permits."""

from __future__ import annotations

from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard

LOOPBACK = "127.0.0.1"
PUBLIC = "93.184.216.34"


def permitted(allowed: str, host: str, ip: str, *, port: int = 80, scheme: str = "http") -> bool:
    return Guard(allowed=AllowList.parse(allowed)).permits(scheme, host, port, ip)
