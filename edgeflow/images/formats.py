"""The formats that are read, and those that are refused by name, one row each.

An allow-list, told by the first bytes, because some of Pillow's decoders run other programs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from edgeflow.errors import ImageTooLargeError

MAX_PIXELS = 80_000_000
"""Default pixel cap: 240 MB once decoded."""


class Format(NamedTuple):
    """A format that is read.

    Attributes:
        name: As users know it.
        start: Matches the first bytes of its files.
        reader: Pillow's class; taken itself, since ``Image.open`` has a pixel limit of its own,
            and reads a phone's JPEG of several images (MPO) as another format.
    """

    name: str
    start: re.Pattern[bytes]
    reader: type[ImageFile.ImageFile]


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


_READ = (
    Format("AVIF", _starts(rb"....ftyp(?:avif|avis|(?:mif1|msf1|miaf)(?:....)+?(?:avif|avis))"),
           AvifImagePlugin.AvifImageFile),
    Format("BMP", _starts(rb"BM"), BmpImagePlugin.BmpImageFile),
    Format("GIF", _starts(rb"GIF8[79]a"), GifImagePlugin.GifImageFile),
    Format("JPEG", _starts(rb"\xff\xd8\xff"), JpegImagePlugin.JpegImageFile),
    Format("JPEG2000", _starts(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
           Jpeg2KImagePlugin.Jpeg2KImageFile),
    Format("PNG", _starts(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
    Format("PPM", _starts(rb"P[1-6fy]"), PpmImagePlugin.PpmImageFile),
    Format("TIFF", _starts(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"), TiffImagePlugin.TiffImageFile),
    Format("WEBP", _starts(rb"RIFF....WEBP"), WebPImagePlugin.WebPImageFile),
)  # fmt: skip

FORMATS = tuple(each.name for each in _READ)
"""Names of the supported formats."""

_NAMED = (
    ("it is an HEIC image", _starts(rb"....ftyp(?:hei[cfmsx]|hev[cmsx]|mif1|msf1|miaf)")),
    ("it is a Canon CR3 raw image", _starts(rb"....ftypcrx ")),
    ("it is a video", _starts(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ")),
    ("it is a JPEG XL image", _starts(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n")),
    ("it is a PAM image", _starts(rb"P7\s")),
    ("it is a PFM image in colour", _starts(rb"PF\s")),
    ("it is a PDF document", _starts(rb"%PDF-")),
    ("it is an EPS or PostScript file", _starts(rb"%!PS|\xc5\xd0\xd3\xc6")),
    ("it is a Photoshop document (PSD)", _starts(rb"8BPS")),
    ("it is an icon (ICO)", _starts(rb"\0\0[\1\2]\0[^\0]\0")),
    ("it is an icon (ICNS)", _starts(rb"icns")),
    ("it is a DICOM file", _starts(rb".{128}DICM")),
    ("it is an OpenEXR image", _starts(rb"\x76\x2f\x31\x01")),
    ("it is a Radiance HDR image", _starts(rb"#\?(?:RADIANCE|RGBE)")),
    ("it is a DirectDraw surface (DDS)", _starts(rb"DDS ")),
    ("it is a JPEG XR image", _starts(rb"II\xbc")),
    ("it is a raw photograph", _starts(rb"IIRO|IIU\0|FUJIFILM|FOVb|\0MRM")),
    ("it is a GIMP document (XCF)", _starts(rb"gimp xcf")),
    ("it is a ZIP archive", _starts(rb"PK\x03\x04")),
    ("it is an HTML page, perhaps a login page",
     re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)),
    ("it is an SVG drawing", re.compile(
        rb"(?:\xef\xbb\xbf)?\s*<(?:.*?<)?(?:\w{1,20}:)?svg[\s>/]", re.IGNORECASE | re.DOTALL)),
    ("it looks like XML", re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml", re.IGNORECASE)),
    ("it looks like JSON", re.compile(rb"\s*[{\[]")),
)  # fmt: skip
"""What is told by name, with how it starts; the first row that fits counts."""

_HEAD_BYTES = 4096


def format_of(data: bytes) -> Format | None:
    """The format of a file; None if it is not read."""
    head = data[:_HEAD_BYTES]
    return next((each for each in _READ if each.start.match(head)), None)


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse an image with too many pixels.

    Raises:
        ImageTooLargeError: More than ``max_pixels``.
    """
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"the image has {width}×{height} pixels, the limit is {max_pixels} "
            f"(these are {width * height})",
            hint="resize the image, cut it up with `edgeflow tile`, or raise the pixel limit",
        )


def describe(data: bytes) -> str:
    """What a file that is not read is, as half a sentence; empty if that is not known."""
    head = data[:_HEAD_BYTES]
    if not head.strip():
        return "it is empty" if len(data) <= _HEAD_BYTES else ""
    return next((name for name, start in _NAMED if start.match(head)), "")
