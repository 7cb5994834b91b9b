"""Names and sizes of images, with or without their files."""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from edgeflow.data.base import DatasetError
from edgeflow.data.files import image_for, read_bytes
from edgeflow.data.task_images import image_names
from edgeflow.geometry import Size
from edgeflow.images.formats import format_of

UPLOADS = "/data/upload/"

_CLEANED = re.compile(r"[\x00-\x1f\x7f-\x9f\\:\ud800-\udfff]")
"""What no file's name should hold."""


def size_of(file: Path | None, drawn_on: Sequence[Size | None]) -> Size:
    """The size of an image in the orientation that its regions were drawn in.

    Args:
        file: The image, if it is at hand; its size is the one that counts.
        drawn_on: Size that each region is for, where it says so.

    Raises:
        DatasetError: The file is not readable, or no region is for its size; without a file,
            regions are for different sizes, or none says for which.
    """
    counts = Counter(size for size in drawn_on if size is not None)
    sizes: list[Size | None] = [size for size, _ in counts.most_common()]
    if file is None:
        if len(counts) == 1:
            return next(iter(counts))
        reason = "its regions are for different sizes" if sizes else "its size is not known"
        raise DatasetError(
            f"an image that is not at hand: {reason}", hint="name its folder with --images"
        )
    data = read_bytes(file)
    stored = _stored_size(data)
    if stored is not None and stored in counts:
        return stored
    *others, last = sizes or [None]
    for size in others:
        with contextlib.suppress(DatasetError):
            return _decoded_size(data, size, file)
    return _decoded_size(data, last, file)


def _decoded_size(data: bytes, size: Size | None, file: Path) -> Size:
    return Size(*image_for(data, size, file.name, "its annotation").shape[:2])


def _stored_size(data: bytes) -> Size | None:
    """The size in a file's header, quickly; None if that is not so simple."""
    kind = format_of(data)
    if kind is None:
        return None
    try:
        image = kind.reader(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - decoders raise almost anything on damaged or hostile bytes
        return None
    return Size(image.height, image.width)


def file_name_of(location: str, task: str, number: int) -> str:
    """What to call an image that is not at hand.

    Uploads are called as Label Studio stores them, such as ``0a1b2c3d-cat.jpg``; all others by the
    path in their URL or storage, so that two images of one name stay apart.

    Args:
        location: Path or URL; perhaps without any name, as inline images are.
        task: Id of the task, which the image is called after if it has no name.
        number: The image's in the task, from 1.
    """
    for name in image_names(location)[:1]:
        return _CLEANED.sub("_", name.rpartition("/")[2] if UPLOADS in location else name)
    try:
        path = "" if location.startswith("data:") else unquote(urlsplit(location).path)
    except ValueError:
        path = ""
    last = _CLEANED.sub("_", path.rpartition("/")[2])
    return f"{task}-{number}-{last}" if last else f"{task}-{number}"
