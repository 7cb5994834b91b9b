"""Recent failures and overall health: the memory behind ``/status``.

Label Studio shows a failed click as nothing at all, so its reason must be available here. The
memory is bounded and thread-safe, lives as long as the process, and holds words only: no request
bodies, tokens, URL queries, labelling configs or tracebacks.
"""

from __future__ import annotations

from edgeflow.images.decode import NOT_SHOWN
from edgeflow_backend.status.calls import Calls
from edgeflow_backend.status.config_checks import ConfigChecks
from edgeflow_backend.status.failures import Clock, Failures, utc_now
from edgeflow_backend.status.latency import Latency
from edgeflow_backend.status.lost_masks import LostMasks


class Journal:
    """All that one application remembers for its status page.

    Attributes:
        failures: Requests that could not be answered.
        notes: Requests that were answered, but not with all that was asked for.
        calls: What was asked for without a click.
        lost: Annotations that hold prompts without their masks.
    """

    def __init__(self, clock: Clock = utc_now) -> None:
        self.clock = clock
        self.started = clock()
        self.failures = Failures(clock)
        self.notes = Failures(clock)
        self.calls = Calls(clock)
        self.lost = LostMasks(clock)
        self.config_checks = ConfigChecks(clock)
        self.latency = Latency(clock)

    def note_image(self, note: str) -> None:
        """Note what a user should know of an image that was read nevertheless."""
        if note.endswith(NOT_SHOWN):
            self.notes.note("image_not_shown", note, "cut it into tiles with `edgeflow tile`")
            return
        self.notes.note("image_incomplete", note, "save the image's file again")
