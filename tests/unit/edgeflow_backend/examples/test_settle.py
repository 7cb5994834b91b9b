from __future__ import annotations

import numpy as np
import pytest

from edgeflow.geometry import ImagePoint
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.similar.found import Candidate
from edgeflow_backend.examples.settle import MARGIN, settle
from tests.unit.edgeflow_backend.examples.library_samples import COIN, NUT


def square(left: int, side: int = 10) -> MaskPatch:
    mask = np.zeros((20, 100), dtype=np.bool_)
    mask[5 : 5 + side, left : left + side] = True
    return MaskPatch.of(mask)


def candidate(left: int, similarity: float, score: float = 0.9, side: int = 10) -> Candidate:
    return Candidate(Click(ImagePoint(left, 5)), square(left, side), score, similarity)


def chosen(
    coins: list[Candidate], nuts: list[Candidate], *taken: MaskPatch
) -> list[tuple[str, int]]:
    """The labels and places of what is chosen."""
    claims = settle({COIN: coins, NUT: nuts}, taken)
    return [(str(claim.category), int(claim.candidate.click.point.x)) for claim in claims]


def test_candidates_at_places_of_their_own_are_all_chosen_the_most_similar_first() -> None:
    assert chosen([candidate(0, 0.7), candidate(20, 0.9)], [candidate(40, 0.8)]) == [
        ("coin", 20),
        ("nut", 40),
        ("coin", 0),
    ]
    assert chosen([], []) == []


def test_one_that_fits_two_labels_goes_to_the_most_similar_one() -> None:
    assert chosen([candidate(0, 0.9)], [candidate(2, 0.9 - 2 * MARGIN)]) == [("coin", 0)]
    assert chosen([candidate(0, 0.7)], [candidate(2, 0.9)]) == [("nut", 2)]


@pytest.mark.parametrize("difference", [0.0, MARGIN / 2])
def test_one_that_fits_two_labels_about_as_well_goes_to_neither(difference: float) -> None:
    nuts = [candidate(2, 0.9 - difference), candidate(40, 0.6)]
    assert chosen([candidate(0, 0.9)], nuts) == [("nut", 40)]


def test_a_part_of_an_object_counts_as_its_place() -> None:
    assert chosen([candidate(0, 0.9)], [candidate(2, 0.89, side=4)]) == []


def test_nothing_lies_on_what_is_there() -> None:
    coins = [candidate(0, 0.9), candidate(20, 0.8), candidate(40, 0.7)]
    assert chosen(coins, [], square(0), square(22)) == [("coin", 40)]


def test_what_touches_another_mask_is_cut_and_shares_no_pixel_with_it() -> None:
    (claim,) = settle({COIN: [candidate(20, 0.9)]}, [square(28)])
    mask = claim.candidate.mask
    assert (mask.box.left, mask.box.right) == (20, 28)
    first, second = settle({COIN: [candidate(20, 0.9), candidate(28, 0.8)]}, [])
    assert first.candidate.mask.iou(second.candidate.mask) == 0
    assert second.candidate.mask.box.left == 30
