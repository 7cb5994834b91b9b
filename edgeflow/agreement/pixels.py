"""The pixels of compared images, where they are at hand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from edgeflow.agreement.packed import PackedImage
from edgeflow.arrays import RGBImage
from edgeflow.data.base import Dataset
from edgeflow.data.drawn_tasks import find_image
from edgeflow.data.files import image_for, read_bytes
from edgeflow.errors import EdgeFlowError

Pixels = Callable[[PackedImage], RGBImage | None]
"""An image's H×W×3 uint8 RGB pixels; None if they are not at hand, or not of its size."""


def pixels_in_folders(folders: list[Path]) -> Pixels:
    """Images that lie in one of some folders."""

    def pixels(image: PackedImage) -> RGBImage | None:
        found = find_image(image.file_name, folders)
        with contextlib.suppress(EdgeFlowError):
            if found is not None:
                data = read_bytes(found[0] / found[1])
                return image_for(data, image.size, image.file_name, "its annotation")
        return None

    return pixels


def pixels_of_dataset(opening: Callable[[], Dataset]) -> Pixels:
    """Images of a dataset, which is opened when the first is asked for."""
    once = cache(opening)

    def pixels(image: PackedImage) -> RGBImage | None:
        with contextlib.suppress(EdgeFlowError, ValueError):
            dataset = once()
            rgb = dataset[dataset.sample_names.index(image.key)].rgb
            if rgb.shape[:2] == image.size:
                return rgb
        return None

    return pixels
