"""The gate: a version passes if it is better where it should be, and no worse elsewhere.

* On held-out objects of the project it takes fewer clicks than the base weights, and than the
  version that is served: by a paired test at a stated level, by a least share, and to none of the
  targets more.
* On the general set it takes at most a stated share more clicks than the base weights: on the
  photographs, and on the drawings, where fewer clicks on one object do not make up for more on
  another. On none of its pictures are masks much worse.

How far a version goes from the base weights to what was learnt is chosen on the general set, see
:func:`choose_share`; held-out objects may halve it, at a level that allows for two tries, see
:mod:`edgeflow.learning.gate.shares`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from edgeflow.data.base import Sample
from edgeflow.inference.predictor import Predictor
from edgeflow.learning.gate.bounds import STANDARD, Bounds
from edgeflow.learning.gate.clicking import Clicked, choose, click
from edgeflow.learning.gate.comparison import Comparison, compare
from edgeflow.learning.gate.screen import screened, too_many
from edgeflow.learning.gate.verdict import Verdict

SHARES = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1)
"""Shares that are tried, in this order; the first that keeps the general set is taken."""

Say = Callable[[str], None]


def _silent(_text: str) -> None: ...


class Clicks(NamedTuple):
    """What one network takes.

    Attributes:
        held_out: On the chosen held-out objects.
        general: On the general set.
    """

    held_out: tuple[Clicked, ...]
    general: tuple[Clicked, ...]


class Share(NamedTuple):
    """A share of what was learnt, and what it does to the general set.

    Attributes:
        share: 0 to 1.
        general: Clicks on the general set.
        reasons: Why it does not keep the general set; none if it does.
    """

    share: float
    general: tuple[Clicked, ...]
    reasons: tuple[str, ...]


def judge(
    base: Predictor,
    served: Predictor | None,
    candidate: Predictor,
    held_out: Sequence[Sample],
    general: Sequence[Sample],
    bounds: Bounds = STANDARD,
    *,
    say: Say = _silent,
) -> Verdict:
    """Judge a version.

    Args:
        base: The base weights.
        served: The version of them that is served; None if none is.
        candidate: The version to judge, in the same runtime as the others.
        held_out: Pictures that no version learnt from, with what was accepted on them; masks that
            are probably wrong tell nothing, see :mod:`edgeflow.learning.gate.screen`.
        general: The general set, all of which is clicked; see :func:`.general_set`.
        bounds: What is asked, and how much is clicked.
        say: Told how far it is.
    """
    believed, left_out = screened(held_out)
    objects = sum(len(sample.objects) for sample in held_out)
    lacking = too_many(left_out, objects) or too_few(believed, bounds)
    if lacking:
        return Verdict.refused(lacking, left_out=left_out)
    chosen = choose(believed, bounds.objects)

    def clicks(predictor: Predictor) -> Clicks:
        return Clicks(
            click(predictor, chosen, bounds, say=say),
            click(predictor, general, bounds.of_general, say=say),
        )

    verdict = weigh(
        clicks(base),
        None if served is None else click(served, chosen, bounds, say=say),
        clicks(candidate),
        bounds,
    )
    return replace(verdict, left_out=left_out)


def weigh(
    base: Clicks, served: Sequence[Clicked] | None, candidate: Clicks, bounds: Bounds = STANDARD
) -> Verdict:
    """Judge a version by clicks that were made.

    Args:
        base: With the base weights.
        served: With the version of them that is served, on the held-out objects; None if none is.
        candidate: With the version to judge.
        bounds: What is asked.

    Raises:
        ValueError: They are not of the same objects, or there are none.
    """
    with_base = compare(base.held_out, candidate.held_out, bounds)
    with_served = None if served is None else compare(served, candidate.held_out, bounds)
    general = compare(base.general, candidate.general, bounds.of_general)
    reasons = (
        *_not_better(with_base, "the base weights", bounds),
        *(_not_better(with_served, "the version that is served", bounds) if with_served else ()),
        *_worse(general, bounds),
    )
    return Verdict(not reasons, reasons, with_base, with_served, general)


def choose_share(
    base: Sequence[Clicked],
    clicked: Callable[[float], tuple[Clicked, ...]],
    bounds: Bounds = STANDARD,
    *,
    shares: Sequence[float] = SHARES,
) -> Share:
    """The greatest share of what was learnt that keeps the general set.

    Weights between the base and what was learnt keep most of both (WiSE-FT, arXiv:2109.01903). No
    held-out object is looked at, so that judging by them stays a test.

    Args:
        base: The base weights' clicks on the general set.
        clicked: Clicks the general set with a share of what was learnt.
        bounds: What keeping it means.
        shares: What is tried, in this order; at least one.

    Returns:
        The first that keeps it; the last one, with reasons, if none does.
    """
    for share in shares:
        general = clicked(share)
        reasons = _worse(compare(base, general, bounds.of_general), bounds)
        if not reasons:
            break
    return Share(share, general, reasons)


def too_few(held_out: Sequence[Sample], bounds: Bounds = STANDARD) -> str:
    """Why held-out objects cannot tell anything; empty if they can."""
    pictures = choose(held_out, bounds.objects)
    objects = sum(len(sample.objects) for sample in pictures)
    if objects >= bounds.least_objects and len(pictures) >= bounds.least_pictures:
        return ""
    return (
        f"too few to judge by: held-out objects {objects}, pictures {len(pictures)}; needed are "
        f"{bounds.least_objects} on {bounds.least_pictures}"
    )


def _not_better(comparison: Comparison, other: str, bounds: Bounds) -> Iterator[str]:
    """Why a version is not better than another one, in words."""
    before, after = comparison.before, comparison.after
    if comparison.saved < bounds.least_effect or comparison.p > bounds.level:
        yield (
            f"held-out objects take {after.cost:.2f} clicks, with {other} {before.cost:.2f}: "
            f"{comparison.saved:.1%} saved, p = {comparison.p:.3f}; needed are "
            f"{bounds.least_effect:.0%} and p ≤ {bounds.level:g}"
        )
    for target, clicks in after.clicks.items():
        if clicks > before.clicks[target]:
            yield (
                f"held-out objects take {clicks:.2f} clicks to {target} %, with {other} "
                f"{before.clicks[target]:.2f}"
            )
    name, rise = comparison.worst_clicks
    if comparison.unit == "objects" and rise > bounds.picture_clicks:
        yield (
            f"of only {comparison.pictures} held-out pictures one got worse: {name} takes "
            f"{rise:.2f} clicks an object more than with {other}"
        )


def _worse(general: Comparison, bounds: Bounds) -> tuple[str, ...]:
    """Why a version does not keep the general set, in words; nothing if it does."""
    reasons = []
    name, rise = general.risen
    if rise > bounds.general_clicks:
        reasons.append(
            f"objects of the general set{f' ({name})' if name else ''} take {rise:.1%} more clicks "
            "than with the base weights, those aside that take fewer; at most "
            f"{bounds.general_clicks:.0%} are allowed"
        )
    name, fall = general.worst_iou
    if fall > bounds.general_iou:
        reasons.append(
            f"on {name} of the general set the IoU after {bounds.after} clicks falls by "
            f"{fall:.3f}, at most {bounds.general_iou:g} is allowed"
        )
    return tuple(reasons)
