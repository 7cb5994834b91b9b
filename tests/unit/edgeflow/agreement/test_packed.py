from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from edgeflow.agreement.packed import pack
from edgeflow.annotated import AnnotatedImage, AnnotatedObject, Outlines, mask_of
from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from tests.unit.edgeflow.agreement.drawing import SIZE, boxed, outlined


@settings(deadline=None)
@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_masks_come_out_as_they_went_in(mask: BoolMask) -> None:
    patch = MaskPatch.of(mask)
    image = AnnotatedImage("k", "a.jpg", Size(*mask.shape), (AnnotatedObject("1", (), patch),))
    (drawn,) = pack(image).objects()
    assert isinstance(drawn.shape, MaskPatch)
    assert drawn.shape.pixels.dtype == np.bool_
    assert drawn.shape.box == patch.box
    assert (drawn.shape.whole() == mask).all()


def test_names_classes_and_boxes_are_kept_and_outlines_are_masks() -> None:
    objects = (boxed("b", 1, 2, 3, 4), outlined("p", 1, 1, 5, 5))
    packed = pack(AnnotatedImage("k", "a.jpg", SIZE, objects))
    assert (packed.key, packed.file_name, packed.size) == ("k", "a.jpg", SIZE)
    box, outline = packed.objects()
    assert (box.key, box.labels, box.shape) == ("b", ("cat",), objects[0].shape)
    assert isinstance(objects[1].shape, Outlines)
    drawn, exact = mask_of(outline.shape), objects[1].shape.mask
    assert drawn is not None
    assert (drawn.whole() == exact.whole()).all()


def test_a_mask_takes_a_fraction_of_its_memory() -> None:
    rows, cols = np.mgrid[:1000, :1000]
    patch = MaskPatch.of(np.hypot(rows - 500, cols - 500) < 480)
    image = AnnotatedImage("k", "a.jpg", Size(1000, 1000), (AnnotatedObject("1", (), patch),))
    packed = pack(image).packed[0].shape
    assert len(getattr(packed, "data")) < patch.nbytes / 50  # noqa: B009
