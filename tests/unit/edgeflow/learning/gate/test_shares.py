from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from edgeflow.learning.gate.bounds import Bounds
from edgeflow.learning.gate.clicking import Clicked
from edgeflow.learning.gate.judge import Clicks, Share, weigh
from edgeflow.learning.gate.shares import candidates, weigh_shares
from edgeflow.learning.gate.verdict import Tried, Verdict

BOUNDS = Bounds(targets=(0.9,), max_clicks=20, general_max_clicks=20)


def clicked(counts: Sequence[int], of: str = "held") -> tuple[Clicked, ...]:
    """An object of each picture, done after so many clicks."""
    return tuple(
        Clicked(f"{of}/{number}", 0, (0.5,) * (count - 1) + (0.95,))
        for number, count in enumerate(counts)
    )


GENERAL = clicked([3] * 4, "photos")
FORGOTTEN = clicked([9] * 4, "photos")
BASE = Clicks(clicked([10] * 8), GENERAL)
ALL = Share(1.0, GENERAL, ())


def weighed(**clicks: Clicks) -> tuple[float, Verdict, list[float]]:
    """What is taken of the shares 1 and .5, and which were clicked."""
    asked: list[float] = []

    def of(share: float) -> Clicks:
        asked.append(share)
        return clicks["whole" if share == 1.0 else "half"]

    share, verdict = weigh_shares(BASE, None, ALL, of, BOUNDS)
    return share, verdict, asked


def test_the_greatest_share_is_taken_where_it_is_better_and_nothing_else_is_clicked() -> None:
    share, verdict, asked = weighed(whole=Clicks(clicked([5] * 8), GENERAL))
    assert (share, verdict.share, verdict.accepted, asked) == (1.0, 1.0, True, [1.0])
    assert verdict.tried == (Tried(1.0, 0.025, 0.5, 2**-8, accepted=True),)


def test_half_of_it_is_taken_where_all_of_it_takes_more_clicks() -> None:
    share, verdict, asked = weighed(
        whole=Clicks(clicked([14] * 8), GENERAL), half=Clicks(clicked([7] * 8), GENERAL)
    )
    assert (share, verdict.share, verdict.accepted, asked) == (0.5, 0.5, True, [1.0, 0.5])
    assert verdict.reasons == ()
    assert [(each.share, each.accepted) for each in verdict.tried] == [(1.0, False), (0.5, True)]
    assert verdict.held_out is not None
    assert verdict.held_out.after.clicks == {90: 7.0}


def test_where_neither_is_better_the_one_that_takes_fewer_clicks_says_why() -> None:
    share, verdict, _ = weighed(
        whole=Clicks(clicked([14] * 8), GENERAL), half=Clicks(clicked([10] * 8), GENERAL)
    )
    assert (share, verdict.accepted) == (0.5, False)
    assert "needed are 3% and p ≤ 0.025" in verdict.reasons[0]
    assert "shares of 1 and 0.5" in verdict.reasons[-1]
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_half_of_it_must_keep_the_general_set_too() -> None:
    _, verdict, _ = weighed(
        whole=Clicks(clicked([14] * 8), GENERAL), half=Clicks(clicked([7] * 8), FORGOTTEN)
    )
    assert not verdict.accepted
    assert any("general set" in reason for reason in verdict.reasons)


def test_one_that_would_pass_alone_but_not_as_one_of_two_is_refused() -> None:
    few = clicked([9, 9, 9, 9, 9, 11, 10, 10])  # p = 7/64 of six that differ
    one = clicked([8, 8, 8, 8, 8, 11, 10, 10])  # p = 2/64
    assert weigh(BASE, None, Clicks(one, GENERAL), BOUNDS).accepted
    _, verdict, _ = weighed(whole=Clicks(one, GENERAL), half=Clicks(few, GENERAL))
    assert not verdict.accepted


@pytest.mark.parametrize(
    ("greatest", "expected"),
    [
        (Share(0.7, GENERAL, ()), (0.7, 0.35)),
        (Share(0.1, GENERAL, ()), (0.1,)),
        (Share(0.1, GENERAL, ("it forgets",)), (0.1,)),
    ],
)
def test_what_keeps_the_general_set_decides_what_is_tried(
    greatest: Share, expected: tuple[float, ...]
) -> None:
    assert candidates(greatest) == pytest.approx(expected)


def test_of_one_share_the_whole_level_is_asked() -> None:
    better = Clicks(clicked([5] * 8), GENERAL)
    _, verdict = weigh_shares(BASE, None, Share(0.1, GENERAL, ()), lambda _: better, BOUNDS)
    assert [each.level for each in verdict.tried] == [0.05]


def test_verdicts_of_before_several_shares_were_tried_are_read() -> None:
    data = weighed(whole=Clicks(clicked([5] * 8), GENERAL))[1].to_json()
    del data["tried"]
    assert Verdict.from_json(data).tried == ()


@pytest.mark.parametrize("alike", [0.0, 0.7])
def test_versions_that_are_no_better_pass_no_more_often_than_the_level_says(alike: float) -> None:
    """Clicks of both shares are drawn as those of the base weights are; the two may be alike."""
    rng = np.random.default_rng(7)
    bounds = replace(BOUNDS, least_effect=0.0)
    trials, pictures, served, unguarded = 300, 6, 0, 0
    for _ in range(trials):
        base, whole, other = rng.integers(1, 21, (3, pictures))
        half = np.where(rng.random(pictures) < alike, whole, other)
        before = Clicks(clicked(base), GENERAL)
        after = {1.0: Clicks(clicked(whole), GENERAL), 0.5: Clicks(clicked(half), GENERAL)}
        served += weigh_shares(before, None, ALL, after.__getitem__, bounds).verdict.accepted
        unguarded += any(weigh(before, None, each, bounds).accepted for each in after.values())
    assert served <= bounds.level * trials
    assert served < unguarded, "as each at the whole level would"
