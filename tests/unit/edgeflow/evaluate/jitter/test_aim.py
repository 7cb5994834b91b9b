from __future__ import annotations

import numpy as np

from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.clicker import Clicker
from edgeflow.evaluate.jitter.aim import jittered, jittered_run
from tests.unit.edgeflow.evaluate.scripted import square

LARGE = square(40, 60, slice(2, 32), slice(2, 32))
SMALL = square(40, 60, slice(20, 28), slice(45, 53))


def test_clicks_fall_only_on_the_error_that_the_protocol_clicks() -> None:
    for seed in range(50):
        clicker = Clicker(LARGE | SMALL, aim=jittered(chance(seed)))
        click = clicker.next_click(np.zeros_like(LARGE))
        assert click is not None
        assert click.positive
        assert LARGE[int(click.point.y), int(click.point.x)]


def test_whether_a_click_is_positive_is_as_in_the_protocol() -> None:
    for seed in range(10):
        click = Clicker(SMALL, aim=jittered(chance(seed))).next_click(LARGE)
        assert click is not None
        assert not click.positive
        assert LARGE[int(click.point.y), int(click.point.x)]


def test_deep_points_are_clicked_more_often_in_proportion_to_their_depth() -> None:
    depth = np.array([[1, 2, 3, 2, 1]], dtype=np.float32)
    aim = jittered(chance(1))
    drawn = [aim(depth)[1] for _ in range(3000)]
    shares = np.bincount(drawn, minlength=5) / 3000
    assert np.abs(shares - depth[0] / 9).max() < 0.04


def test_no_pixel_is_clicked_twice_and_it_ends_when_all_were() -> None:
    truth = square(5, 5, slice(1, 3), slice(1, 3))
    clicker = Clicker(truth, aim=jittered(chance(1)))
    clicks = [clicker.next_click(np.zeros_like(truth)) for _ in range(5)]
    assert len(set(clicks[:4])) == 4
    assert clicks[4] is None


def test_runs_and_objects_have_their_own_chance_and_always_the_same() -> None:
    depth = LARGE.astype(np.float32)

    def click(run: int, sample: str, number: int) -> tuple[int, int]:
        return jittered_run(run)(sample, number)(depth)

    assert click(0, "a", 1) == click(0, "a", 1)
    assert len({click(0, "a", 1), click(1, "a", 1), click(0, "b", 1), click(0, "a", 2)}) == 4
