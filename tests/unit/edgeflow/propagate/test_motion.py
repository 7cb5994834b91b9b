from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.geometry import Box, Size
from edgeflow.inference.sampling import Centred
from edgeflow.inference.state import EncodedImage
from edgeflow.propagate.motion import Motion, motion_between, surroundings


def textured(right: int = 0, size: tuple[int, int] = (96, 128)) -> RGBImage:
    """Texture, moved to the right."""
    small = np.random.default_rng(1).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    whole = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return np.roll(whole, right, axis=1)


def encoded(rgb: RGBImage) -> EncodedImage:
    pixels = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    return EncodedImage(pixels, torch.zeros(1, 3, 32, 32), "digest")


def square(left: int, size: tuple[int, int] = (96, 128)) -> BoolMask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[36:60, left : left + 24] = True
    return mask


def between(before: RGBImage, after: RGBImage, box: Box) -> Motion:
    return motion_between(encoded(before), encoded(after), box, Centred())


def test_a_mask_moves_with_the_page() -> None:
    motion = between(textured(), textured(right=6), Box(36, 40, 60, 64))
    assert motion.after == Box(12, 16, 84, 88)
    carried = motion.carry(square(40))
    wanted = square(46)[motion.after.slices]
    assert np.count_nonzero((carried > 0.5) ^ wanted) < 60
    assert motion.trust[24:48, 30:54].mean() > 0.8


def test_what_was_not_there_is_not_trusted() -> None:
    covered = textured()
    covered[30:66, 34:70] = (255, 0, 0)
    motion = between(textured(), covered, Box(36, 40, 60, 64))
    still = between(textured(), textured(), Box(36, 40, 60, 64))
    assert motion.trust[26:46, 26:46].mean() < 0.3
    assert still.trust.mean() > 0.95


def test_pages_of_different_sizes_are_compared_whole() -> None:
    motion = between(textured(), cv2.resize(textured(), (256, 192)), Box(36, 40, 60, 64))
    assert motion.before == Box(0, 0, 96, 128)
    assert motion.after == Box(0, 0, 192, 256)
    box = motion.box_of(motion.carry(square(40)))
    assert box is not None
    assert box.iou(Box(72, 80, 120, 128)) > 0.8


def test_a_frame_sees_a_map_where_it_lies() -> None:
    motion = between(textured(), textured(), Box(0, 0, 96, 128))
    values = square(40)[motion.after.slices].astype(np.float32)
    seen = motion.seen_in(values, Box(30, 34, 66, 70), Size(72, 72))
    wanted = np.zeros((72, 72), dtype=np.bool_)
    wanted[12:60, 12:60] = True
    assert ((seen > 0.5) == wanted).all()


def test_nothing_has_no_box() -> None:
    motion = between(textured(), textured(), Box(36, 40, 60, 64))
    assert motion.box_of(np.zeros((72, 72), dtype=np.float32)) is None


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        (Box(40, 40, 50, 50), Box(0, 0, 100, 100)),  # small: half of the page's longer side
        (Box(40, 100, 80, 140), Box(0, 60, 100, 180)),
        (Box(0, 190, 20, 200), Box(0, 100, 100, 200)),  # moved into the page
    ],
)
def test_motion_is_sought_around_the_object(box: Box, wanted: Box) -> None:
    assert surroundings(box, Size(100, 200)) == wanted
