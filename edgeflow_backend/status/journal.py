"""What went wrong lately, and how it goes else: the memory behind the ``/status`` page.

Label Studio shows a failed click as nothing at all, so its reason must be found here. All of it is
bounded, thread-safe, lives as long as the process, and holds words only: no request bodies, tokens,
queries of addresses, labelling configs or tracebacks.
"""

from __future__ import annotations

from edgeflow_backend.status.config_checks import ProjectChecks
from edgeflow_backend.status.failures import Clock, Failures, utc_now
from edgeflow_backend.status.latency import Durations


class Journal:
    """All that one application remembers for its status page."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.started = clock()
        self.troubles = Failures(clock)
        self.checks = ProjectChecks(clock)
        self.durations = Durations(clock)
