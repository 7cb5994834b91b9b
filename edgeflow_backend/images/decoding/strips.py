"""Decoding plain JPEGs and PNGs of many megapixels in hardly more than their 3 bytes a pixel.

Pillow holds RGB in 4 bytes a pixel, and its conversions copy. OpenCV, built on the same libraries,
decodes row by row into memory that is given to it; its pixels equal Pillow's (tested).
"""

from __future__ import annotations

import mmap

import cv2
import numpy as np

from edgeflow.arrays import RGBImage

STRIP_BYTES = 1 << 20
"""What is turned or swapped at once."""


def read_stored(path: str, pixels: RGBImage) -> bool:
    """Decode a file as it is stored, ignoring any orientation.

    Args:
        path: A JPEG or PNG with 8 bits, grey or RGB.
        pixels: H×W×3, written.

    Returns:
        Whether it worked; otherwise ``pixels`` hold anything.
    """
    try:
        read = cv2.imread(path, pixels, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return False
    if not isinstance(read, np.ndarray) or read.ctypes.data != pixels.ctypes.data:
        return False
    for rows in _strips(pixels):
        cv2.cvtColor(pixels[rows], cv2.COLOR_BGR2RGB, dst=pixels[rows])
    return True


def turn(stored: RGBImage, pages: mmap.mmap, upright: RGBImage, orientation: int) -> None:
    """Copy an image to where it stands upright, and give its memory back on the way.

    Args:
        stored: H×W×3 over ``pages``; its content is lost.
        pages: Anonymous memory.
        upright: H×W×3, or W×H×3 for the orientations 5 to 8; written.
        orientation: EXIF's number, 1 to 8.
    """
    row_bytes = stored.strides[0]
    source_of = _as_stored(upright, orientation)
    freed = 0
    for rows in _strips(stored):
        _copy(stored[rows], source_of[rows], across=orientation >= 5)
        done = rows.stop * row_bytes // mmap.PAGESIZE * mmap.PAGESIZE
        pages.madvise(mmap.MADV_DONTNEED, freed, done - freed)
        freed = done


def _copy(pixels: RGBImage, place: RGBImage, *, across: bool) -> None:
    """Copy pixels to a view that turns them; in a third of the time that NumPy takes."""
    if across:
        pixels, place = np.asarray(cv2.transpose(pixels), np.uint8), place.transpose(1, 0, 2)
    if place.strides[1] < 0:
        pixels, place = np.asarray(cv2.flip(pixels, 1), np.uint8), place[:, ::-1]
    place[...] = pixels


def _as_stored(upright: RGBImage, orientation: int) -> RGBImage:
    """A view of the upright image in which each pixel lies where it is stored."""
    if orientation >= 5:
        upright = upright.transpose(1, 0, 2)
    if orientation in (3, 4, 6, 7):
        upright = upright[::-1]
    if orientation in (2, 3, 7, 8):
        upright = upright[:, ::-1]
    return upright


def _strips(pixels: RGBImage) -> list[slice]:
    height = max(STRIP_BYTES // max(pixels.strides[0], 1), 1)
    return [
        slice(top, min(top + height, pixels.shape[0])) for top in range(0, pixels.shape[0], height)
    ]
