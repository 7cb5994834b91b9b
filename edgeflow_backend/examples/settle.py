"""Which of the candidates of several categories become suggestions: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.found import Candidate
from edgeflow_backend.examples.library import Category
from edgeflow_backend.objects.overlap import without

SAME_PLACE = 0.3
"""Candidates of two categories that share more of the smaller one are of one object."""

MARGIN = 0.05
"""How much more similar a candidate must be than those of other categories at its place."""

MOST_CUT = 0.3
"""A candidate that loses more of its pixels to other masks is no object of its own."""


class Claim(NamedTuple):
    """A candidate, and what it would be labelled as."""

    category: Category
    candidate: Candidate


def settle(
    found: Mapping[Category, Sequence[Candidate]], taken: Iterable[MaskPatch]
) -> list[Claim]:
    """Choose among candidates; those that are chosen share no pixel with each other or ``taken``.

    Where candidates of several categories lie at one place, the most similar one is chosen, or none
    where two are about as similar: a wrong label costs more than a missing suggestion.

    Args:
        found: The candidates of each category in one image.
        taken: Masks that exist in it.

    Returns:
        The most similar first.
    """
    claims = [Claim(category, each) for category, group in found.items() for each in group]
    claims.sort(key=lambda claim: (-claim.candidate.similarity, -claim.candidate.score))
    covered, chosen = list(taken), []
    for claim in claims:
        if any(_contests(other, claim) for other in claims):
            continue
        mask = claim.candidate.mask
        left = without(mask, covered)
        if _area(left) >= (1 - MOST_CUT) * _area(mask) and not left.empty:
            covered.append(left)
            chosen.append(claim._replace(candidate=replace(claim.candidate, mask=left)))
    return chosen


def _contests(other: Claim, claim: Claim) -> bool:
    """Whether another category has about as good a claim to the place, or a better one."""
    return (
        other.category != claim.category
        and other.candidate.similarity > claim.candidate.similarity - MARGIN
        and _shared(other.candidate.mask, claim.candidate.mask) > SAME_PLACE
    )


def _shared(one: MaskPatch, other: MaskPatch) -> float:
    """The part of the smaller mask that lies on the other one."""
    if not one.box.intersection(other.box).area:
        return 0.0
    return (_area(one) - _area(without(one, [other]))) / min(_area(one), _area(other))


def _area(mask: MaskPatch) -> int:
    return int(np.count_nonzero(mask.pixels))
