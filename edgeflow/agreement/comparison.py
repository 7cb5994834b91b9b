"""Two annotations of the same images, A and B: their objects matched, and how far they agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from edgeflow.agreement.assignment import best_assignment
from edgeflow.agreement.overlap import boundary_iou, corners_of, overlaps
from edgeflow.annotated import AnnotatedObject, mask_of

SAME_CLASS = 1e-6
"""Adds to the IoU of objects of one class, to decide between pairs that are equally good."""


class Side(NamedTuple):
    """An object in one of the annotations.

    Attributes:
        place: Among the image's objects.
        key: The object's.
        label: Its class; None if it has none.
        area: Pixels, or those of its box.
    """

    place: int
    key: str
    label: str | None
    area: float


class Match(NamedTuple):
    """An object that both have, or one alone.

    Attributes:
        image: Place among the compared images.
        a: In A; None if it is missing there.
        b: In B; None if it is missing there.
        iou: Of the two, 0 to 1; 0 if one is missing.
        boundary_iou: Of the two, 0 to 1; None if one is missing, or drawn as a box.
    """

    image: int
    a: Side | None
    b: Side | None
    iou: float
    boundary_iou: float | None


class ClassAgreement(NamedTuple):
    """How far A and B agree on a class.

    Attributes:
        label: The class; None for objects without one.
        in_a: Objects of the class in A.
        in_b: Objects of the class in B.
        both: Those that both have, of this class in both.
        only_a: Those of A that B does not have in any class.
        only_b: Those of B that A does not have in any class.
        iou: Mean over those that both have; None if there is none.
        boundary_iou: Mean over those of them that both drew as masks.
    """

    label: str | None
    in_a: int
    in_b: int
    both: int
    only_a: int
    only_b: int
    iou: float | None
    boundary_iou: float | None


def match_objects(
    image: int, ones: Sequence[AnnotatedObject], others: Sequence[AnnotatedObject], least: float
) -> list[Match]:
    """Match the objects of an image, so that the sum of their IoU is the largest.

    Classes need not agree: an object of another class is the same object with another name. Of
    pairs that are equally good, those of one class are chosen.

    Args:
        image: Place among the compared images.
        ones: Objects of A.
        others: Objects of B.
        least: Objects with a smaller IoU are different ones; above 0.

    Returns:
        Those of A in their order, then those that B alone has.
    """
    ious = overlaps([each.shape for each in ones], [each.shape for each in others], least)
    weights = {
        (one, other): iou + SAME_CLASS * (ones[one].label == others[other].label)
        for (one, other), iou in ious.items()
    }
    chosen = dict(best_assignment(weights))
    matches = []
    for one, drawn in enumerate(ones):
        other = chosen.get(one)
        if other is None:
            matches.append(Match(image, _side(one, drawn), None, 0.0, None))
            continue
        mask, counterpart = mask_of(drawn.shape), mask_of(others[other].shape)
        rims = None
        if mask is not None and counterpart is not None:
            rims = boundary_iou(mask, counterpart)
        sides = _side(one, drawn), _side(other, others[other])
        matches.append(Match(image, *sides, ious[one, other], rims))
    missing = sorted(set(range(len(others))) - set(chosen.values()))
    extra = [Match(image, None, _side(other, others[other]), 0.0, None) for other in missing]
    return matches + extra


def _side(place: int, drawn: AnnotatedObject) -> Side:
    mask = mask_of(drawn.shape)
    left, top, right, bottom = corners_of(drawn.shape)
    pixels = (right - left) * (bottom - top) if mask is None else np.count_nonzero(mask.pixels)
    return Side(place, drawn.key, drawn.label, float(pixels))


def by_class(matches: Sequence[Match]) -> list[ClassAgreement]:
    """Figures for each class, by its name; objects without a class come last."""
    of_class: dict[str | None, list[Match]] = defaultdict(list)
    for each in matches:
        for label in {side.label for side in (each.a, each.b) if side is not None}:
            of_class[label].append(each)
    order = sorted(of_class, key=lambda label: (label is None, label or ""))
    return [_agreement(label, of_class[label]) for label in order]


def _agreement(label: str | None, matches: Sequence[Match]) -> ClassAgreement:
    in_a = [each for each in matches if each.a is not None and each.a.label == label]
    in_b = [each for each in matches if each.b is not None and each.b.label == label]
    both = [each for each in in_a if each.b is not None and each.b.label == label]
    return _figures(label, in_a, in_b, both)


def of_all(matches: Sequence[Match]) -> ClassAgreement:
    """Figures for all objects, whatever their classes."""
    in_a = [each for each in matches if each.a is not None]
    in_b = [each for each in matches if each.b is not None]
    return _figures(None, in_a, in_b, [each for each in in_a if each.b is not None])


def _figures(
    label: str | None, in_a: Sequence[Match], in_b: Sequence[Match], both: Sequence[Match]
) -> ClassAgreement:
    return ClassAgreement(
        label,
        len(in_a),
        len(in_b),
        len(both),
        sum(each.b is None for each in in_a),
        sum(each.a is None for each in in_b),
        _mean(each.iou for each in both),
        _mean(each.boundary_iou for each in both),
    )


Confusion = tuple[str | None, str | None]
"""An object's class in A and in B."""


def confusions(matches: Iterable[Match]) -> list[tuple[Confusion, int]]:
    """Objects whose class differs, counted by their classes, the most frequent first."""
    counts = Counter(
        (match.a.label, match.b.label)
        for match in matches
        if match.a is not None and match.b is not None and match.a.label != match.b.label
    )
    return sorted(
        counts.items(),
        key=lambda item: (-item[1], [(label is None, label or "") for label in item[0]]),
    )


def worst_objects(matches: Sequence[Match], count: int) -> list[Match]:
    """The objects that are most worth a look.

    At most half are objects that one of the two lacks, the largest first, unless there are too few
    others; these come with the lowest IoU first.

    Args:
        matches: All of them.
        count: How many, at most.
    """
    lone = [each for each in matches if each.a is None or each.b is None]
    pairs = [each for each in matches if each.a is not None and each.b is not None]
    lone.sort(key=lambda each: -max(side.area for side in (each.a, each.b) if side is not None))
    pairs.sort(key=lambda each: (each.iou, each.boundary_iou or 0.0))
    room = max(count // 2, count - len(pairs))
    chosen = lone[:room]
    return chosen + pairs[: count - len(chosen)]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
