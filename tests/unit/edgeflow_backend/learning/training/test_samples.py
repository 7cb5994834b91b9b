from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeflow.arrays import BoolMask
from edgeflow.data.base import Sample
from edgeflow.learning.accepted import AcceptedObject, MaskCode, PercentClick
from edgeflow.learning.gate.screen import ANYWHERE, BESIDE_CLICKS
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.images.decoding.decoder import Decoder
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.learning.training.samples import (
    TINY,
    UNREADABLE,
    LazySamples,
    Opener,
    pictures_of,
    screened,
)
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow.learning.learning_samples import accepted
from tests.unit.edgeflow_backend.learning.learning import REF

RGB = np.full((60, 120, 3), 30, dtype=np.uint8)
MASK = np.zeros((60, 120), dtype=np.bool_)
MASK[15:45, 20:70] = True
RGB[MASK] = 200


@pytest.fixture
def opener(learning_settings: Callable[..., Settings]) -> Iterator[Opener]:
    settings = learning_settings()
    decoder = Decoder(settings)
    cache = Shelf(settings, Pictures(settings)).files(REF).cache
    yield Opener(cache, decoder, 1000)
    decoder.close()


def stored(opener: Opener, rgb: np.ndarray = RGB, orientation: int = 1) -> str:
    exif, file = Image.Exif(), BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(rgb).save(file, "PNG", exif=exif)
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    opener.cache.put(digest, file.getvalue())
    return digest


def by_hand(digest: str, mask: BoolMask = MASK, **changes: Any) -> AcceptedObject:
    fields: dict[str, Any] = {"start": "hand", "clicks": (), **changes}
    return accepted(picture=digest, mask=MaskCode.of(MaskPatch.of(mask)), **fields)


def never(_sample: Sample, _each: AcceptedObject, _mask: BoolMask) -> bool:
    return False


def test_a_picture_comes_with_all_its_objects_and_large_ones_are_reduced(opener: Opener) -> None:
    digest = stored(opener)
    (picture,) = pictures_of([by_hand(digest), by_hand(digest, ~MASK)])
    whole = opener.open(picture)
    assert np.array_equal(whole.rgb, RGB)
    assert np.array_equal(whole.objects, [MASK, ~MASK])
    (small,) = LazySamples([picture], Opener(opener.cache, opener.decoder, 60))
    assert small.rgb.shape == (30, 60, 3)
    assert small.objects[0].shape == (30, 60)
    assert abs(small.objects[0].mean() - MASK.mean()) < 0.02


@pytest.mark.parametrize("as_stored", [False, True], ids=["turned", "as stored"])
def test_an_image_is_turned_as_its_masks_are(opener: Opener, as_stored: bool) -> None:
    digest = stored(opener, orientation=6)
    mask = MASK if as_stored else np.rot90(MASK, -1)
    (picture,) = pictures_of([by_hand(digest, mask)])
    sample = opener.open(picture)
    assert (sample.rgb[sample.objects[0]] == 200).all()


def test_what_is_probably_wrong_or_unreadable_is_left_out_and_told(opener: Opener) -> None:
    digest, elsewhere = stored(opener), np.roll(MASK, 60, axis=1)
    speck = np.zeros_like(MASK)
    speck[0, 0] = True
    objects = [
        by_hand(digest),
        by_hand(digest, elsewhere),
        by_hand(digest, speck),
        by_hand(digest, start="clicks", clicks=(PercentClick(90, 10, True),)),
        by_hand("0" * 64),
        by_hand(digest, MASK[:, :100]),  # another size than the image
    ]
    found = screened(pictures_of(objects), opener, never)
    assert [picture.objects for picture in found.pictures] == [(objects[0],)]
    assert found.wrong == {ANYWHERE: 1, BESIDE_CLICKS: 1}
    assert found.left_out == {ANYWHERE: 1, BESIDE_CLICKS: 1, TINY: 1, UNREADABLE: 2}


def test_what_its_own_clicks_make_stays_wherever_it_lies(opener: Opener) -> None:
    each = by_hand(stored(opener), np.roll(MASK, 60, axis=1))
    assert not screened(pictures_of([each]), opener, never).pictures
    found = screened(pictures_of([each]), opener, lambda *_: True)
    assert found.pictures[0].objects == (each,)
    assert not found.left_out
