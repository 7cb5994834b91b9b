"""The threats, and the guards against each."""

from __future__ import annotations

from tools.guards.threats import callers, files, images, learning, outgoing, requests, sharing

THREATS = (
    *outgoing.THREATS,
    *images.THREATS,
    *requests.THREATS,
    *files.THREATS,
    *callers.THREATS,
    *sharing.THREATS,
    *learning.THREATS,
)
