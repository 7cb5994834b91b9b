"""A project's accepted objects as samples, decoded as clicks' images are, and not before."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.data.base import Sample
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Size
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.learning.gate.screen import ANYWHERE, doubt, edges_of, fits
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.decoding.decoder import Decoder
from edgeflow_backend.images.disk_cache import DiskCache
from edgeflow_backend.images.fit import fitting

UNREADABLE = "an image that cannot be had or read"
TINY = "a mask of too few pixels"

LEAST_PIXELS = 16
"""Of an object at the size that is worked with."""


class _Pixels(NamedTuple):
    pixels: RGBImage

    @property
    def size(self) -> Size:
        height, width = self.pixels.shape[:2]
        return Size(height, width)


@dataclass(frozen=True)
class Picture:
    """A picture, and the objects that were accepted on it.

    Attributes:
        digest: SHA-256 of its file.
        objects: Those that are used; at least one.
    """

    digest: str
    objects: tuple[AcceptedObject, ...]


@dataclass(frozen=True)
class Opener:
    """Opens pictures.

    Attributes:
        cache: Copies of the files by digest.
        decoder: Decodes them as clicks' images are.
        longest: Pixels of the longer side at most; larger ones are reduced.
    """

    cache: DiskCache
    decoder: Decoder
    longest: int

    def open(self, picture: Picture) -> Sample:
        """A picture with its objects' masks, which may have become empty.

        Raises:
            EdgeFlowError: Its file is not to be had, cannot be decoded or has another size than the
                masks, or a mask is damaged.
        """
        data = self.cache.get(picture.digest)
        if data is None:
            raise FetchError("there is no copy of the image", hint="it is fetched again")
        size = picture.objects[0].mask.size

        def decoded(as_stored: bool) -> _Pixels:
            with self.decoder.decoded(data, as_stored=as_stored) as found:
                return _Pixels(np.array(found.pixels))

        rgb = fitting(size.width, size.height, decoded).pixels
        masks = tuple(self._reduced(each.mask.mask()) for each in picture.objects)
        return Sample(picture.digest, self._reduced_rgb(rgb), masks)

    def _scale(self, size: tuple[int, ...]) -> tuple[int, int] | None:
        """Width and height to reduce to; None for as it is."""
        scale = self.longest / max(size[:2])
        return (
            None if scale >= 1 else (max(round(size[1] * scale), 1), max(round(size[0] * scale), 1))
        )

    def _reduced_rgb(self, rgb: RGBImage) -> RGBImage:
        size = self._scale(rgb.shape)
        return (
            rgb
            if size is None
            else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        )

    def _reduced(self, mask: BoolMask) -> BoolMask:
        size = self._scale(mask.shape)
        if size is None:
            return mask
        covered = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return np.asarray(covered >= 0.5)


class LazySamples(Sequence[Sample]):
    """Pictures that are opened each time they are asked for, so that one at a time is in memory."""

    def __init__(self, pictures: Sequence[Picture], opener: Opener) -> None:
        self._pictures = pictures
        self._opener = opener

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> LazySamples: ...
    def __getitem__(self, index: int | slice) -> Sample | LazySamples:
        if isinstance(index, slice):
            return LazySamples(self._pictures[index], self._opener)
        return self._opener.open(self._pictures[index])

    def __iter__(self) -> Iterator[Sample]:
        return map(self._opener.open, self._pictures)


def pictures_of(objects: Iterable[AcceptedObject]) -> list[Picture]:
    """Objects by picture, and by the size that their masks have."""
    found: dict[tuple[str, Size], list[AcceptedObject]] = {}
    for each in objects:
        found.setdefault((each.picture, each.mask.size), []).append(each)
    return [Picture(digest, tuple(of)) for (digest, _), of in sorted(found.items())]


@dataclass
class Screened:
    """What is used, and what is not.

    Attributes:
        pictures: With the objects that are used.
        left_out: How many are not, by reason.
        wrong: Those of them that are probably wrong.
    """

    pictures: list[Picture] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)


Replay = Callable[[Sample, AcceptedObject, BoolMask], bool]
"""Whether an object's recorded clicks make its mask on its picture."""


def screened(pictures: Iterable[Picture], opener: Opener, replay: Replay) -> Screened:
    """Leave out what is probably wrong, and what cannot be read.

    A mask that does not fit its image stays if its recorded clicks make it: then it is what an
    annotator was shown on this image, and accepted.

    Args:
        pictures: Pictures with their objects.
        opener: Opens them.
        replay: Tells whether clicks make a mask.
    """
    found = Screened()
    for picture in pictures:
        try:
            sample = opener.open(picture)
        except EdgeFlowError:
            found.left_out[UNREADABLE] += len(picture.objects)
            continue
        edges = edges_of(sample.rgb)
        kept = []
        for each, mask in zip(picture.objects, sample.objects, strict=True):
            if np.count_nonzero(mask) < LEAST_PIXELS:
                found.left_out[TINY] += 1
                continue
            wrong = doubt(each, mask)
            if not wrong and not fits(edges, mask) and not replay(sample, each, mask):
                wrong = ANYWHERE
            if wrong:
                found.wrong[wrong] += 1
                found.left_out[wrong] += 1
            else:
                kept.append(each)
        if kept:
            found.pictures.append(Picture(picture.digest, tuple(kept)))
    return found


def rank(picture: Picture) -> str:
    """By this, pictures to judge by are in an order of chance that never changes."""
    return hashlib.sha256(f"held out picture {picture.digest}".encode()).hexdigest()
