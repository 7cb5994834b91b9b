"""Randomness that is the same on every machine and in every order of work."""

from __future__ import annotations

import hashlib

import numpy as np


def chance(*what: object) -> np.random.Generator:
    """A generator that follows from what it is for alone, such as a seed, an image and a number.

    Args:
        what: Strings and integers.
    """
    digest = hashlib.sha256("|".join(map(str, what)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
