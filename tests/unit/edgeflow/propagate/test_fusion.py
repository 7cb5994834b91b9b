from __future__ import annotations

import numpy as np

from edgeflow.arrays import FloatMap
from edgeflow.propagate.colours import CLIP, Colours
from edgeflow.propagate.fusion import KNOWN, UNKNOWN, fuse

SHAPE = (60, 60)


def block(top: int, left: int, value: float = 1.0, side: int = 20) -> FloatMap:
    values = np.zeros(SHAPE, dtype=np.float32)
    values[top : top + side, left : left + side] = value
    return values


FULL, NONE = np.ones(SHAPE, dtype=np.float32), np.zeros(SHAPE, dtype=np.float32)


def area(fused: FloatMap, part: FloatMap) -> float:
    return float((fused[part > 0] > 0.5).mean())


def test_where_the_flow_is_not_trusted_the_network_decides() -> None:
    seen, carried = block(20, 22), block(20, 20)
    fused = fuse(seen, carried, NONE, NONE, reliability=1.0)
    assert ((fused > 0.5) == (seen > 0.5)).all()


def test_a_trusted_flow_outweighs_a_network_that_does_not_know_the_object() -> None:
    seen, carried = block(20, 20, side=26), block(20, 20)
    grown = block(20, 20, side=26) - carried
    assert area(fuse(seen, carried, FULL, NONE, UNKNOWN), grown) < 0.2
    assert area(fuse(seen, carried, NONE, NONE, UNKNOWN), grown) > 0.9


def test_an_object_does_not_grow_by_far_at_once() -> None:
    carried = block(20, 20)
    seen, neighbour = np.zeros(SHAPE, dtype=np.float32), np.zeros(SHAPE, dtype=np.float32)
    seen[20:40, 20:58] = 0.75
    neighbour[20:40, 46:58] = 1
    fused = fuse(seen, carried, NONE, NONE, KNOWN)
    assert area(fused, carried) > 0.9
    assert area(fused, neighbour) < 0.1


def test_pieces_that_nothing_was_carried_to_are_dropped() -> None:
    seen = np.maximum(block(5, 5, side=20), block(35, 35))
    fused = fuse(seen, block(5, 5), NONE, NONE, KNOWN)
    assert area(fused, block(5, 5)) == 1
    assert area(fused, block(35, 35)) == 0


def test_colours_speak_for_what_has_been_seen_on_the_object() -> None:
    view = np.zeros((*SHAPE, 3), dtype=np.float32)
    view[..., 2] = 0.9
    mask = block(20, 20) > 0
    view[mask] = (0.9, 0.1, 0.1)
    evidence = Colours.of(view, mask).evidence(view)
    assert evidence[26:34, 26:34].min() > 0.9 * CLIP
    assert evidence[:10].max() < -0.9 * CLIP
    unseen = np.full((*SHAPE, 3), (0.1, 0.9, 0.1), dtype=np.float32)
    assert abs(Colours.of(view, mask).evidence(unseen)).max() < 1e-6


def test_alike_colours_say_nothing() -> None:
    view = np.full((*SHAPE, 3), 0.5, dtype=np.float32)
    evidence = Colours.of(view, block(20, 20) > 0).evidence(view)
    assert abs(evidence).max() < 1e-3
