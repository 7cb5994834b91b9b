"""Mask files to objects: the meaning of their values differs by dataset."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgeflow.arrays import BoolMask, ByteMap
from edgeflow.data.base import DatasetError
from edgeflow.geometry import Size
from edgeflow.images import MAX_PIXELS

Labels = ByteMap | npt.NDArray[np.uint16]
"""H×W."""

FORMATS = ("BMP", "PNG", "TIFF")
IGNORE = 255
MAX_MASK_BYTES = 8 << 30
"""Cap on the pixels of all objects of an image together."""

_PNG_GREY_STEPS = {2: 85, 4: 17}


@dataclass(frozen=True)
class Annotation:
    """The content of a mask file.

    Attributes:
        objects: H×W masks, each with at least one pixel.
        ignore: H×W, or None where nothing is ignored.
        size: Size of the masks and of their image.
        labels: Class names as in :class:`edgeflow.data.base.Sample`.
    """

    objects: tuple[BoolMask, ...]
    ignore: BoolMask | None
    size: Size
    labels: tuple[str | None, ...] = ()


def label_map(data: bytes, source: str) -> Labels:
    """The values of a one-channel mask, H×W; arguments and errors as for :func:`numbered`."""
    return _indices(_open(data, source), data, source)


def has_colours(data: bytes, source: str) -> bool:
    """Whether a mask is stored in colours, and neither as indices nor in grey."""
    return _open(data, source).mode in {"RGB", "RGBA"}


def colour_map(data: bytes, source: str) -> npt.NDArray[np.uint32]:
    """The colours of a mask as numbers, H×W: R + 256 G + 65536 B.

    Raises:
        DatasetError: The mask is unreadable.
    """
    image = _open(data, source)
    if image.mode.startswith(("I", "F")):
        raise DatasetError(
            f"{source} is a mask of mode {image.mode}, where colours are expected",
            hint="save it as RGB",
        )
    bands = (np.asarray(band).astype(np.uint32) for band in image.convert("RGB").split())
    red, green, blue = bands
    numbers: npt.NDArray[np.uint32] = red | green << np.uint32(8) | blue << np.uint32(16)
    return numbers


def numbered(data: bytes, source: str) -> Annotation:
    """One-channel masks: 0 background, k object k, and in 8 bits 255 ignore.

    Args:
        data: PNG, BMP or TIFF; of a palette the indices count, not the colours.
        source: Name of the file, for messages.

    Raises:
        DatasetError: The mask is unreadable, or has colours that are not indices.
    """
    labels = label_map(data, source)
    return split_labels(labels, IGNORE if labels.dtype == np.uint8 else None, source)


def any_value(data: bytes, source: str) -> Annotation:
    """Masks in which every pixel that is not black belongs to the one object."""
    return _single(_brightest(data, source) > 0)


def binary(data: bytes, source: str) -> Annotation:
    """Masks in which values above 128 are the one object, as RITM reads Berkeley."""
    return _single(_brightest(data, source) > 128)


def trimap(data: bytes, source: str) -> Annotation:
    """Masks with a band of unknown pixels: 128 is ignored, values above are the one object."""
    grey = _brightest(data, source)
    return _single(grey > 128, ignore=grey == 128)


def davis(data: bytes, source: str) -> Annotation:
    """Masks of DAVIS: palettes number objects (2017), any grey is the one object (2016)."""
    image = _open(data, source)
    return numbered(data, source) if image.mode == "P" else any_value(data, source)


def is_binary(data: bytes, source: str) -> bool | None:
    """Whether a mask's values are 0 and 255 alone; None where all are 0, which does not tell.

    Raises:
        DatasetError: The mask is unreadable.
    """
    image = _open(data, source)
    if image.mode == "L":
        values = np.unique(_indices(image, data, source)).tolist()
    elif image.mode in {"LA", "RGB", "RGBA"}:
        channels = np.asarray(image.convert("RGB"))
        if (channels != channels[:, :, :1]).any():
            return False  # coloured: not one object
        values = np.unique(channels).tolist()
    else:
        return False  # 1 bit, palettes and 16 bits number their objects from 1
    return None if values == [0] else set(values) <= {0, 255}


def split_labels(labels: Labels, ignore: int | None, source: str) -> Annotation:
    """A label map's objects, in order of their labels.

    One sort, however many there are.

    Args:
        labels: H×W; 0 is background.
        ignore: Label of pixels to ignore.
        source: Name of the file, for messages.

    Raises:
        DatasetError: The masks would take more than ``MAX_MASK_BYTES``.
    """
    flat = labels.ravel()
    counts = np.bincount(flat)
    counts[0] = 0
    present = np.flatnonzero(counts)
    check_masks(len(present), labels.size, source)
    where = np.flatnonzero(flat)
    parts = np.split(where[np.argsort(flat[where], kind="stable")], np.cumsum(counts[present])[:-1])
    masks = {}
    for label, pixels in zip(present.tolist(), parts, strict=False):
        mask = np.zeros(flat.size, dtype=np.bool_)
        mask[pixels] = True
        masks[label] = mask.reshape(labels.shape)
    ignored = masks.pop(ignore, None) if ignore is not None else None
    return Annotation(tuple(masks.values()), ignored, Size(*labels.shape))


def numbers_in(labels: Labels, ignore: int | None) -> list[int]:
    """The numbers of a label map's objects, ascending, as :func:`split_labels` has them."""
    present: list[int] = np.flatnonzero(np.bincount(labels.ravel())).tolist()
    return [number for number in present if number not in {0, ignore}]


def check_masks(count: int, pixels: int, source: str) -> None:
    """Refuse more objects than memory holds.

    Raises:
        DatasetError: Their masks would take more than ``MAX_MASK_BYTES``.
    """
    if count * pixels > MAX_MASK_BYTES:
        raise DatasetError(
            f"{source}: {count} objects of {pixels} pixels are too many for one image",
            hint="cut the image and its annotation into tiles",
        )


def _single(mask: BoolMask, ignore: BoolMask | None = None) -> Annotation:
    return Annotation(
        objects=(mask,) if mask.any() else (),
        ignore=ignore if ignore is not None and ignore.any() else None,
        size=Size(*mask.shape),
    )


def _open(data: bytes, source: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        fits = image.width * image.height <= MAX_PIXELS
        if fits:
            image.load()
    except Exception as error:  # decoders raise almost anything on damaged or hostile bytes
        raise DatasetError(
            f"{source} is not a readable mask",
            hint=f"masks are {', '.join(FORMATS)}; open the file to see if it is damaged",
        ) from error
    if not fits:
        raise DatasetError(
            f"{source} has {image.width}×{image.height} pixels, the limit is {MAX_PIXELS}",
            hint="cut the image and its mask into tiles",
        )
    return image


def _indices(image: Image.Image, data: bytes, source: str) -> Labels:
    if image.mode in {"1", "L", "P"}:
        labels = np.asarray(image).astype(np.uint8)
        # Pillow stretches greys of 2 and 4 bits to 0..255; byte 24 is the depth.
        if image.format == "PNG" and image.mode == "L" and data[24] in _PNG_GREY_STEPS:
            labels //= np.uint8(_PNG_GREY_STEPS[data[24]])
        return labels
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64)
        if wide.min() >= 0 and wide.max() <= 65535:
            return wide.astype(np.uint16)
    raise DatasetError(
        f"{source} is a mask of mode {image.mode}, not one channel of 8 or 16 bits",
        hint="save it as greyscale or with a palette: 0 background, 1, 2, … the objects, 255 ignore"
        "; where every coloured pixel is one object, use the layout img-gt",
    )


def _brightest(data: bytes, source: str) -> ByteMap:
    """Each pixel's largest channel; opacity does not count."""
    image = _open(data, source)
    if image.mode.startswith(("I", "F")):
        raise DatasetError(
            f"{source} is a mask of mode {image.mode}, where 8 bits are expected",
            hint="for masks that number objects, use the layout folder",
        )
    if image.mode in {"1", "L"}:
        return np.asarray(image.convert("L"))
    grey: ByteMap = np.asarray(image.convert("RGB")).max(axis=2)
    return grey
