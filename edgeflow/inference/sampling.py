"""Two conventions for how image pixels become network pixels and back.

``Centred`` keeps pixel centres in place, antialiases when it shrinks, and resamples a fed-back map
directly. ``Aligned`` does what RITM's and EISeg's code does: corners aligned, no antialiasing, and
fed-back maps go through the full image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, ImagePoint, NetworkPoint, Size
from edgeflow.inference.enlarge import exceeding


class Sampling(Protocol):
    """One convention. Tensors stay on their device."""

    def view(self, pixels: Tensor, region: Box, size: Size) -> Tensor:
        """Cut ``region`` out of an image and resize it.

        Args:
            pixels: 1×3×H×W uint8 RGB.
            region: Part of the image to cut out.
            size: Size of the result.

        Returns:
            1×3×h×w float32 in [0, 1].
        """
        ...

    def enlarge(self, values: Tensor, size: Size) -> Tensor:
        """Bring a 1×1×h×w map back to its region's size: H×W."""
        ...

    def exceeding(
        self, values: Tensor, size: Size, threshold: float
    ) -> tuple[BoolMask, Box] | None:
        """Where an enlarged map exceeds a threshold, found in little memory.

        Args:
            values: 1×1×h×w.
            size: The region's size.
            threshold: Exclusive lower bound.

        Returns:
            As :func:`edgeflow.inference.enlarge.exceeding`; None where there is no such way.
        """
        ...

    def carry(self, values: Tensor, source: Box, target: Box, size: Size, image: Size) -> Tensor:
        """Resample a map made for ``source`` to the frame of ``target``.

        Args:
            values: 1×1×h×w float at the network size of ``source``.
            source: Region that ``values`` cover.
            target: Region of the result.
            size: Network size of ``target``.
            image: Image size.

        Returns:
            1×1×size float; 0 where ``target`` reaches beyond ``source``.
        """
        ...

    def locate(self, point: ImagePoint, region: Box, size: Size) -> NetworkPoint:
        """Where ``point`` falls once ``region`` is resized to ``size``."""
        ...


@dataclass(frozen=True, slots=True)
class Centred:
    """Pixel centres stay in place."""

    def view(self, pixels: Tensor, region: Box, size: Size) -> Tensor:
        """See :meth:`Sampling.view`; antialiased when it shrinks."""
        part = _cut(pixels, region)
        if part.device.type != "cpu":
            part = part.float()  # antialiased resizing of bytes exists on the CPU only
        resized = F.interpolate(part, size=tuple(size), mode="bilinear", antialias=True)
        return resized.float() / 255.0

    def enlarge(self, values: Tensor, size: Size) -> Tensor:
        """See :meth:`Sampling.enlarge`. On the CPU by OpenCV, which takes a tenth of the time."""
        if values.device.type != "cpu":
            return _resize(values, size, align_corners=False)[0, 0]
        shape = (size.width, size.height)
        return torch.from_numpy(
            cv2.resize(values[0, 0].numpy(), shape, interpolation=cv2.INTER_LINEAR)
        )

    def exceeding(
        self, values: Tensor, size: Size, threshold: float
    ) -> tuple[BoolMask, Box] | None:
        """See :meth:`Sampling.exceeding`; only on the CPU."""
        if values.device.type != "cpu":
            return None
        return exceeding(values[0, 0].numpy(), size, threshold)

    def carry(
        self,
        values: Tensor,
        source: Box,
        target: Box,
        size: Size,
        image: Size,  # noqa: ARG002 - the maps never pass through the image
    ) -> Tensor:
        """See :meth:`Sampling.carry`; the very same tensor if neither region nor size changes."""
        if source == target and values.shape[-2:] == tuple(size):
            return values
        device, dtype = values.device, values.dtype

        def axis(start: int, side: int, steps: int, from_start: int, from_side: int) -> Tensor:
            steps_from_zero = torch.arange(steps, device=device, dtype=dtype)
            centres = (steps_from_zero + 0.5) * (side / steps) + start
            return (centres - from_start) * (2.0 / from_side) - 1.0

        rows = axis(target.top, target.size.height, size.height, source.top, source.size.height)
        cols = axis(target.left, target.size.width, size.width, source.left, source.size.width)
        grid = torch.stack(
            (cols.view(1, -1).expand(size.height, -1), rows.view(-1, 1).expand(-1, size.width)),
            dim=-1,
        )
        return F.grid_sample(values, grid[None], padding_mode="zeros", align_corners=False)

    def locate(self, point: ImagePoint, region: Box, size: Size) -> NetworkPoint:
        """See :meth:`Sampling.locate`."""
        return NetworkPoint(
            (point.y - region.top + 0.5) * size.height / region.size.height - 0.5,
            (point.x - region.left + 0.5) * size.width / region.size.width - 0.5,
        )


@dataclass(frozen=True, slots=True)
class Aligned:
    """Corners stay in place; clicks are scaled without regard to pixel centres."""

    def view(self, pixels: Tensor, region: Box, size: Size) -> Tensor:
        """See :meth:`Sampling.view`."""
        return _resize(_cut(pixels, region).float() / 255.0, size, align_corners=True)

    def enlarge(self, values: Tensor, size: Size) -> Tensor:
        """See :meth:`Sampling.enlarge`."""
        return _resize(values, size, align_corners=True)[0, 0]

    def exceeding(
        self,
        values: Tensor,  # noqa: ARG002
        size: Size,  # noqa: ARG002
        threshold: float,  # noqa: ARG002
    ) -> tuple[BoolMask, Box] | None:
        """See :meth:`Sampling.exceeding`; not for this convention."""
        return None

    def carry(self, values: Tensor, source: Box, target: Box, size: Size, image: Size) -> Tensor:
        """See :meth:`Sampling.carry`."""
        full = values.new_zeros((1, 1, *image))
        _cut(full, source)[0, 0] = self.enlarge(values, source.size)
        return _resize(_cut(full, target), size, align_corners=True)

    def locate(self, point: ImagePoint, region: Box, size: Size) -> NetworkPoint:
        """See :meth:`Sampling.locate`."""
        return NetworkPoint(
            (point.y - region.top) * size.height / region.size.height,
            (point.x - region.left) * size.width / region.size.width,
        )


def _cut(values: Tensor, region: Box) -> Tensor:
    rows, cols = region.slices
    return values[:, :, rows, cols]


def _resize(values: Tensor, size: Size, *, align_corners: bool) -> Tensor:
    return F.interpolate(values, size=tuple(size), mode="bilinear", align_corners=align_corners)
