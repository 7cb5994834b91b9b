"""How long a client may take, and how much of all of them is held at once."""

from __future__ import annotations

SILENT_S = 20.0
"""Seconds until the first byte of a connection."""

KEEP_ALIVE_S = 75.0
"""Seconds between two requests of a connection."""

HEAD_S = 10.0
"""Seconds from a request's first byte to the end of its head."""

BODY_S = 15.0
ANSWER_S = 15.0
"""Seconds for a body to come, or an answer to be read, beside those that its bytes take."""

BYTES_PER_S = 50_000
"""Slowest pace at which the bytes of a body or an answer may follow each other."""

LINGER_S = 2.0
"""Seconds in which a refused client may still send, so that it sees why it was refused."""

DRAIN_S = 8.0
"""Seconds for the requests under way when the server is told to stop; Docker waits for 10."""

SPARE_FILES = 256
"""File descriptors that connections leave to everything else."""

HELD_BODIES = 4
"""Bytes of all requests and answers under way, in largest bodies."""

SERVED_BODIES = 2
"""Bytes of large bodies that threads handle at once, in largest bodies."""

LARGE_BODY = 1_000_000
"""Bytes from which on a body counts as large."""


def body_deadline(begun: float, received: int) -> float:
    """When a body that has come so far, and began then, is late."""
    return begun + HEAD_S + BODY_S + received / BYTES_PER_S


def answer_deadline(begun: float, sent: int) -> float:
    """When an answer of which so much was read is late."""
    return begun + ANSWER_S + sent / BYTES_PER_S
