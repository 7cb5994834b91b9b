"""The zoom-in region: which part of a picture the network looks at, and at what size.

After RITM's published evaluation (Sofiiuk et al., arXiv:2102.06583): the first click sees the whole
picture; later clicks see the surroundings of the last mask, enlarged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.geometry import Region, Size
from edgeflow.prompts import Click

STRIDE = 32
"""The networks' coarsest stride; sides of their input are multiples of it."""


@dataclass(frozen=True, slots=True)
class ZoomPolicy:
    """How the zoom-in region is chosen and resized.

    Attributes:
        name: part of a prediction's identity; change it when the behaviour changes.
        long_side: network pixels of the longer side.
        expansion: the region's sides over those of the object's bounding box.
        min_side: smallest side of a region, image pixels.
        recompute_iou: a region is kept while its IoU with the one that would be chosen now is at
            least this.
    """

    name: str = "zoom-v1"
    long_side: int = 448
    expansion: float = 1.4
    min_side: int = 200
    recompute_iou: float = 0.5

    def network_size(self, size: Size) -> Size:
        """Resize ``size`` so that its longer side is ``long_side``, in multiples of 32."""
        scale = self.long_side / max(size)
        return Size(*(max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in size))

    def choose(
        self,
        previous: Region | None,
        mask_box: Region | None,
        clicks: Sequence[Click],
        image: Size,
    ) -> Region | None:
        """Choose the region for the next step.

        Args:
            previous: the region of the step before; None when that saw the whole picture.
            mask_box: bounding box of the last mask; None when there is none or it is empty.
            clicks: all clicks so far, the new one included.
            image: the picture's size.

        Returns:
            The region, or None for the whole picture.
        """
        if mask_box is None:
            return None
        positives = [click.point for click in clicks if click.positive]
        rows = [mask_box.top, mask_box.bottom - 1, *(point.y for point in positives)]
        cols = [mask_box.left, mask_box.right - 1, *(point.x for point in positives)]
        top, bottom = self._expand(min(rows), max(rows), image.height)
        left, right = self._expand(min(cols), max(cols), image.width)
        wanted = Region(top, left, bottom, right)
        if (
            previous is not None
            and all(previous.contains(point) for point in positives)
            and previous.iou(wanted) >= self.recompute_iou
        ):
            return previous
        return wanted

    def _expand(self, first: float, last: float, side: int) -> tuple[int, int]:
        length = max(self.expansion * (last - first + 1), self.min_side)
        centre = (first + last) / 2
        return max(round(centre - length / 2), 0), min(round(centre + length / 2) + 1, side)


def resize_image(pixels: Tensor, region: Region, size: Size) -> Tensor:
    """Cut ``region`` out of a picture and resize it, antialiased when it shrinks.

    Args:
        pixels: 1×3×H×W uint8 RGB.
        region: what is cut out.
        size: of the result.

    Returns:
        1×3×h×w float32 in [0, 1] on the same device.
    """
    part = pixels[:, :, region.top : region.bottom, region.left : region.right]
    if part.device.type != "cpu":
        part = part.float()  # antialiased resizing of bytes exists on the CPU only
    resized = F.interpolate(part, size=tuple(size), mode="bilinear", antialias=True)
    return resized.float() / 255.0


def paste(values: Tensor, region: Region, image: Size) -> Tensor:
    """Bring a network-sized map back to its place in the picture; 0 outside the region.

    Args:
        values: 1×1×h×w float.
        region: where they belong.
        image: the picture's size.

    Returns:
        H×W float on the same device.
    """
    placed = F.interpolate(values, size=tuple(region.size), mode="bilinear", align_corners=False)
    if region == Region.whole(image):
        return placed[0, 0]
    full = values.new_zeros(tuple(image))
    full[region.top : region.bottom, region.left : region.right] = placed[0, 0]
    return full


def carry(values: Tensor, source: Region, target: Region, size: Size) -> Tensor:
    """Resample a map that was made for ``source`` to the frame of ``target``.

    Args:
        values: 1×1×h×w float at the network size of ``source``.
        source: the region that ``values`` cover.
        target: the region wanted.
        size: network size of ``target``.

    Returns:
        1×1×size float, bilinear; 0 where ``target`` reaches beyond ``source``. The very same
        tensor when both frames are the same.
    """
    if source == target and values.shape[-2:] == tuple(size):
        return values
    device, dtype = values.device, values.dtype

    def axis(start: int, side: int, steps: int, from_start: int, from_side: int) -> Tensor:
        centres = (torch.arange(steps, device=device, dtype=dtype) + 0.5) * (side / steps) + start
        return (centres - from_start) * (2.0 / from_side) - 1.0

    rows = axis(target.top, target.size.height, size.height, source.top, source.size.height)
    cols = axis(target.left, target.size.width, size.width, source.left, source.size.width)
    grid = torch.stack(
        (cols.view(1, -1).expand(size.height, -1), rows.view(-1, 1).expand(-1, size.width)), dim=-1
    )
    return F.grid_sample(values, grid[None], padding_mode="zeros", align_corners=False)
