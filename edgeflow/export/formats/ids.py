"""Numbers as ids that stay the same from export to export."""

from __future__ import annotations

import hashlib

BITS = 52
"""So that JavaScript, and NumPy's float64 in pycocotools, hold each number exactly."""


class StableIds:
    """Gives each key a number, 1 to 2⁵², which depends on the key.

    Where two keys would have one number, which is rare, the later one gets the next that is free.

    Args:
        bits: Of the largest number, in place of 52.
    """

    def __init__(self, bits: int = BITS) -> None:
        self._taken: set[int] = set()
        self._bits = bits

    def of(self, *key: str) -> int:
        """A number that no other key has; ask once for each.

        Args:
            key: Parts of the key.
        """
        text = "\n".join(key).encode("utf-8", "surrogatepass")
        number = 1 + (int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> (64 - self._bits))
        while number in self._taken:
            number += 1
        self._taken.add(number)
        return number
