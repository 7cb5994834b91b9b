"""Clicks, and the digests of an ordered click sequence."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size


@dataclass(frozen=True, slots=True)
class Click:
    """A positive click (on the object) or a negative one (beside it)."""

    point: ImagePoint
    positive: bool = True


def check_clicks(clicks: Sequence[Click], size: Size) -> None:
    """Refuse clicks that are not on the image.

    Raises:
        PromptError: Naming the first click that is not finite or lies outside ``size``.
    """
    for number, click in enumerate(clicks, start=1):
        x, y = click.point
        if not (math.isfinite(x) and math.isfinite(y)):
            raise PromptError(
                f"click {number} has no finite coordinates ({x}, {y})",
                hint="send x and y as plain numbers",
            )
        if not (-0.5 <= x <= size.width - 0.5 and -0.5 <= y <= size.height - 0.5):
            raise PromptError(
                f"click {number} at x={x:g}, y={y:g} lies outside the image "
                f"({size.width}×{size.height})",
                hint="click inside the image; x runs to the right, y down, from the top left",
            )


def prefix_digests(seed: str, clicks: Sequence[Click]) -> list[bytes]:
    """Digest every prefix of a click sequence.

    Args:
        seed: Everything else a prediction depends on (weights, policy, image digest).
        clicks: Clicks in the order in which they were made.

    Returns:
        ``len(clicks) + 1`` digests of 32 bytes; entry k stands for (seed, clicks[:k]).
    """
    digests = [hashlib.sha256(seed.encode()).digest()]
    for click in clicks:
        packed = struct.pack("<dd?", click.point.x, click.point.y, click.positive)
        digests.append(hashlib.sha256(digests[-1] + packed).digest())
    return digests
