from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow.agreement.clusters import Cluster, cluster
from edgeflow.annotated import AnnotatedObject
from tests.unit.edgeflow.agreement.drawing import boxed, drawn, several


def keys(clusters: list[Cluster]) -> list[list[str]]:
    return [[each.drawn.key for each in members] for members in clusters]


def test_drawings_that_resemble_each_other_are_one_object() -> None:
    one = [drawn("a1", 0, 0, 6, 6), drawn("a2", 6, 8, 12, 16)]
    other = [drawn("b1", 6, 8, 12, 15), drawn("b2", 0, 0, 6, 5)]
    third = [drawn("c1", 0, 1, 6, 6)]
    assert keys(cluster([one, other, third])) == [["a1", "b2", "c1"], ["a2", "b1"]]


def test_another_class_is_another_object() -> None:
    clusters = cluster([[drawn("a", 0, 0, 6, 6)], [drawn("b", 0, 0, 6, 6, "dog")]])
    assert keys(clusters) == [["a"], ["b"]]


def test_an_annotator_draws_an_object_once() -> None:
    twice = [drawn("b1", 0, 0, 6, 6), drawn("b2", 0, 0, 6, 5)]
    assert keys(cluster([[drawn("a", 0, 0, 6, 5)], twice])) == [["a", "b2"], ["b1"]]


def test_a_chain_of_drawings_is_not_one_object() -> None:
    chain = [[drawn(key, 0, left, 6, left + 6)] for key, left in (("a", 0), ("b", 2), ("c", 4))]
    assert keys(cluster(chain)) == [["a", "b"], ["c"]]


def test_boxes_and_masks_are_put_together_by_their_boxes() -> None:
    assert keys(cluster([[drawn("a", 0, 0, 6, 6)], [boxed("b", 0, 0, 6, 5)]])) == [["a", "b"]]


@settings(deadline=None)
@given(several(), st.integers(0, 99))
def test_the_order_of_annotators_does_not_count(
    some: list[list[AnnotatedObject]], seed: int
) -> None:
    def told(clusters: list[Cluster]) -> list[list[tuple[str, str]]]:
        return [[each.name for each in members] for members in clusters]

    first = cluster(some)
    assert told(cluster(random.Random(seed).sample(some, len(some)))) == told(first)
    assert sorted(each.drawn.key for members in first for each in members) == sorted(
        each.key for objects in some for each in objects
    )
    for members in first:
        assert len({each.annotator for each in members}) == len(members)
        assert len({each.drawn.label for each in members}) == 1
