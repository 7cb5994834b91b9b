"""Under which URLs a Label Studio finds the images of new tasks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from edgeflow.annotated import AnnotatedImage
from edgeflow.errors import EdgeFlowError
from edgeflow.images import decode_image
from edgeflow.images.formats import format_of

LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves files of its own machine: below LOCAL_FILES_DOCUMENT_ROOT."""

ORIENTATION = 0x0112
"""The tag in EXIF."""

_LYING = frozenset({5, 6, 7, 8})


class ImageURLError(EdgeFlowError):
    """An image that no task can show."""

    code = "image_url"


class ImageURLs(Protocol):
    """A rule for images' URLs."""

    def url(self, image: AnnotatedImage) -> str:
        """The URL under which Label Studio finds an image.

        Raises:
            ImageURLError: There is none.
        """
        ...


@dataclass(frozen=True)
class BelowPrefix:
    """A prefix and the image's name in the dataset, in percent code.

    Attributes:
        prefix: Such as ``https://host/images/``, or ``/data/local-files/?d=images/``.
    """

    prefix: str = LOCAL_FILES

    def url(self, image: AnnotatedImage) -> str:
        """See :class:`ImageURLs`."""
        return self.prefix + _quoted(image.file_name)


@dataclass(frozen=True)
class BelowRoot:
    """Label Studio's local files: the path of the image's file below a folder.

    Attributes:
        root: Label Studio's LOCAL_FILES_DOCUMENT_ROOT, as this machine sees it.
    """

    root: Path

    def url(self, image: AnnotatedImage) -> str:
        """See :class:`ImageURLs`."""
        path = file_of(image).resolve()
        root = self.root.resolve()
        if not path.is_relative_to(root):
            raise ImageURLError(
                f"its file {path} is not below {root}",
                hint="name the folder that Label Studio serves with --local-files",
            )
        return LOCAL_FILES + _quoted(path.relative_to(root).as_posix())


def _quoted(name: str) -> str:
    """A relative path in percent code; names of files may be any bytes."""
    return quote(name.encode("utf-8", "surrogateescape"), safe="/")


def file_of(image: AnnotatedImage) -> Path:
    """The file of an image.

    Raises:
        ImageURLError: It is not at hand, or a part of another file.
    """
    if image.path is None:
        raise ImageURLError(
            "its file is not at hand, or in a tar",
            hint="name its folder with --images, or its URL with --image-url-prefix",
        )
    return image.path


def check_upright(image: AnnotatedImage) -> None:
    """Refuse an image whose annotation was made in another orientation than browsers show.

    Some published masks were made by tools that do not know EXIF. They fit the image as stored, and
    would lie across the one that the editor shows.

    Raises:
        ImageURLError: It is such an image.
    """
    if not is_upright(image):
        raise ImageURLError(
            "its masks fit the image as it is stored, and its EXIF orientation turns it in the "
            "editor",
            hint="save the image without that orientation",
        )


def is_upright(image: AnnotatedImage) -> bool:
    """Whether the editor shows an image in the size of its annotation, as far as can be told."""
    if image.path is None:
        return True
    try:
        data = image.path.read_bytes()
        kind = format_of(data)
        if kind is None or not _LYING & {kind.reader(io.BytesIO(data)).getexif().get(ORIENTATION)}:
            return True
        return decode_image(data).shape[:2] == image.size
    except Exception:  # noqa: BLE001 - decoders raise almost anything; who reads it will tell
        return True
