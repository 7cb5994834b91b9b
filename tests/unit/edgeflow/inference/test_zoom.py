from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.inference.sampling import Aligned
from edgeflow.inference.zoom import POLICIES, ZoomPolicy
from edgeflow.prompts.click import Click
from tests.unit.edgeflow.samples import click, negative

POLICY = ZoomPolicy()
TIGHT = ZoomPolicy(min_side=1)
IMAGE = Size(height=1000, width=1500)
SIDES = st.integers(1, 3000)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(448, 448), Size(448, 448)),
        (Size(480, 640), Size(320, 448)),  # 336 lies between 320 and 352: to the even multiple
        (Size(481, 640), Size(352, 448)),
        (Size(640, 480), Size(448, 320)),
        (Size(1000, 1000), Size(448, 448)),
        (Size(1, 1), Size(448, 448)),
        (Size(3000, 4000), Size(320, 448)),
        (Size(1, 10_000), Size(32, 448)),
        (Size(10_000, 1), Size(448, 32)),
        (Size(200, 201), Size(448, 448)),
        (Size(40, 448), Size(32, 448)),
        (Size(100, 448), Size(96, 448)),
    ],
)
def test_network_sizes(size: Size, expected: Size) -> None:
    assert POLICY.network_size(size) == expected


@given(st.builds(Size, st.integers(1, 20_000), st.integers(1, 20_000)))
def test_the_longer_side_is_448_and_both_are_multiples_of_32(size: Size) -> None:
    network = POLICY.network_size(size)
    assert max(network) == 448
    assert min(network) >= 32
    assert network.height % 32 == network.width % 32 == 0
    for side, other in zip(network, size, strict=True):
        exact = other * 448 / max(size)
        assert side == 32 or abs(side - exact) <= 16


@given(st.integers(32, 2000), st.builds(Size, SIDES, SIDES))
def test_another_long_side_is_kept_within_half_a_stride(long_side: int, size: Size) -> None:
    network = ZoomPolicy(long_side=long_side).network_size(size)
    assert abs(max(network) - long_side) <= 16


def test_the_first_click_sees_the_whole_image() -> None:
    assert POLICY.choose(None, None, [click(700, 500)], IMAGE) is None


def test_an_empty_mask_sends_back_to_the_whole_image() -> None:
    clicks = [click(700, 500), negative(710, 500)]
    assert POLICY.choose(Box(400, 600, 600, 800), None, clicks, IMAGE) is None


def test_the_region_is_the_box_enlarged_about_its_middle() -> None:
    box = Box(top=300, left=400, bottom=700, right=900)
    region = POLICY.choose(None, box, [click(500, 500)], IMAGE)
    assert region is not None
    assert region.size.height == pytest.approx(1.4 * 400, abs=2)
    assert region.size.width == pytest.approx(1.4 * 500, abs=2)
    assert (region.top + region.bottom) / 2 == pytest.approx(500, abs=1)
    assert (region.left + region.right) / 2 == pytest.approx(650, abs=1)


def test_a_small_object_still_gets_200_pixels_a_side() -> None:
    region = POLICY.choose(None, Box(500, 700, 510, 710), [click(705, 505)], IMAGE)
    assert region is not None
    assert 200 <= region.size.height <= 202
    assert 200 <= region.size.width <= 202
    assert (region.top + region.bottom) / 2 == pytest.approx(505, abs=1)


def test_the_region_ends_at_the_images_border() -> None:
    region = POLICY.choose(None, Box(0, 1300, 600, 1500), [click(1400, 100)], IMAGE)
    assert region is not None
    assert region.top == 0
    assert region.right == 1500


def test_the_whole_image_as_mask_gives_the_whole_image() -> None:
    region = POLICY.choose(None, Box.whole(IMAGE), [click(5, 5)], IMAGE)
    assert region == Box.whole(IMAGE)


def test_a_positive_click_beside_the_mask_is_brought_into_the_region() -> None:
    box = Box(400, 400, 500, 500)
    region = TIGHT.choose(None, box, [click(450, 450), click(1200, 450)], IMAGE)
    assert region is not None
    assert region.contains(ImagePoint(1200, 450))
    assert region.left < 400
    assert region.size.width == pytest.approx(1.4 * 801, abs=2)


def test_a_negative_click_does_not_widen_the_region() -> None:
    box = Box(400, 400, 700, 700)
    without = POLICY.choose(None, box, [click(450, 450)], IMAGE)
    assert POLICY.choose(None, box, [click(450, 450), negative(1400, 10)], IMAGE) == without


def shifted(region: Box, down: int, right: int) -> Box:
    return Box(region.top + down, region.left + right, region.bottom + down, region.right + right)


BOX = Box(400, 600, 600, 800)
CLICKS = [click(700, 500)]
WANTED = POLICY.choose(None, BOX, CLICKS, IMAGE) or Box.whole(IMAGE)


def test_a_region_that_still_fits_well_is_kept() -> None:
    near = shifted(WANTED, 20, -20)
    assert near.iou(WANTED) >= 0.5
    assert POLICY.choose(near, BOX, CLICKS, IMAGE) == near


def test_a_region_is_kept_down_to_half_overlap_and_not_below() -> None:
    width = WANTED.size.width
    kept = Box(WANTED.top, WANTED.left, WANTED.bottom, WANTED.right + width)
    assert kept.iou(WANTED) == 0.5
    assert POLICY.choose(kept, BOX, CLICKS, IMAGE) == kept
    left = Box(WANTED.top, WANTED.left, WANTED.bottom, WANTED.right + width + 1)
    assert left.iou(WANTED) < 0.5
    assert POLICY.choose(left, BOX, CLICKS, IMAGE) == WANTED


def test_a_region_that_a_positive_click_has_left_is_chosen_anew() -> None:
    previous = Box(WANTED.top, WANTED.left, WANTED.bottom, WANTED.right - 30)
    inside, outside = click(700, 500), click(WANTED.right - 20, 500)
    assert POLICY.choose(previous, BOX, [inside], IMAGE) == previous
    chosen = POLICY.choose(previous, BOX, [inside, outside], IMAGE)
    assert chosen != previous
    assert chosen is not None
    assert chosen.contains(outside.point)


def test_an_old_positive_click_counts_as_much_as_the_new_one() -> None:
    previous = shifted(WANTED, 0, 60)
    old, new = click(WANTED.left + 30, 500), click(700, 500)
    chosen = POLICY.choose(previous, BOX, [old, new], IMAGE)
    assert chosen is not None
    assert chosen.contains(old.point)


def test_a_negative_click_outside_does_not_cost_the_region() -> None:
    near = shifted(WANTED, 20, -20)
    assert POLICY.choose(near, BOX, [*CLICKS, negative(5, 5)], IMAGE) == near


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Size, Box, list[Click]]:
    """An image's size, a mask's box on it, and clicks."""
    size = Size(draw(st.integers(1, 2000)), draw(st.integers(1, 2000)))
    top, left = draw(st.integers(0, size.height - 1)), draw(st.integers(0, size.width - 1))
    bottom = draw(st.integers(top + 1, size.height))
    right = draw(st.integers(left + 1, size.width))
    points = st.builds(
        ImagePoint,
        st.floats(-0.5, size.width - 0.5, exclude_max=True),
        st.floats(-0.5, size.height - 0.5, exclude_max=True),
    )
    clicks = draw(st.lists(st.builds(Click, points, st.booleans()), min_size=1, max_size=5))
    return size, Box(top, left, bottom, right), clicks


@given(scenes())
def test_a_chosen_region_holds_mask_and_positive_clicks_and_stays_on_the_image(
    scene: tuple[Size, Box, list[Click]],
) -> None:
    size, box, clicks = scene
    for policy in (TIGHT, *POLICIES.values()):
        region = policy.choose(None, box, clicks, size)
        assert region is not None
        assert region.area > 0
        assert region.intersection(Box.whole(size)) == region
        assert region.intersection(box) == box
        assert all(region.contains(click.point) for click in clicks if click.positive)


@given(scenes(), st.data())
def test_a_region_is_kept_or_chosen_as_if_there_were_none(
    scene: tuple[Size, Box, list[Click]], data: st.DataObject
) -> None:
    size, box, clicks = scene
    top = data.draw(st.integers(0, size.height - 1))
    left = data.draw(st.integers(0, size.width - 1))
    bottom = data.draw(st.integers(top + 1, size.height))
    previous = Box(top, left, bottom, data.draw(st.integers(left + 1, size.width)))
    wanted = POLICY.choose(None, box, clicks, size)
    assert wanted is not None
    keeps = previous.iou(wanted) >= 0.5 and all(
        previous.contains(click.point) for click in clicks if click.positive
    )
    assert POLICY.choose(previous, box, clicks, size) == (previous if keeps else wanted)


def test_an_equal_policy_prints_equally_and_another_does_not() -> None:
    # A prediction's identity is made from this text.
    assert str(ZoomPolicy()) == str(ZoomPolicy())
    others = [
        ZoomPolicy(name="other"),
        ZoomPolicy(long_side=320),
        ZoomPolicy(square=True),
        ZoomPolicy(multiple=1),
        ZoomPolicy(expansion=1.5),
        ZoomPolicy(min_side=100),
        ZoomPolicy(recompute_iou=0.4),
        ZoomPolicy(keep_whole=True),
        ZoomPolicy(sampling=Aligned()),
    ]
    assert len({str(policy) for policy in [ZoomPolicy(), *others]}) == 10


def test_policies_are_known_by_their_names() -> None:
    assert sorted(POLICIES) == ["edgeflow", "eiseg", "ritm"]
    assert all(policy.name == name for name, policy in POLICIES.items())
    assert POLICIES["edgeflow"] == ZoomPolicy()


@given(st.builds(Size, SIDES, SIDES))
def test_eiseg_squeezes_everything_to_a_square(size: Size) -> None:
    assert POLICIES["eiseg"].network_size(size) == Size(400, 400)


@given(st.builds(Size, SIDES, SIDES))
def test_ritm_makes_the_longer_side_400_to_the_pixel(size: Size) -> None:
    network = POLICIES["ritm"].network_size(size)
    assert max(network) == 400
    assert min(network) == max(1, round(min(size) * (400 / max(size))))


@pytest.mark.parametrize("name", ["ritm", "eiseg"])
def test_where_the_whole_image_counts_as_a_region_it_is_kept_like_one(name: str) -> None:
    policy, whole = POLICIES[name], Box.whole(IMAGE)
    assert policy.choose(None, None, [click(700, 500)], IMAGE) == whole
    large = Box(100, 150, 900, 1350)
    assert policy.choose(whole, large, [click(700, 500)], IMAGE) == whole
    small = Box(490, 690, 510, 710)
    chosen = policy.choose(whole, small, [click(700, 500)], IMAGE)
    assert chosen is not None
    assert chosen.area < whole.area / 2


@pytest.mark.parametrize("name", ["ritm", "eiseg"])
def test_where_the_whole_image_counts_as_a_region_an_empty_mask_asks_for_it(name: str) -> None:
    policy, whole = POLICIES[name], Box.whole(IMAGE)
    assert policy.choose(Box(400, 600, 600, 800), None, [click(700, 500)], IMAGE) == whole
    nearly = Box(0, 0, 1000, 1400)
    assert policy.choose(nearly, None, [click(700, 500)], IMAGE) == nearly


@given(scenes())
def test_the_region_around_a_box_is_that_of_a_mask_which_fills_it(
    scene: tuple[Size, Box, list[Click]],
) -> None:
    size, box, _ = scene
    for policy in (TIGHT, *POLICIES.values()):
        region = policy.around(box, size)
        assert region == policy.choose(None, box, [], size)
        assert region.intersection(box) == box
        assert region.intersection(Box.whole(size)) == region


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(300, 400, 700, 900), Box(220, 300, 781, 1000)),
        (Box(500, 700, 501, 701), Box(400, 600, 601, 801)),  # at least 200 pixels a side
        (Box(0, 0, 1, 1), Box(0, 0, 101, 101)),  # what would be outside is not made up for
        (Box(999, 1499, 1000, 1500), Box(899, 1399, 1000, 1500)),
        (Box(0, 0, 1000, 1500), Box(0, 0, 1000, 1500)),
        (Box(0, 600, 1000, 700), Box(0, 550, 1000, 750)),
        (Box(100, 0, 600, 1500), Box(0, 0, 700, 1500)),
    ],
)
def test_regions_around_boxes(box: Box, expected: Box) -> None:
    region = POLICY.around(box, IMAGE)
    for side, wanted in zip(region, expected, strict=True):
        assert side == pytest.approx(wanted, abs=1)


@pytest.mark.parametrize("image", [Size(1, 1), Size(1, 500), Size(500, 1), Size(37, 23)])
def test_the_region_around_an_image_smaller_than_a_region_is_all_of_it(image: Size) -> None:
    assert ZoomPolicy(min_side=1001).around(Box(0, 0, 1, 1), image) == Box.whole(image)
    assert POLICY.around(Box.whole(image), image) == Box.whole(image)
