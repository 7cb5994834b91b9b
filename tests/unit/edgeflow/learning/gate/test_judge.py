from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeflow.data.base import Sample
from edgeflow.learning.gate.bounds import Bounds
from edgeflow.learning.gate.clicking import click
from edgeflow.learning.gate.judge import choose_share, judge
from edgeflow.learning.gate.screen import ANYWHERE
from edgeflow.learning.gate.verdict import Verdict
from tests.unit.edgeflow.learning.gate.gated import (
    Answer,
    blobs,
    clicks_made,
    network,
    only,
    picture,
    pictures,
    sees,
)

BOUNDS = Bounds(max_clicks=8, general_max_clicks=8)
GENERAL = pictures(4, of="general")


def judged(after: Answer = sees, **changes: Any) -> Verdict:
    arguments: dict[str, Any] = {
        "base": network(blobs(5)),
        "served": None,
        "candidate": network(after),
        "held_out": pictures(8),
        "general": GENERAL,
        "bounds": BOUNDS,
    }
    return judge(**{**arguments, **changes})


def test_a_version_that_takes_fewer_clicks_and_forgets_nothing_is_accepted() -> None:
    verdict = judged()
    assert verdict.accepted
    assert verdict.reasons == ()
    assert verdict.held_out is not None
    assert verdict.held_out.after.clicks == {85: 1.0, 90: 1.0}
    assert verdict.held_out.before.cost > 3
    assert verdict.held_out.p == pytest.approx(2**-8)
    assert (verdict.held_out.objects, verdict.held_out.unit) == (8, "pictures")
    assert verdict.held_out.after.curve[0] > verdict.held_out.before.curve[0]
    assert len(verdict.held_out.after.curve) == BOUNDS.max_clicks


def test_one_that_is_no_better_is_refused_with_the_figures() -> None:
    verdict = judged(blobs(5))
    assert not verdict.accepted
    assert "0.0% saved, p = 1.000" in verdict.reasons[0]


def test_one_that_is_worse_is_refused() -> None:
    assert not judged(blobs(3)).accepted


def test_one_that_is_no_better_than_what_is_served_is_refused() -> None:
    verdict = judged(served=network(sees))
    assert not verdict.accepted
    assert verdict.held_out is not None
    assert verdict.held_out.p <= BOUNDS.level
    assert "the version that is served" in verdict.reasons[0]


def test_one_that_forgets_the_general_set_is_refused_and_the_picture_named() -> None:
    held_out = pictures(8)
    base = network(only(held_out, blobs(5), sees))
    general = [picture(f"general-{number}", disks=2) for number in range(3)]
    verdict = judged(only(held_out, sees, blobs(3)), base=base, held_out=held_out, general=general)
    assert not verdict.accepted
    assert any("objects of the general set take" in reason for reason in verdict.reasons)
    assert any("general-" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    "held_out",
    [pictures(7), [picture("alone", disks=4)], []],
    ids=["few", "of one picture", "none"],
)
def test_too_few_held_out_objects_are_never_judged_by(held_out: list[Sample]) -> None:
    candidate = network(sees)
    verdict = judged(candidate=candidate, held_out=held_out)
    assert not verdict.accepted
    assert "too few to judge by" in verdict.reasons[0]
    assert verdict.held_out is None
    assert clicks_made(candidate) == 0


def test_held_out_masks_that_fit_nowhere_are_not_judged_by() -> None:
    held_out = pictures(8)
    shifted = [replace(each, objects=(np.roll(each.objects[0], 32, 1),)) for each in held_out]
    verdict = judged(held_out=[*held_out[:4], *shifted[4:]])
    assert not verdict.accepted
    assert "of 8 objects 4 are probably wrong" in verdict.reasons[0]
    assert verdict.left_out == {ANYWHERE: 4}


def test_of_few_pictures_objects_are_paired_and_none_may_get_worse() -> None:
    held_out = [picture("one", disks=4), picture("other", disks=4), picture("third", disks=4)]
    verdict = judged(held_out=held_out)
    assert verdict.accepted
    assert verdict.held_out is not None
    assert verdict.held_out.unit == "objects"
    last = held_out[-1:]
    verdict = judged(
        only(last, blobs(3), sees), base=network(only(last, sees, blobs(5))), held_out=held_out
    )
    assert not verdict.accepted
    assert any("third" in reason for reason in verdict.reasons)


def test_what_judging_costs_is_bounded_and_does_not_depend_on_the_order() -> None:
    bounds = Bounds(objects=10, max_clicks=6, general_max_clicks=6)
    held_out = [picture(f"p{number}", disks=4) for number in range(20)]
    candidate = network(blobs(4))
    verdict = judged(candidate=candidate, held_out=held_out, bounds=bounds)
    assert verdict.held_out is not None
    assert (verdict.held_out.objects, verdict.held_out.pictures) == (10, 10)
    assert clicks_made(candidate) <= (10 + len(GENERAL)) * 6
    again = judged(candidate=candidate, held_out=held_out[::-1], bounds=bounds)
    assert again == verdict


def test_the_greatest_share_that_keeps_the_general_set_is_taken() -> None:
    answers = {1.0: blobs(3), 0.7: blobs(5)}
    base = click(network(blobs(5)), GENERAL, BOUNDS)
    share = choose_share(
        base, lambda share: click(network(answers[share]), GENERAL, BOUNDS), BOUNDS
    )
    assert (share.share, share.reasons) == (0.7, ())


def test_where_no_share_keeps_it_the_last_one_says_why() -> None:
    base = click(network(sees), GENERAL, BOUNDS)
    share = choose_share(base, lambda _: click(network(blobs(3)), GENERAL, BOUNDS), BOUNDS)
    assert share.share == 0.1
    assert "objects of the general set take" in share.reasons[0]


def test_a_verdict_outlives_the_process() -> None:
    verdict = judged(served=network(blobs(4)))
    assert Verdict.from_json(verdict.to_json()) == verdict
    refused = Verdict.refused("too little", left_out={"empty": 3})
    assert Verdict.from_json(refused.to_json()) == refused
    with pytest.raises(ValueError, match="no verdict"):
        Verdict.from_json({"accepted": True})


def test_on_the_general_set_no_gain_makes_up_for_a_loss() -> None:
    photos = [picture(f"photos/{number}") for number in range(4)]
    drawings = [picture(f"drawings/{number}") for number in range(12)]
    base = network(only(photos, sees, blobs(5)))
    verdict = judged(only(photos, blobs(9), sees), base=base, general=[*photos, *drawings])
    assert not verdict.accepted
    assert verdict.general is not None
    assert verdict.general.saved > 0
    assert verdict.general.risen[0] == "photos"
    assert any("(photos)" in reason for reason in verdict.reasons)
