"""Pages that are read and decoded when they are looked at, a few of which are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

from edgeflow.arrays import BoolMask
from edgeflow.errors import EdgeFlowError
from edgeflow.images import MAX_PIXELS, decode_image
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.state import EncodedImage
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.masks.patch import MaskPatch
from edgeflow.preannotation.importing import reason_of
from edgeflow.propagate.pages import PageError

KEPT = 6
"""Pages that are kept: two directions of several objects go over the same ones by turns."""


class ReadPages:
    """See :class:`edgeflow.propagate.pages.Pages`; not for several threads.

    Args:
        count: How many there are.
        read: The file of a page; raises an EdgeFlowError or OSError if it is not to be had, of
            which a LabelStudioError ends everything, and any other the page alone.
        predictor: Encodes them.
        max_pixels: Larger ones are not read.

    Attributes:
        faults: Why pages could not be read, by number.
    """

    def __init__(
        self,
        count: int,
        read: Callable[[int], bytes],
        predictor: Predictor,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._count, self._read = count, read
        self._predictor, self._max_pixels = predictor, max_pixels
        self._kept: OrderedDict[int, EncodedImage] = OrderedDict()
        self.faults: dict[int, str] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> EncodedImage:
        if index in self.faults:
            raise PageError(self.faults[index])
        if index not in self._kept:
            self._keep(index, self._encode(index))
        self._kept.move_to_end(index)
        return self._kept[index]

    def _encode(self, index: int) -> EncodedImage:
        try:
            rgb = decode_image(self._read(index), max_pixels=self._max_pixels)
        except LabelStudioError:
            raise
        except (EdgeFlowError, OSError) as error:
            self.faults[index] = reason_of(error)
            raise PageError(self.faults[index]) from error
        return self._predictor.encode(rgb, copy=False)

    def _keep(self, index: int, image: EncodedImage) -> None:
        self._kept[index] = image
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


class WholeMasks(Mapping[int, BoolMask]):
    """Masks by page that are unpacked when they are looked at.

    Args:
        patches: The masks.
    """

    def __init__(self, patches: Mapping[int, MaskPatch]) -> None:
        self._patches = patches

    def __getitem__(self, index: int) -> BoolMask:
        return self._patches[index].whole()

    def __iter__(self) -> Iterator[int]:
        return iter(self._patches)

    def __len__(self) -> int:
        return len(self._patches)
