from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeflow.learning.accepted import PercentClick
from edgeflow.learning.gate.general import general_set
from edgeflow.learning.gate.screen import (
    ANYWHERE,
    BESIDE_CLICKS,
    EVERYTHING,
    doubt,
    edges_of,
    fits,
    screened,
    too_many,
)
from tests.unit.edgeflow.learning.gate.gated import pictures
from tests.unit.edgeflow.learning.learning_samples import accepted

MASK = np.zeros((100, 200), dtype=np.bool_)
MASK[20:60, 40:100] = True
INSIDE, OUTSIDE = PercentClick(35, 40, True), PercentClick(80, 80, True)
EXCLUDED, WRONGLY = PercentClick(80, 80, False), PercentClick(35, 40, False)


@pytest.mark.parametrize(
    ("clicks", "changes", "found"),
    [
        ((INSIDE, EXCLUDED), {}, ""),
        ((INSIDE, INSIDE, EXCLUDED, OUTSIDE), {}, ""),  # the network did not obey one
        ((OUTSIDE,), {}, BESIDE_CLICKS),
        ((INSIDE, WRONGLY), {}, BESIDE_CLICKS),
        ((INSIDE, WRONGLY), {"edited": True}, ""),  # somebody drew it in again
        ((OUTSIDE, OUTSIDE, INSIDE), {"edited": True}, BESIDE_CLICKS),
        ((OUTSIDE,), {"start": "mask"}, ""),
        ((), {"start": "hand"}, ""),
        ((PercentClick(20.2, 40, True),), {}, ""),  # on the border
    ],
)
def test_a_mask_must_agree_with_its_clicks(
    clicks: tuple[PercentClick, ...], changes: dict[str, Any], found: str
) -> None:
    assert doubt(accepted(clicks=clicks, **changes), MASK) == found


def test_all_of_an_image_and_the_ground_are_no_objects() -> None:
    nobody = accepted(start="hand", clicks=())
    assert doubt(nobody, np.ones((20, 30), dtype=np.bool_)) == EVERYTHING
    assert doubt(nobody, ~MASK) == EVERYTHING
    sky = np.zeros_like(MASK)
    sky[:60] = True
    assert doubt(nobody, sky) == ""


def test_photographed_objects_fit_where_they_are_and_not_elsewhere() -> None:
    photographs = [sample for sample in general_set() if sample.name.startswith("photos/")]
    here, moved = Counter[bool](), Counter[bool]()
    for sample in photographs:
        edges = edges_of(sample.rgb)
        for mask in sample.objects:
            here[fits(edges, mask)] += 1
            for by in ((0, 37), (31, 0), (-29, 40)):
                moved[fits(edges, np.roll(mask, by, axis=(0, 1)))] += 1
    assert here[True] >= 0.9 * here.total()
    assert moved[True] <= 0.5 * moved.total()


def test_what_is_probably_wrong_is_left_out_and_counted() -> None:
    good = pictures(3)
    shifted = replace(good[0], objects=(np.roll(good[0].objects[0], 20, axis=1),))
    mask = good[1].objects[0]
    ground = replace(good[1], objects=(mask, ~mask), labels=())
    kept, left_out = screened([shifted, ground, good[2]])
    assert [(each.name, len(each.objects)) for each in kept] == [("held-1", 1), ("held-2", 1)]
    assert left_out == {ANYWHERE: 1, EVERYTHING: 1}


def test_where_many_are_wrong_none_is_believed() -> None:
    assert too_many({ANYWHERE: 5}, 20) == ""
    reason = too_many({ANYWHERE: 5, EVERYTHING: 1}, 20)
    assert "of 20 objects 6 are probably wrong" in reason
    assert ANYWHERE in reason
