"""Where a task's images are: where each is fetched, and what its file is called."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from edgeflow.data.files import IMAGES
from edgeflow.data.task_images import image_names
from edgeflow.errors import EdgeFlowError, brief
from edgeflow.label_studio.config.label_config import LabelConfig

CLOUD_SCHEMES = ("s3", "gs", "azure-blob")
DIGEST_LENGTH = 16
NAME_BYTES = 120
"""Longest part of a file's name that comes from a location; file systems allow 255 in all."""

EXTENSIONS = {
    "AVIF": ".avif", "BMP": ".bmp", "GIF": ".gif", "JPEG": ".jpg", "JPEG2000": ".jp2",
    "PNG": ".png", "PPM": ".ppm", "TIFF": ".tif", "WEBP": ".webp",
}  # fmt: skip
"""By the name of a format, for locations that do not end in an image's extension."""

_UNWANTED = re.compile(r"[^\w.()+ -]|^[. ]+|[. ]+$")
_BASE64 = re.compile(r"; *base64 *$", re.IGNORECASE)


class PictureError(EdgeFlowError):
    """An image that cannot be fetched."""

    code = "picture"


class TooLargeError(PictureError):
    """An image of more bytes than the limit."""


def shown_images(config: LabelConfig, data: Mapping[str, Any]) -> list[str]:
    """The locations of all images that a task shows, each once.

    Raises:
        LabelConfigError: The task makes too much of the config.
    """
    found: dict[str, None] = {}
    for tag in config.for_task(data).images:
        value = tag.shown(data)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and each:
                found[each] = None
    return list(found)


def digest_of(location: str) -> str:
    """What a file's name begins with: it keeps apart what has the same name elsewhere."""
    return hashlib.sha256(location.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]


def file_name(location: str, format_name: str) -> str:
    """What the image at a location is called in the folder: no path, never hidden.

    Args:
        location: As it stands in the task.
        format_name: The image's format; a key of :data:`EXTENSIONS`.
    """
    name = _UNWANTED.sub("_", _last_part(location)).encode("utf-8", "ignore")
    path = PurePosixPath(name[-NAME_BYTES:].decode("utf-8", "ignore"))
    kept = path.suffix.lower() in IMAGES
    stem = f"-{path.stem}" if path.name else ""
    return digest_of(location) + stem + (path.suffix if kept else EXTENSIONS[format_name])


def _last_part(location: str) -> str:
    if location.startswith("data:"):
        return ""
    for name in image_names(location)[:1]:
        return name.rpartition("/")[2]
    try:
        return unquote(urlsplit(location).path).rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def url_of(location: str, label_studio_url: str, task: int) -> str:
    """The URL under which a location is fetched.

    Args:
        location: A path on Label Studio (uploads, local files), a cloud URI, or an http(s) URL.
        label_studio_url: Label Studio's URL without a trailing slash.
        task: Id of the task; Label Studio resolves cloud URIs for one.

    Raises:
        PictureError: It is something else.
    """
    scheme = location.partition("://")[0]
    if scheme in CLOUD_SCHEMES:
        code = base64.urlsafe_b64encode(location.encode("utf-8", "surrogatepass")).decode()
        return f"{label_studio_url}/tasks/{task}/presign/?fileuri={code}"
    if scheme.lower() in ("http", "https"):
        return location
    if location.startswith("/"):
        below = urlsplit(label_studio_url).path
        if below and location.startswith(f"{below}/"):
            return label_studio_url.removesuffix(below) + location
        return label_studio_url + location
    raise PictureError(
        f"locations of this kind ({brief(location, 20)!a}) cannot be fetched",
        hint="uploads, local files, cloud storage and http(s) URLs can",
    )


def too_large(limit: int) -> TooLargeError:
    """The error for an image of more bytes than the limit."""
    return TooLargeError(f"larger than {limit / 1e6:g} MB", hint="raise --max-image-mb")


def inline_image(location: str, limit: int) -> bytes:
    """The bytes in a ``data:`` URI.

    Raises:
        PictureError: They are not base64; as TooLargeError, more than the limit.
    """
    header, _, payload = location.partition(",")
    if len(payload) > limit * 4:  # base64 in percent code takes 4 characters a byte
        raise too_large(limit)
    data = unquote_to_bytes(payload)
    if _BASE64.search(header):
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise PictureError("an inline image is not valid base64") from error
    if len(data) > limit:
        raise too_large(limit)
    return data


def renamed(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """A task's data with each location replaced by what its file is called."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    if isinstance(value, dict):
        return {key: renamed(each, names) for key, each in value.items()}
    return value
