"""Steps that are kept, so that a way that was interrupted is gone no second time.

A step depends on the weights, the mask on the first page and all pages since. It is kept under the
digest of these, so what has changed, and all that follows from it, is never taken for the same. A
store saves work and decides nothing.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError
from edgeflow.geometry import Box, Size
from edgeflow.inference.state import EncodedImage
from edgeflow.masks.patch import MaskPatch, mask_digest
from edgeflow.propagate.colours import BINS, Colours
from edgeflow.propagate.pages import Pages
from edgeflow.propagate.score import Signs
from edgeflow.propagate.step import Origin, PageSteps, Tracked

FORMAT = "steps 1"
"""Changes with how a step is taken, or written."""

_DAMAGED = (
    ValueError, TypeError, KeyError, EOFError, OSError, NotImplementedError, MemoryError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading damaged bytes ends in."""


class StepStore(Protocol):
    """Keeps steps as bytes."""

    def get(self, key: str) -> bytes | None:
        """The step of a key, as it was put; None if there is none."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Keep a step."""
        ...


class KeptSteps:
    """See :class:`edgeflow.propagate.step.PageSteps`.

    Args:
        steps: Takes the steps that the store lacks.
        pages: Of the sequence.
        digests: The digest of a page's file; raises an EdgeFlowError or OSError if that cannot be
            read.
        store: Keeps the steps.
        identity: Of all that steps depend on beyond masks and pages: weights, options, runtime.

    Attributes:
        recalled: How many steps were in the store.
    """

    def __init__(
        self,
        steps: PageSteps,
        pages: Pages,
        digests: Callable[[int], str],
        store: StepStore,
        identity: str,
    ) -> None:
        self._steps, self._pages = steps, pages
        self._digests, self._store = digests, store
        self.recalled = 0
        self._identity = f"{FORMAT}|{identity}"

    def start(self, index: int, mask: BoolMask) -> Tracked:
        """See :class:`edgeflow.propagate.step.PageSteps`."""
        way = self._way(self._identity, index, mask_digest(mask))
        if way is None or (kept := self._recall(way)) is None:
            return self._keep(self._steps.start(index, mask), way)
        origin = Origin(kept.signs.reliability, kept.colours)
        return kept.tracked(partial(self._pages.__getitem__, index), origin, way)

    def next(self, before: Tracked, index: int) -> Tracked | None:
        """See :class:`edgeflow.propagate.step.PageSteps`."""
        way = self._way(before.way, index) if before.way else None
        if way is None or (kept := self._recall(way)) is None:
            found = self._steps.next(before, index)
            return None if found is None else self._keep(found, way)
        return kept.tracked(partial(self._pages.__getitem__, index), before.origin, way)

    def _way(self, before: str, index: int, *more: str) -> str | None:
        """The digest of a way that a page is added to; None if the page cannot be read."""
        try:
            page = self._digests(index)
        except (EdgeFlowError, OSError):
            return None  # whoever needs the page is told why
        return hashlib.sha256("|".join((before, page, *more)).encode()).hexdigest()

    def _keep(self, tracked: Tracked, way: str | None) -> Tracked:
        if way is None:
            return tracked
        self._store.put(way, _Kept.of(tracked).packed())
        return tracked._replace(way=way)

    def _recall(self, way: str) -> _Kept | None:
        data = self._store.get(way)
        kept = None if data is None else _Kept.unpacked(data)
        self.recalled += kept is not None
        return kept


class _Kept(NamedTuple):
    """A step without its page.

    Attributes:
        patch: The mask.
        colours: On the page.
        signs: Of quality.
        score: The estimate.
    """

    patch: MaskPatch
    colours: Colours
    signs: Signs
    score: float

    @classmethod
    def of(cls, tracked: Tracked) -> _Kept:
        patch = MaskPatch.of(tracked.mask)
        return cls(patch, tracked.colours, tracked.signs, tracked.score)

    def tracked(self, image: Callable[[], EncodedImage], origin: Origin, way: str) -> Tracked:
        mask = self.patch.whole()
        return Tracked(image, mask, origin, self.colours, self.signs, self.score, way)

    def packed(self) -> bytes:
        signs = self.signs
        file = io.BytesIO()
        np.savez_compressed(
            file,
            place=np.array([*self.patch.box, *self.patch.image_size], dtype=np.int64),
            pixels=np.packbits(self.patch.pixels),
            inside=self.colours.inside,
            outside=self.colours.outside,
            numbers=np.array(
                [
                    signs.reliability, signs.distance, signs.certainty, signs.agreement,
                    signs.likeness, signs.worst, signs.slips, self.score,
                ],
                dtype=np.float64,
            ),
        )  # fmt: skip
        return file.getvalue()

    @classmethod
    def unpacked(cls, data: bytes) -> _Kept | None:
        """A step of bytes; None if they are damaged."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                *sides, height, width = (int(each) for each in file["place"])
                box = Box(*sides)
                pixels = np.unpackbits(file["pixels"], count=box.size.height * box.size.width)
                patch = MaskPatch(
                    pixels.reshape(box.size).astype(np.bool_), box, Size(height, width)
                )
                colours = Colours(file["inside"], file["outside"])
                reliability, distance, *others, score = (float(each) for each in file["numbers"])
                signs = Signs(reliability, int(distance), *others)
        except _DAMAGED:
            return None
        whole = colours.inside.shape == colours.outside.shape == (BINS,) * 3
        return cls(patch, colours, signs, score) if whole else None
