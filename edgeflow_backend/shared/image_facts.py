"""What is known of an image without opening it: for a process that only forwards clicks.

Believing it costs nothing: whoever opens the image compares the digest.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from edgeflow.geometry import Size
from edgeflow_backend.shared.ages import age_of
from edgeflow_backend.shared.packing import MAX_SIDE, Packer, SpoiledValueError, Unpacker
from edgeflow_backend.shared.tier import Tier

KIND = "image"


class Facts(NamedTuple):
    """Size in pixels as the editor shows the image, and hex digest of size and pixels."""

    size: Size
    digest: str


class ImageFacts:
    """Sizes and digests of images, in the second tier. Thread-safe.

    Args:
        tier: Where they are.
        ttl_s: Seconds after which an image is fetched again, and so the facts with it.
        clock: Seconds since 1970; ``time.time`` unless a test says otherwise.
    """

    def __init__(self, tier: Tier, ttl_s: float, clock: Callable[[], float] = time.time) -> None:
        self._tier, self._ttl_s, self._clock = tier, ttl_s, clock

    def get(self, key: str) -> Facts | None:
        """What is known of an image.

        Args:
            key: The source's cache key: its URL, and whose it is. Only its digest is sent.
        """
        body = self._tier.get(self._tier.name(KIND, key))
        if body is None:
            return None
        try:
            made, facts = _unpack(body)
            age = age_of(made, self._clock())
        except SpoiledValueError:
            self._tier.refuse()
            return None
        return facts if age < self._ttl_s else None

    def put(self, key: str, facts: Facts) -> None:
        """Note an image that was opened just now, for as long as it need not be fetched again."""
        packer = Packer()
        packer.real(self._clock())
        packer.number(facts.size.height)
        packer.number(facts.size.width)
        packer.text(facts.digest)
        self._tier.put_later(self._tier.name(KIND, key), packer.bytes, 200, self._ttl_s)


def _unpack(body: bytes) -> tuple[float, Facts]:
    unpacker = Unpacker(body, 0)
    made = unpacker.real()
    size = Size(unpacker.number(1, MAX_SIDE), unpacker.number(1, MAX_SIDE))
    digest = unpacker.text()
    unpacker.end()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise SpoiledValueError("a digest that is none")
    return made, Facts(size, digest)
