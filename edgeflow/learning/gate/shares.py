"""Which share of what was learnt is served: two may be judged, at a level that holds for both.

The general set chooses the greatest share that keeps it, see :func:`.choose_share`. Of few objects,
all of what was learnt may be too much for others of their kind, and half of it right. So where the
held-out objects refuse that share, half of it is judged by them. Each is judged at half the level
(Bonferroni): if neither is better, the chance that one of them passes is at most the level, however
alike they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from edgeflow.learning.gate.bounds import STANDARD, Bounds
from edgeflow.learning.gate.clicking import Clicked
from edgeflow.learning.gate.judge import SHARES, Clicks, Share, weigh
from edgeflow.learning.gate.verdict import Tried, Verdict

HALF = 0.5
"""Of the share that keeps the general set, which is tried where that one is refused."""


class Taken(NamedTuple):
    """What was decided.

    Attributes:
        share: The share of what was learnt, 0 to 1.
        verdict: Whether it may be served.
    """

    share: float
    verdict: Verdict


def weigh_shares(
    base: Clicks,
    served: Sequence[Clicked] | None,
    greatest: Share,
    clicked: Callable[[float], Clicks],
    bounds: Bounds = STANDARD,
) -> Taken:
    """Judge the greatest share that keeps the general set and, if it is refused, half of it.

    Args:
        base: Clicks with the base weights.
        served: With the version of them that is served, on the held-out objects; None if none is.
        greatest: What :func:`.choose_share` gave.
        clicked: Clicks with a share of what was learnt; asked for the second only where the first
            is refused.
        bounds: What is asked; its level is that of both together.

    Returns:
        The first that passes; where none does, the one that takes the fewest clicks on held-out
        objects. The verdict says which were tried.

    Raises:
        ValueError: They are not of the same objects, or there are none.
    """
    shares = candidates(greatest)
    each_at = replace(bounds, level=bounds.level / len(shares))
    judged: list[Taken] = []
    for share in shares:
        verdict = weigh(base, served, clicked(share), each_at)
        judged.append(Taken(share, replace(verdict, share=share)))
        if verdict.accepted:
            break
    taken = judged[-1] if verdict.accepted else max(judged, key=_saved)
    return _told(taken, judged, each_at.level)


def candidates(greatest: Share) -> tuple[float, ...]:
    """The shares that may be judged, in order; the general set alone decides which.

    Args:
        greatest: What :func:`.choose_share` gave. Where it does not keep the general set, or is so
            small that half of it would be next to nothing, it stands alone.
    """
    half = HALF * greatest.share
    return (greatest.share,) if greatest.reasons or half < min(SHARES) else (greatest.share, half)


def _saved(judged: Taken) -> float:
    held_out = judged.verdict.held_out
    return -math.inf if held_out is None else held_out.saved


def _told(taken: Taken, judged: Sequence[Taken], level: float) -> Taken:
    """With all that were tried and, where none passed, which of them the reasons are about."""
    tried = tuple(
        Tried(share, level, verdict.held_out.saved, verdict.held_out.p, verdict.accepted)
        for share, verdict in judged
        if verdict.held_out is not None
    )
    share, verdict = taken
    reasons = verdict.reasons
    if not verdict.accepted and len(tried) > 1:
        shares = " and ".join(f"{each.share:g}" for each in tried)
        told = f"shares of {shares} of what was learnt were tried; this is about {share:g}"
        reasons = (*reasons, told)
    return Taken(share, replace(verdict, reasons=reasons, tried=tried))
