"""Whether a version that is served makes work instead of saving it: then it is withdrawn.

Seen from what annotators do, which no gate can foresee: clicks per accepted object, and how many
masks they correct by hand. Objects made with the version are compared with the last ones made
before it, label by label, since a project may turn from easy objects to hard ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgeflow.evaluate.chance import chance
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.effort import cost

LEAST = 20
"""Objects with the version, and before it, of labels that both have."""

BEFORE = 200
"""Objects before it that it is compared with, at most: the last ones."""

MORE_CLICKS = 0.25
"""Share by which clicks an object must have risen."""

MORE_EDITED = 0.15
"""How much more of the objects must have been corrected by hand, as a share of all."""

LEVEL = 0.01
"""Chance that so much is seen where nothing has become worse."""

DRAWS = 1_999

_SLACK = 1e-9

Values = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""By label: before the version, and with it."""


class Rise(NamedTuple):
    """How a figure has changed.

    Attributes:
        before: Its mean before the version, labels weighted as they occur with it.
        after: Its mean with it.
        p: How likely so great a rise is if nothing has changed.
    """

    before: float
    after: float
    p: float


def reason_to_roll_back(objects: Iterable[AcceptedObject], version: str, made_at: str) -> str:
    """Why a version should be withdrawn, in words; empty if it should not.

    Args:
        objects: Those that count; see :attr:`.Origin.counts`.
        version: The version's name and digest, as regions record it.
        made_at: When it was made, ISO 8601 in UTC; what was accepted later with other weights, by
            a process that had not yet taken it up, counts on neither side.
    """
    everything = sorted(objects, key=lambda each: each.origin.created_at)
    after = [each for each in everything if each.model == version]
    before = [
        each
        for each in everything
        if each.model and each.model != version and each.origin.created_at[:19] < made_at[:19]
    ][-BEFORE:]
    clicks = rise(_by_label(before, after, _clicks))
    if clicks and clicks.p <= LEVEL and clicks.after > (1 + MORE_CLICKS) * clicks.before:
        return (
            f"clicks per accepted object rose from {clicks.before:.2f} to {clicks.after:.2f} "
            f"(p = {clicks.p:.3f})"
        )
    edited = rise(_by_label(before, after, lambda each: float(each.edited)))
    if edited and edited.p <= LEVEL and edited.after > edited.before + MORE_EDITED:
        return (
            f"masks corrected by hand rose from {edited.before:.0%} to {edited.after:.0%} "
            f"(p = {edited.p:.3f})"
        )
    return ""


def rise(values: Values) -> Rise | None:
    """How a figure has changed; None where there are too few objects to tell.

    The test exchanges objects of a label between before and after, at random.

    Args:
        values: The figure of each object by label.
    """
    both = {label: each for label, each in values.items() if all(each)}
    counts = [sum(len(each[side]) for each in both.values()) for side in (0, 1)]
    if min(counts) < LEAST:
        return None
    observed = sum(_excess(np.array(one), np.array(other)) for one, other in both.values())
    rng = chance("roll back", *counts)
    pooled = [(np.array([*one, *other]), len(one)) for one, other in both.values()]
    as_much = 0
    for _ in range(DRAWS):
        drawn = 0.0
        for each, count in pooled:
            mixed = rng.permutation(each)
            drawn += _excess(mixed[:count], mixed[count:])
        as_much += drawn >= observed - _SLACK
    after = sum(sum(each[1]) for each in both.values()) / counts[1]
    return Rise(after - observed / counts[1], after, (1 + as_much) / (1 + DRAWS))


def _excess(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> float:
    return float(len(after) * (after.mean() - before.mean()))


def _by_label(
    before: Iterable[AcceptedObject],
    after: Iterable[AcceptedObject],
    figure: Callable[[AcceptedObject], float | None],
) -> Values:
    values: dict[str, tuple[list[float], list[float]]] = {}
    for side, objects in enumerate((before, after)):
        for each in objects:
            value = figure(each)
            if value is not None:
                values.setdefault(each.label, ([], []))[side].append(value)
    return values


def _clicks(accepted: AcceptedObject) -> float | None:
    took = cost(accepted.origin, accepted.label, accepted.start, accepted.clicks)
    return None if took is None else float(took.prompts)
