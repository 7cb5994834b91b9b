"""The kinds of pictures that are cut, one row each, and the one entrance for them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from edgeflow.images.formats import describe, format_of
from edgeflow.images.png import SIGNATURE
from edgeflow.tiles.errors import TilesError
from edgeflow.tiles.sources.plain import PlainSource
from edgeflow.tiles.sources.source import Choice, Source

HEAD_BYTES = 4096
MAX_INTERLACED_BYTES = 400_000_000


class Kind(NamedTuple):
    """A kind of picture.

    Attributes:
        format: As in :data:`edgeflow.images.FORMATS`, told by the first bytes.
        driver: GDAL's, which reads it in windows with the extra; empty where Pillow reads it whole.
    """

    format: str
    driver: str


KINDS = {
    kind.format: kind
    for kind in (
        Kind("TIFF", "GTiff"),
        Kind("PNG", "PNG"),
        Kind("JPEG", "JPEG"),
        Kind("WEBP", ""),
        Kind("BMP", ""),
        Kind("GIF", ""),
        Kind("AVIF", ""),
        Kind("PPM", ""),
    )
}
"""Cloud-optimised GeoTIFFs and most whole-slide pictures are TIFFs. GDAL is given no other driver:
others open what a file names, such as a VRT's pictures or URLs."""


def has_extra() -> bool:
    """Whether the extra ``geo`` is installed."""
    return all(find_spec(name) is not None for name in ("rasterio", "pyogrio"))


def open_source(path: Path, choice: Choice) -> Source:
    """Open a picture.

    Args:
        path: A local file.
        choice: What is shown of it.

    Raises:
        TilesError: It is none, or cannot be cut.
    """
    head = _head(path)
    found = format_of(head)
    kind = KINDS.get(found.name) if found is not None else None
    if kind is None:
        raise _unknown(path, found.name if found is not None else "", head)
    if not kind.driver or not has_extra():
        return PlainSource(path, choice, windowed=bool(kind.driver))
    if head.startswith(SIGNATURE) and head[28:29] == b"\1":
        _check_interlaced(path, head)
    from edgeflow.tiles.sources.raster import RasterSource  # noqa: PLC0415 - of an extra

    return RasterSource(path, kind.driver, choice)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise TilesError(f"{path} is a folder", hint="name its files, such as FOLDER/*.tif")
    if not path.is_file():
        raise TilesError(
            f"there is no file {path}", hint="name a local file: nothing is fetched over the net"
        )
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _unknown(path: Path, name: str, head: bytes) -> TilesError:
    what = describe(head) if not name else f"it is a {name} image"
    if what == "it is empty":
        return TilesError(f"{path.name} is empty", hint="fetch it again from where it came")
    if head.lstrip().startswith(b"<VRTDataset"):
        what = "it is a VRT, which names other files"
    return TilesError(
        f"{path.name} is none of {', '.join(KINDS)}" + (f": {what}" if what else ""),
        hint=f"make a GeoTIFF of it first: `gdal_translate {path.name} OUT.tif -co TILED=YES`",
    )


def _check_interlaced(path: Path, head: bytes) -> None:
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if width * height * 4 > MAX_INTERLACED_BYTES:
        raise TilesError(
            f"{path.name} is an interlaced PNG of {width}×{height} pixels, which can only be read "
            "whole",
            hint="save it without interlacing",
        )
