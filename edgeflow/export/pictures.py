"""Pictures: read where they are, and brought to where trainers look for them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from edgeflow.annotated import Picture
from edgeflow.arrays import RGBImage
from edgeflow.data.base import Dataset
from edgeflow.data.files import image_for, read_bytes
from edgeflow.geometry import Size
from edgeflow.images.formats import format_of
from edgeflow.images.orientation import UPRIGHT

Bring = Literal["auto", "copy", "link", "leave"]
"""What becomes of pictures: ``auto`` copies where a format is of no use without them."""

JPEG = b"\xff\xd8\xff"
ORIENTATION = 0x0112
"""Tag of EXIF."""

QUALITY = 95
"""Of a JPEG that is saved again."""


@dataclass(frozen=True)
class FilePicture:
    """A picture in a file.

    Attributes:
        path: Of the file.
        size: That the objects are for.
    """

    path: Path
    size: Size

    def file(self) -> bytes:
        """Its content."""
        return read_bytes(self.path)

    def rgb(self) -> RGBImage:
        """See :meth:`edgeflow.annotated.Picture.rgb`."""
        return image_for(self.file(), self.size, self.path.name, "its annotation")

    def stamp(self) -> str:
        """Path, length and time of the file."""
        try:
            about = self.path.stat()
        except OSError:
            return ""
        return f"{self.path.resolve()} {about.st_size} {about.st_mtime_ns}"


@dataclass(frozen=True, eq=False)
class SamplePicture:
    """A picture that has no file of its own, as in a tar: it is read from its dataset each time.

    Attributes:
        dataset: The dataset.
        index: Of the sample.
    """

    dataset: Dataset
    index: int

    @property
    def path(self) -> None:
        """There is no file."""
        return

    def file(self) -> None:
        """There is no file."""
        return

    def rgb(self) -> RGBImage:
        """See :meth:`edgeflow.annotated.Picture.rgb`."""
        return self.dataset[self.index].rgb

    def stamp(self) -> str:
        """Digest of the pixels."""
        return hashlib.sha256(self.rgb().tobytes()).hexdigest()


class Copy(NamedTuple):
    """What is written for a picture.

    Attributes:
        data: The file.
        suffix: Its extension, if that of the picture does not fit.
        original: The very same file, to link to; None if there is none.
    """

    data: bytes
    suffix: str | None = None
    original: Path | None = None


def copy_of(picture: Picture) -> Copy:
    """What is written for a picture.

    Most are copied byte for byte. One that EXIF turns is saved upright, in the orientation of its
    objects, since trainers differ in whether they turn it; one without a file becomes a PNG.

    Raises:
        DatasetError: It cannot be read.
    """
    data = picture.file()
    if data is None:
        return Copy(encoded(picture.rgb(), "PNG"), ".png")
    if not _turned(data):
        return Copy(data, original=picture.path if isinstance(picture, FilePicture) else None)
    if data.startswith(JPEG):
        return Copy(encoded(picture.rgb(), "JPEG"))
    return Copy(encoded(picture.rgb(), "PNG"), ".png")


def _turned(data: bytes) -> bool:
    """Whether some reader may turn the picture: EXIF of any format counts."""
    kind = format_of(data)
    if kind is None:
        return False
    try:
        orientation = kind.reader(io.BytesIO(data)).getexif().get(ORIENTATION, UPRIGHT)
    except Exception:  # noqa: BLE001 - decoders raise almost anything on damaged or hostile bytes
        return False
    return bool(orientation != UPRIGHT)


def encoded(rgb: RGBImage, kind: Literal["JPEG", "PNG"]) -> bytes:
    """An H×W×3 picture as a file."""
    buffer = io.BytesIO()
    options = {"quality": QUALITY, "subsampling": 0} if kind == "JPEG" else {"compress_level": 4}
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, kind, **options)
    return buffer.getvalue()
