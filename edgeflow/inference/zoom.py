"""The zoom-in region: which part of an image the network looks at, and at what size.

After RITM (Sofiiuk et al., arXiv:2102.06583): the first click sees the whole image; later clicks
see the surroundings of the last mask, enlarged. Beyond RITM, a first click is looked at again from
close by where the whole image shows too little of the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edgeflow.geometry import Box, Size
from edgeflow.inference.closer import CLOSER, CloserLooks
from edgeflow.inference.sampling import Aligned, Centred, Sampling
from edgeflow.prompts.click import Click


@dataclass(frozen=True, slots=True)
class ZoomPolicy:
    """How the zoom-in region is chosen and resized.

    Attributes:
        name: Free text; the whole policy, not its name, is part of a prediction's identity.
        long_side: Network pixels of the longer side.
        square: Whether both sides get ``long_side``, whatever the region's shape.
        multiple: Divisor of the network's sides; its coarsest stride is 32.
        expansion: Sides of the region over those of the object's bounding box.
        min_side: Smallest side of a region, image pixels.
        recompute_iou: Smallest IoU with the region for the current mask at which the previous
            region stays.
        keep_whole: Whether the whole image, the view of the first click, is a region to keep.
        sampling: How pixels are resized and clicks are placed.
        closer: Closer looks at the first click; None for none.
    """

    name: str = "edgeflow"
    long_side: int = 448
    square: bool = False
    multiple: int = 32
    expansion: float = 1.4
    min_side: int = 200
    recompute_iou: float = 0.5
    keep_whole: bool = False
    sampling: Sampling = field(default_factory=Centred)
    closer: CloserLooks | None = field(default_factory=CloserLooks)

    @property
    def side_multiple(self) -> int:
        """The number that both sides at the network are multiples of."""
        return self.long_side if self.square else self.multiple

    def network_size(self, size: Size) -> Size:
        """The network's input size for a region of ``size``."""
        if self.square:
            return Size(self.long_side, self.long_side)
        step = self.multiple
        scale = self.long_side / max(size)
        return Size(*(max(step, round(side * scale / step) * step) for side in size))

    def window_size(self, size: Size) -> Size:
        """The network's input size for a closer look at a window of ``size``."""
        side = self.long_side if self.closer is None else self.closer.long_side
        return replace(self, long_side=min(side, self.long_side)).network_size(size)

    def looks_closer(self, image: Size) -> bool:
        """Whether there are closer looks in an image of this size, for which scores decide."""
        return self.closer is not None and max(image) >= CLOSER * min(self.closer.sides)

    def choose(
        self,
        previous: Box | None,
        mask_box: Box | None,
        clicks: Sequence[Click],
        image: Size,
        *,
        close: bool = False,
    ) -> Box | None:
        """Choose the region for the next step.

        Args:
            previous: Region of the step before; None if that saw the whole image.
            mask_box: Bounding box of the last mask; None when there is none or it is empty.
            clicks: All clicks so far, the newest included.
            image: Image size.
            close: Whether the object was found in a closer look, so that regions may be smaller
                than ``min_side``.

        Returns:
            The region, or None for the whole image.
        """
        least = min(self.closer.least, self.min_side) if close and self.closer else self.min_side
        positives = [click.point for click in clicks if click.positive]
        if mask_box is not None:
            rows = [mask_box.top, mask_box.bottom - 1, *(point.y for point in positives)]
            cols = [mask_box.left, mask_box.right - 1, *(point.x for point in positives)]
            region = self._around(min(rows), max(rows), min(cols), max(cols), image, least)
        elif self.keep_whole:
            region = Box.whole(image)
        else:
            return None
        if (
            previous is not None
            and all(previous.contains(point) for point in positives)
            and previous.iou(region) >= self.recompute_iou
        ):
            return previous
        return region

    def around(self, box: Box, image: Size) -> Box:
        """The region for an object that lies in ``box``."""
        rows, cols = (box.top, box.bottom - 1), (box.left, box.right - 1)
        return self._around(*rows, *cols, image, self.min_side)

    def _around(
        self,
        first_row: float,
        last_row: float,
        first_col: float,
        last_col: float,
        image: Size,
        least: int,
    ) -> Box:
        top, bottom = self._expand(first_row, last_row, image.height, least)
        left, right = self._expand(first_col, last_col, image.width, least)
        return Box(top, left, bottom, right)

    def _expand(self, first: float, last: float, side: int, least: int) -> tuple[int, int]:
        length = max(self.expansion * (last - first + 1), least)
        centre = (first + last) / 2
        return max(round(centre - length / 2), 0), min(round(centre + length / 2) + 1, side)


POLICIES = {
    policy.name: policy
    for policy in (
        ZoomPolicy(),
        ZoomPolicy(
            "ritm", long_side=400, multiple=1, keep_whole=True, sampling=Aligned(), closer=None
        ),
        ZoomPolicy(
            "eiseg",
            long_side=400,
            square=True,
            min_side=480,
            keep_whole=True,
            sampling=Aligned(),
            closer=None,
        ),
    )
}
"""``edgeflow``: the default. ``ritm``: RITM's published evaluation. ``eiseg``: EISeg's own."""
