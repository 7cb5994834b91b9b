"""Statistics of simulated clicks, each against what the configuration promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from edgeflow.geometry import NetworkPoint, Size
from edgeflow.train.clicks import STRIDE, Clicks, corrective_clicks, first_clicks, take_back
from edgeflow.train.config import ClickSimulation
from edgeflow.train.distance import distance_transform
from tests.unit.edgeflow.samples import disk_maps

COUNT = 600


def chance(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def disks(count: int = COUNT) -> tuple[Tensor, Tensor]:
    """A round object a sample, its radius 30 pixels of 128; everything is valid."""
    rows, cols = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    truth = ((rows - 64) ** 2 + (cols - 60) ** 2 <= 900).expand(count, 1, -1, -1)
    return truth, torch.ones_like(truth)


def at(maps: Tensor, points: Tensor) -> Tensor:
    """The values of B×H×W maps at B×K×2 points."""
    sample = torch.arange(len(maps))[:, None]
    return maps[sample, points[..., 0], points[..., 1]]


@pytest.mark.slow
def test_the_first_click_is_positive_and_on_the_object() -> None:
    truth, valid = disks()
    clicks = first_clicks(truth, valid, ClickSimulation(extra=0), chance())
    assert (clicks.signs[:, 0] == 1).all()
    assert (clicks.signs[:, 1:] == 0).all()
    assert at(truth[:, 0], clicks.points[:, :1]).all()


@pytest.mark.slow
def test_centred_clicks_are_deep_and_others_are_anywhere() -> None:
    truth, valid = disks()
    depth = distance_transform(truth[:1, 0]).expand(COUNT, -1, -1)
    deep, anywhere = (
        at(depth, first_clicks(truth, valid, ClickSimulation(centred=share), chance()).points)[:, 0]
        for share in (1.0, 0.0)
    )
    assert (deep >= 0.5 * depth.max() - STRIDE).all()
    # Uniform over a disk: a quarter of the area lies in the inner half of the radius.
    inner = (anywhere > 15.5).float().mean()
    assert inner == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / COUNT) ** 0.5 + 0.02)
    assert anywhere.min() < 4


@pytest.mark.slow
def test_further_clicks_are_on_the_right_side_and_as_many_as_promised() -> None:
    truth, valid = disks()
    simulation = ClickSimulation(extra=1.0, decay=0.8, max_extra=11)
    clicks = first_clicks(truth, valid, simulation, chance())
    inside = at(truth[:, 0], clicks.points)
    assert inside[clicks.signs == 1].all()
    assert not inside[clicks.signs == -1].any()
    expected = sum(0.8**n for n in range(1, 12))
    for sign, more in ((1, 1), (-1, 0)):
        counts = (clicks.signs == sign).sum(dim=1).float() - more
        assert counts.mean() == pytest.approx(expected, abs=4 * float(counts.std()) / COUNT**0.5)


@pytest.mark.slow
def test_some_samples_have_further_clicks_and_others_none() -> None:
    truth, valid = disks()
    clicks = first_clicks(truth, valid, ClickSimulation(extra=0.3, decay=0.99), chance())
    share = ((clicks.signs[:, 1:] != 0).any(dim=1)).float().mean()
    assert share == pytest.approx(0.3, abs=0.08)


@pytest.mark.slow
def test_near_negatives_are_within_the_margin_and_far_ones_are_anywhere() -> None:
    truth, valid = disks()
    outside = distance_transform(~truth[:1, 0])  # the image's edge is nearer for some: at most
    rows, cols = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    away = (((rows - 64) ** 2 + (cols - 60) ** 2).sqrt() - 30).expand(COUNT, -1, -1)
    assert outside.max() > 0
    farthest = {}
    for share in (1.0, 0.0):
        simulation = ClickSimulation(extra=1.0, decay=0.9, near=share, margin=12)
        clicks = first_clicks(truth, valid, simulation, chance())
        farthest[share] = at(away, clicks.points)[clicks.signs == -1].max()
    assert farthest[1.0] <= 12 * 2**0.5 + STRIDE
    assert farthest[0.0] > 40


@pytest.mark.slow
def test_negatives_do_not_fall_where_nothing_is_known() -> None:
    truth, valid = disks()
    valid = valid.clone()
    valid[..., 96:] = False
    clicks = first_clicks(truth, valid, ClickSimulation(extra=1, near=0, decay=0.9), chance())
    assert at(valid[:, 0], clicks.points)[clicks.signs == -1].all()


def test_a_view_without_an_object_gets_no_positive_click() -> None:
    nothing = torch.zeros(4, 1, 64, 64, dtype=torch.bool)
    simulation = ClickSimulation(extra=1, decay=0.9)
    clicks = first_clicks(nothing, ~nothing, simulation, chance())
    assert not (clicks.signs == 1).any()
    assert (clicks.signs == -1).any()


def test_disks_are_those_of_inference() -> None:
    points = torch.tensor(
        [[[3, 4], [20, 30], [31, 47], [10, 10]], [[0, 0], [5, 5], [9, 9], [1, 40]]]
    )
    signs = torch.tensor([[1, -1, 1, 0], [-1, 1, 0, -1]])
    maps = Clicks(points, signs).maps((32, 48))
    for sample in range(2):
        pairs = [
            (NetworkPoint(float(row), float(col)), sign > 0)
            for (row, col), sign in zip(
                points[sample].tolist(), signs[sample].tolist(), strict=True
            )
            if sign
        ]
        assert np.array_equal(maps[sample].numpy(), disk_maps(pairs, Size(32, 48)))


def test_corrections_fall_into_the_larger_error_and_ties_are_negative() -> None:
    truth = torch.zeros(3, 1, 64, 96, dtype=torch.bool)
    predicted = torch.zeros_like(truth)
    truth[:, :, 10:30, 10:30] = True  # missed altogether
    predicted[0, :, 10:24, 60:74] = True  # a smaller error elsewhere
    predicted[1, :, 4:44, 50:90] = True  # a larger one
    predicted[2, :, 10:30, 60:80] = True  # one as large
    everywhere = torch.ones_like(truth)
    points, signs = corrective_clicks(predicted, truth, everywhere, ClickSimulation(), chance())
    assert signs.tolist() == [1, -1, -1]
    assert truth[0, 0, points[0, 0], points[0, 1]]
    assert predicted[1, 0, points[1, 0], points[1, 1]]
    assert predicted[2, 0, points[2, 0], points[2, 1]]


@pytest.mark.slow
def test_exact_corrections_are_deepest_and_others_deeper_than_half_of_that() -> None:
    truth, valid = disks()
    nothing = torch.zeros_like(truth)
    depth = distance_transform(truth[:1, 0, ::STRIDE, ::STRIDE]).expand(COUNT, -1, -1)
    for share in (1.0, 0.0):
        points, _ = corrective_clicks(
            nothing, truth, valid, ClickSimulation(deepest=share), chance()
        )
        reached = at(depth, points[:, None] // STRIDE)[:, 0]
        assert (reached >= depth.max()).all() if share else (reached > depth.max() / 2).all()
        if not share:
            assert reached.min() < 0.6 * depth.max()


def test_nothing_wrong_means_no_click_and_ignored_pixels_are_never_wrong() -> None:
    truth, valid = disks(2)
    points, signs = corrective_clicks(truth, truth, valid, ClickSimulation(), chance())
    assert signs.tolist() == [0, 0]
    assert points.shape == (2, 2)
    _, signs = corrective_clicks(
        torch.zeros_like(truth), truth, valid & ~truth, ClickSimulation(), chance()
    )
    assert signs.tolist() == [0, 0]


def test_the_same_seed_gives_the_same_clicks() -> None:
    truth, valid = disks(8)
    simulation = ClickSimulation(extra=1)
    first, second, other = (
        first_clicks(truth, valid, simulation, chance(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first.points, second.points)
    assert torch.equal(first.signs, second.signs)
    assert not torch.equal(first.points, other.points)


def test_a_negative_click_beside_the_first_takes_it_back() -> None:
    points = torch.full((400, 3, 2), 40)
    signs = torch.tensor([1, 1, -1]).repeat(400, 1)
    signs[:50, 0] = 0  # without an object nothing can be taken back
    clicks, void = take_back(Clicks(points, signs), 0.5, (80, 60), chance())
    assert not void[:50].any()
    assert 120 < int(void.sum()) < 230
    assert (clicks.signs[void][:, 0] == 1).all()
    assert (clicks.signs[void][:, 1:3] <= 0).all()
    assert (clicks.signs[void][:, 3] == -1).all()
    assert 0.3 < float((clicks.signs[void][:, 1:3] < 0).float().mean()) < 0.7
    assert int(clicks.points[void, 1, 0].max()) > 70
    assert int(clicks.points[void, 1, 1].max()) < 60
    assert torch.equal(clicks.points[~void][:, :3], points[~void])
    assert torch.equal(clicks.signs[~void][:, :3], signs[~void])
    assert not clicks.signs[~void, 3].any()
    distance = (clicks.points[void, 3] - 40).float().norm(dim=1)
    assert float(distance.max()) <= 6
    assert float(distance.min()) >= 1
