from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from edgeflow.geometry import Box, ImagePoint, NetworkPoint, Size
from edgeflow.inference.patch import ProbabilityPatch
from edgeflow.inference.sampling import Aligned, Centred, Sampling
from edgeflow.inference.zoom import ZoomPolicy

CENTRED = Centred()
ALIGNED = Aligned()
BOTH = pytest.mark.parametrize("sampling", [CENTRED, ALIGNED], ids=["centred", "aligned"])
SIDES = st.integers(1, 500)


def paste(sampling: Sampling, values: Tensor, region: Box, image: Size) -> Tensor:
    """A map at its place in the image: H×W."""
    return ProbabilityPatch(sampling.enlarge(values, region.size), region, image).whole()


def random_image(height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (1, 3, height, width), dtype=torch.uint8)


def blob(size: Size, centre: NetworkPoint, spread: float) -> Tensor:
    rows = torch.arange(size.height, dtype=torch.float64)[:, None] - centre.row
    cols = torch.arange(size.width, dtype=torch.float64)[None] - centre.col
    return torch.exp(-(rows**2 + cols**2) / (2 * spread**2))


def centre_of(values: Tensor) -> ImagePoint:
    values = values.double()
    total = values.sum()
    rows = torch.arange(values.shape[0], dtype=torch.float64)
    cols = torch.arange(values.shape[1], dtype=torch.float64)
    x, y = (values.sum(0) * cols).sum() / total, (values.sum(1) * rows).sum() / total
    return ImagePoint(float(x), float(y))


@st.composite
def regions(draw: st.DrawFn, image: Size, smallest: int) -> Box:
    height = draw(st.integers(smallest, image.height))
    width = draw(st.integers(smallest, image.width))
    top = draw(st.integers(0, image.height - height))
    left = draw(st.integers(0, image.width - width))
    return Box(top, left, top + height, left + width)


@st.composite
def views(draw: st.DrawFn) -> tuple[Size, Box, Size, ImagePoint]:
    """An image's size, a region, its network size, and a click well inside the region."""
    image = Size(draw(st.integers(80, 400)), draw(st.integers(80, 400)))
    region = draw(regions(image, 60))
    point = ImagePoint(
        region.left + draw(st.floats(0.35, 0.65)) * region.size.width,
        region.top + draw(st.floats(0.35, 0.65)) * region.size.height,
    )
    return image, region, ZoomPolicy(long_side=128).network_size(region.size), point


@BOTH
def test_without_resizing_an_image_is_only_scaled_to_one(sampling: Sampling) -> None:
    pixels = random_image(40, 60)
    result = sampling.view(pixels, Box(0, 0, 40, 60), Size(40, 60))
    assert result.dtype == torch.float32
    assert torch.equal(result, pixels.float() / 255)


@BOTH
def test_without_resizing_a_region_is_cut_out(sampling: Sampling) -> None:
    pixels = random_image(40, 60)
    result = sampling.view(pixels, Box(10, 20, 30, 25), Size(20, 5))
    assert torch.equal(result, pixels[:, :, 10:30, 20:25].float() / 255)


@pytest.mark.slow
@BOTH
def test_a_flat_image_stays_flat_at_every_size(sampling: Sampling) -> None:
    pixels = torch.full((1, 3, 50, 70), 77, dtype=torch.uint8)
    for size in (Size(32, 32), Size(224, 448), Size(7, 3), Size(1, 1)):
        result = sampling.view(pixels, Box(5, 5, 45, 65), size)
        assert result.shape == (1, 3, *size)
        torch.testing.assert_close(result, torch.full_like(result, 77 / 255))


@BOTH
def test_a_resized_image_keeps_to_its_range(sampling: Sampling) -> None:
    result = sampling.view(random_image(37, 23), Box(0, 0, 37, 23), Size(96, 64))
    assert result.min() >= 0
    assert result.max() <= 1


@BOTH
def test_the_image_is_left_alone(sampling: Sampling) -> None:
    pixels = random_image(37, 23)
    before = pixels.clone()
    sampling.view(pixels, Box(0, 0, 37, 23), Size(37, 23)).zero_()
    assert torch.equal(pixels, before)


def test_centred_shrinking_is_antialiased() -> None:
    stripes = torch.zeros((1, 3, 64, 64), dtype=torch.uint8)
    stripes[..., ::2] = 255
    result = CENTRED.view(stripes, Box(0, 0, 64, 64), Size(16, 16))
    torch.testing.assert_close(result, torch.full_like(result, 0.5), atol=0.1, rtol=0)


def test_aligned_resizing_keeps_the_corner_pixels_and_skips_between() -> None:
    pixels = random_image(9, 13)
    result = ALIGNED.view(pixels, Box(0, 0, 9, 13), Size(5, 7))
    torch.testing.assert_close(result, pixels[:, :, ::2, ::2].float() / 255)


@BOTH
def test_without_resizing_a_map_is_put_back_unchanged(sampling: Sampling) -> None:
    values = torch.rand(1, 1, 20, 30)
    assert torch.equal(paste(sampling, values, Box(0, 0, 20, 30), Size(20, 30)), values[0, 0])


@BOTH
@given(view=views())
def test_a_pasted_map_of_ones_fills_exactly_its_region(
    sampling: Sampling, view: tuple[Size, Box, Size, ImagePoint]
) -> None:
    image, region, network, _ = view
    expected = np.zeros(image, np.float32)
    expected[region.top : region.bottom, region.left : region.right] = 1
    pasted = paste(sampling, torch.ones(1, 1, *network), region, image)
    np.testing.assert_allclose(pasted.numpy(), expected, atol=1e-6)


@BOTH
def test_a_map_of_the_whole_image_is_pasted_at_its_size(sampling: Sampling) -> None:
    pasted = paste(sampling, torch.rand(1, 1, 32, 64), Box(0, 0, 50, 90), Size(50, 90))
    assert pasted.shape == (50, 90)


@given(st.builds(Size, SIDES, SIDES), st.integers(0, 50), st.integers(0, 50), st.data())
def test_centred_clicks_move_with_the_regions_edges(
    size: Size, top: int, left: int, data: st.DataObject
) -> None:
    region = Box(top, left, top + data.draw(SIDES), left + data.draw(SIDES))
    down, right = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    point = ImagePoint(
        left - 0.5 + right * region.size.width, top - 0.5 + down * region.size.height
    )
    moved = CENTRED.locate(point, region, size)
    assert moved.row == pytest.approx(-0.5 + down * size.height, abs=1e-6)
    assert moved.col == pytest.approx(-0.5 + right * size.width, abs=1e-6)


@BOTH
def test_without_resizing_a_click_moves_by_the_corner_only(sampling: Sampling) -> None:
    region = Box(top=20, left=10, bottom=50, right=30)
    point = ImagePoint(x=12.25, y=23.5)
    assert sampling.locate(point, region, region.size) == NetworkPoint(row=3.5, col=2.25)


def test_centred_clicks_keep_to_pixel_centres() -> None:
    region, origin = Box(0, 0, 100, 50), ImagePoint(0, 0)
    # Twice as large, the first image pixel becomes network pixels 0 and 1.
    assert CENTRED.locate(origin, region, Size(200, 100)) == NetworkPoint(0.5, 0.5)
    assert CENTRED.locate(origin, region, Size(50, 25)) == NetworkPoint(-0.25, -0.25)


def test_aligned_clicks_are_scaled_from_the_corner() -> None:
    region = Box(10, 20, 110, 70)
    assert ALIGNED.locate(ImagePoint(20, 10), region, Size(200, 100)) == NetworkPoint(0, 0)
    assert ALIGNED.locate(ImagePoint(45, 60), region, Size(50, 25)) == NetworkPoint(25, 12.5)


@given(views())
def test_what_is_drawn_at_a_clicks_network_point_is_pasted_onto_the_click(
    view: tuple[Size, Box, Size, ImagePoint],
) -> None:
    image, region, network, point = view
    values = blob(network, CENTRED.locate(point, region, network), 3).float()
    found = centre_of(paste(CENTRED, values[None, None], region, image))
    assert found.x == pytest.approx(point.x, abs=0.1)
    assert found.y == pytest.approx(point.y, abs=0.1)


@given(views())
def test_what_lies_under_a_click_is_seen_at_the_clicks_network_point(
    view: tuple[Size, Box, Size, ImagePoint],
) -> None:
    image, region, network, point = view
    spot = blob(image, NetworkPoint(point.y, point.x), 5)
    pixels = (spot * 255).round().to(torch.uint8).expand(1, 3, -1, -1)
    found = centre_of(CENTRED.view(pixels, region, network)[0, 0])
    expected = CENTRED.locate(point, region, network)
    assert found.y == pytest.approx(expected.row, abs=0.2)
    assert found.x == pytest.approx(expected.col, abs=0.2)


@given(views())
def test_aligned_clicks_are_off_by_a_pixel_at_most(
    view: tuple[Size, Box, Size, ImagePoint],
) -> None:
    # RITM's own convention: it cannot be exact, but it must not be worse than that.
    image, region, network, point = view
    values = blob(network, ALIGNED.locate(point, region, network), 3).float()
    found = centre_of(paste(ALIGNED, values[None, None], region, image))
    pixel = max(1.0, region.size.height / network.height, region.size.width / network.width)
    assert found.x == pytest.approx(point.x, abs=pixel)
    assert found.y == pytest.approx(point.y, abs=pixel)


def ramp(region: Box, size: Size) -> Tensor:
    """A linear function of the image position, sampled at a region's network pixels."""
    rows = (torch.arange(size.height) + 0.5) * region.size.height / size.height + region.top
    cols = (torch.arange(size.width) + 0.5) * region.size.width / size.width + region.left
    return (0.003 * rows[:, None] - 0.002 * cols[None] + 0.1)[None, None]


def test_a_map_for_the_same_frame_is_handed_on_as_it_is() -> None:
    values = torch.rand(1, 1, 64, 96)
    region = Box(3, 4, 70, 100)
    assert CENTRED.carry(values, region, region, Size(64, 96), Size(200, 200)) is values


@BOTH
def test_a_map_for_the_same_frame_at_the_images_own_scale_is_unchanged(
    sampling: Sampling,
) -> None:
    values = torch.rand(1, 1, 64, 96)
    region = Box(3, 4, 67, 100)
    carried = sampling.carry(values, region, region, Size(64, 96), Size(200, 200))
    assert torch.equal(carried, values)


@BOTH
def test_the_same_region_at_another_size_is_resampled(sampling: Sampling) -> None:
    region = Box(0, 0, 64, 96)
    carried = sampling.carry(torch.ones(1, 1, 64, 96), region, region, Size(32, 96), region.size)
    torch.testing.assert_close(carried, torch.ones(1, 1, 32, 96))


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (Box(30, 50, 90, 150), Size(96, 160)),  # zooming in
        (Box(30, 50, 90, 150), Size(60, 100)),
        (Box(10, 10, 110, 190), Size(32, 64)),  # shrinking
        (Box(20, 30, 71, 101), Size(64, 96)),
    ],
)
def test_a_linear_ramp_is_carried_exactly(target: Box, size: Size) -> None:
    source = Box(0, 0, 120, 200)
    carried = CENTRED.carry(ramp(source, Size(96, 160)), source, target, size, source.size)
    torch.testing.assert_close(carried, ramp(target, size), atol=1e-5, rtol=0)


@given(views(), st.data())
def test_a_linear_ramp_is_carried_exactly_wherever_both_frames_have_pixels(
    view: tuple[Size, Box, Size, ImagePoint], data: st.DataObject
) -> None:
    image, source, network, _ = view
    target = data.draw(regions(image, 10))
    size = ZoomPolicy(long_side=96).network_size(target.size)
    carried = CENTRED.carry(ramp(source, network), source, target, size, image)
    assert carried.shape == (1, 1, *size)

    def inside(start: int, side: int, steps: int, low: int, high: int, margin: float) -> Tensor:
        centres = (torch.arange(steps) + 0.5) * side / steps + start
        return (centres >= low + margin) & (centres <= high - margin)

    # Nearer to the border than half a source pixel there is nothing to interpolate with.
    rows = inside(
        target.top, target.size.height, size.height,
        source.top, source.bottom, source.size.height / network.height / 2,
    )  # fmt: skip
    cols = inside(
        target.left, target.size.width, size.width,
        source.left, source.right, source.size.width / network.width / 2,
    )  # fmt: skip
    both = rows[:, None] & cols[None]
    expected = ramp(target, size)[0, 0]
    torch.testing.assert_close(carried[0, 0][both], expected[both], atol=1e-4, rtol=0)


def test_aligned_maps_are_carried_through_the_full_image() -> None:
    source, target, image = Box(10, 20, 90, 140), Box(30, 50, 110, 150), Size(120, 160)
    values = torch.rand(1, 1, 40, 50)
    full = torch.zeros(1, 1, *image)
    full[:, :, 10:90, 20:140] = F.interpolate(
        values, (80, 120), mode="bilinear", align_corners=True
    )
    expected = F.interpolate(
        full[:, :, 30:110, 50:150], (64, 64), mode="bilinear", align_corners=True
    )
    assert torch.equal(ALIGNED.carry(values, source, target, Size(64, 64), image), expected)


@BOTH
def test_a_carried_map_is_zero_where_the_old_frame_did_not_reach(sampling: Sampling) -> None:
    source, target, image = Box(0, 0, 100, 100), Box(0, 50, 100, 250), Size(100, 300)
    carried = sampling.carry(torch.ones(1, 1, 100, 100), source, target, Size(100, 200), image)
    torch.testing.assert_close(carried[0, 0, :, :50], torch.ones(100, 50))
    assert not carried[0, 0, :, 51:].any()


@BOTH
def test_carrying_to_disjoint_ground_leaves_nothing(sampling: Sampling) -> None:
    source, target = Box(0, 0, 50, 50), Box(60, 60, 120, 120)
    carried = sampling.carry(torch.ones(1, 1, 64, 64), source, target, Size(64, 64), Size(200, 200))
    assert not carried.any()


def test_a_carried_blob_keeps_its_place_in_the_image() -> None:
    source, target = Box(10, 20, 90, 180), Box(40, 60, 100, 130)
    point, size = ImagePoint(x=92, y=66), Size(96, 192)
    values = blob(size, CENTRED.locate(point, source, size), 3).float()[None, None]
    found = centre_of(CENTRED.carry(values, source, target, Size(96, 96), Size(200, 200))[0, 0])
    expected = CENTRED.locate(point, target, Size(96, 96))
    assert found.y == pytest.approx(expected.row, abs=0.1)
    assert found.x == pytest.approx(expected.col, abs=0.1)


def test_equal_conventions_print_equally_and_different_ones_do_not() -> None:
    # They are part of a policy's, hence of a prediction's identity.
    assert str(Centred()) == str(Centred())
    assert str(Centred()) != str(Aligned())
