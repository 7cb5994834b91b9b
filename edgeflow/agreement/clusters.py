"""Objects of several annotators that are one object, whatever the annotators' order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product
from statistics import median_low
from typing import NamedTuple

from edgeflow.agreement.overlap import overlaps
from edgeflow.annotated import AnnotatedObject, digest_of

SAME_OBJECT = 0.5
"""Least IoU of two drawings of one object."""


class Drawing(NamedTuple):
    """An object as one annotator drew it.

    Attributes:
        name: What it is sorted by, the same in any order of the annotators.
        annotator: Place among the annotators.
        place: Among the annotator's objects.
        drawn: The object.
    """

    name: tuple[str, str]
    annotator: int
    place: int
    drawn: AnnotatedObject


Cluster = tuple[Drawing, ...]
"""Drawings of one object, by their names."""

_Pairs = dict[tuple[int, int], float]
"""IoU of drawings that may be of one object, by their numbers, the smaller one first."""


def cluster(annotations: Sequence[Sequence[AnnotatedObject]]) -> list[Cluster]:
    """Put drawings of one object together: of one class, and each two with an IoU of .5.

    The most similar two come together first; a cluster has at most one drawing of each annotator.

    Args:
        annotations: The objects of each annotator, all of one image.

    Returns:
        Each drawing in one cluster, if alone; in the order in which they were drawn, as far as the
        annotators have a common one.
    """
    drawings = [
        Drawing((drawn.key, digest_of(drawn.shape)), annotator, place, drawn)
        for annotator, objects in enumerate(annotations)
        for place, drawn in enumerate(objects)
    ]
    alike = _alike(drawings)
    cluster_of = {number: [number] for number in range(len(drawings))}

    def rank(pair: tuple[int, int]) -> tuple[float, list[tuple[str, str]]]:
        return -alike[pair], sorted(drawings[number].name for number in pair)

    for one, other in sorted(alike, key=rank):
        ours, theirs = cluster_of[one], cluster_of[other]
        if ours is not theirs and all(
            (min(pair), max(pair)) in alike for pair in product(ours, theirs)
        ):
            ours += theirs
            cluster_of.update(dict.fromkeys(theirs, ours))
    unique = {id(numbers): numbers for numbers in cluster_of.values()}.values()
    clusters = [tuple(sorted(drawings[number] for number in numbers)) for numbers in unique]
    return sorted(clusters, key=_order)


def _alike(drawings: list[Drawing]) -> _Pairs:
    """Drawings of one class by different annotators that overlap enough."""
    by_label: dict[str | None, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, each in enumerate(drawings):
        by_label[each.drawn.label][each.annotator].append(number)
    alike: _Pairs = {}
    for by_annotator in by_label.values():
        for ours, theirs in combinations(by_annotator.values(), 2):
            found = overlaps(
                [drawings[number].drawn.shape for number in ours],
                [drawings[number].drawn.shape for number in theirs],
                SAME_OBJECT,
            )
            alike |= {(ours[row], theirs[col]): iou for (row, col), iou in found.items()}
    return alike


def _order(members: Cluster) -> tuple[float, list[tuple[str, str]]]:
    """Middle place among their annotators' objects, then names."""
    return median_low(each.place for each in members), [each.name for each in members]
