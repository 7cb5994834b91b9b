"""From the image URL in a task to a source that can be fetched."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from edgeflow.errors import brief
from edgeflow.label_studio.config.controls import ImageTag
from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.origins import DEFAULT_PORTS
from edgeflow_backend.net.public_url import NO_PUBLIC_URL, PublicURL

_BASE64 = re.compile(r"; *base64 *$", re.IGNORECASE)
_DROPPED = dict.fromkeys(map(ord, "\t\n\r"))
"""Characters that browsers take out of a URL."""
_STANDARD_BASE64 = bytes.maketrans(b"-_", b"+/")
_CLOUD_SCHEMES = ("s3", "gs", "azure-blob")
_SCHEME = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,15})(?=://)|(?:https?|ftp|file|blob|javascript)(?=:)"
)


@dataclass(frozen=True)
class InlineSource:
    """An image inside the task, as a ``data:`` URI."""

    data: bytes

    @property
    def key(self) -> str:
        """Cache key."""
        return f"data:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True)
class WebSource:
    """An image at an http(s) URL.

    Attributes:
        url: URL that is fetched.
        host: Name of the configured Label Studio whose task has the image; empty for the default.
    """

    url: str
    host: str = ""

    @property
    def named(self) -> str:
        """URL that names it in words."""
        return self.url

    @property
    def key(self) -> str:
        """Cache key, with the host: its tasks must not open images that only another's may see."""
        return f"{self.host} {self.url}" if self.host else self.url


@dataclass(frozen=True)
class CloudSource:
    """An image in a cloud storage of Label Studio, fetched through Label Studio.

    Label Studio answers ``url`` with a redirect to a pre-signed URL or, depending on the storage,
    with the image itself (``io_storages/proxy_api.py`` in Label Studio 1.23).
    """

    uri: str
    label_studio_url: str
    task_id: int
    host: str = ""

    @property
    def url(self) -> str:
        """URL under which Label Studio resolves the URI."""
        code = base64.urlsafe_b64encode(self.uri.encode("utf-8", "surrogatepass")).decode()
        return f"{self.label_studio_url}/tasks/{self.task_id}/presign/?fileuri={code}"

    @property
    def named(self) -> str:
        """URI that names it in words; the URL has another's name at its end."""
        return self.uri

    @property
    def key(self) -> str:
        """Cache key; the pre-signed URL cannot serve as one, since it changes each time.

        With the task, whose project decides which storage, and whose bucket, the URI means.
        """
        return f"{self.host} {self.label_studio_url} {self.task_id} {self.uri}"


Source = InlineSource | WebSource | CloudSource


@dataclass(frozen=True)
class AsStored:
    """An image that is not to be turned, whatever its orientation says."""

    source: Source

    @property
    def key(self) -> str:
        """Cache key."""
        return f"as stored {self.source.key}"


PREPARED_IMAGES = 8
"""Images of one tag that are fetched when a task is opened."""


def first_images(data: dict[str, Any], tags: Iterable[ImageTag]) -> Iterator[str]:
    """URLs of the images that a task shows first; whatever else its data holds is passed over.

    Args:
        data: Task data.
        tags: Image tags of the labelling config.
    """
    for tag in tags:
        value = tag.shown(data)
        for url in value[:PREPARED_IMAGES] if isinstance(value, list) else [value]:
            if isinstance(url, str):
                yield url


def task_image(data: dict[str, Any], tag: ImageTag, item_index: int | None) -> str:
    """The image URL in a task's data.

    Args:
        data: Task data.
        tag: Image tag of the labelling config.
        item_index: Index of the image if the tag shows several; None for the first.

    Raises:
        FetchError: The task has no image where the tag says, or not at that index.
    """
    key = brief(tag.value.removeprefix("$"))
    value = tag.shown(data)
    if isinstance(value, list):
        index = item_index or 0
        if index >= len(value):
            raise FetchError(
                f"the task's '{key}' has {len(value)} images, number {index + 1} was requested",
                hint="reload the task in Label Studio",
            )
        value = value[index]
    if not isinstance(value, str) or not value:
        raise FetchError(
            f"the task's data has no image under '{key}'",
            hint=f"the Image tag '{brief(tag.name)}' has value=\"{brief(tag.value)}\"; "
            "check the task's data",
        )
    return value


def locate(
    url: str,
    label_studio_url: str,
    *,
    max_bytes: int,
    public_url: PublicURL = NO_PUBLIC_URL,
    host: str = "",
    task_id: object = None,
) -> Source:
    """Decide how an image is fetched.

    Args:
        url: ``data:`` URI, http(s) URL, cloud URI, or a path on Label Studio.
        label_studio_url: URL without a trailing slash; empty if not configured.
        max_bytes: Limit of an inline image.
        public_url: Where annotators open that Label Studio; images there are fetched from
            ``label_studio_url``.
        host: Name of that Label Studio; empty for the default one.
        task_id: Task id as in the task; cloud URIs are resolved for a task.

    Raises:
        FetchError: The image cannot be fetched, and why.
    """
    url = url.strip()
    if url[:5].lower() == "data:":
        return InlineSource(_decode_data_uri(url, max_bytes))
    if url.startswith(tuple(f"{scheme}://" for scheme in _CLOUD_SCHEMES)):
        return _locate_in_cloud(url, label_studio_url, host, task_id)
    inside = public_url.inside(url, label_studio_url)
    if inside is not None:
        if not label_studio_url:
            raise FetchError(
                "the image is stored in Label Studio, whose URL is not configured",
                hint="set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY for the backend",
            )
        return WebSource(inside, host)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        match = _SCHEME.match(url)  # not more: what stands before a colon may be a user's name
        scheme = match[0] if match else "no scheme"
        raise FetchError(
            f"image URLs of this kind ({scheme}) are not supported",
            hint="use uploads, http(s) URLs, or a cloud storage of Label Studio",
        )
    return WebSource(url, host)


def _locate_in_cloud(uri: str, label_studio_url: str, host: str, task_id: object) -> CloudSource:
    scheme = uri.split(":", 1)[0]
    if not label_studio_url:
        raise FetchError(
            f"images in cloud storage ({scheme}) are fetched through Label Studio, whose URL is "
            "not configured",
            hint="set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY for the backend",
        )
    number = str(task_id)
    if not (number.isascii() and number.isdecimal()):
        raise FetchError(
            f"images in cloud storage ({scheme}) are fetched through Label Studio for a task, "
            "and this task has no id",
            hint="save the task in Label Studio before clicking on it",
        )
    return CloudSource(uri, label_studio_url, int(number), host)


def _decode_data_uri(uri: str, max_bytes: int) -> bytes:
    """Bytes of a ``data:`` URI, as browsers read it (fetch.spec.whatwg.org#data-urls).

    URL-safe base64, which browsers refuse, is read as well: it has one meaning only.
    """
    header, comma, payload = uri.translate(_DROPPED).partition(",")
    if not comma:
        raise FetchError("the image's data: URI has no data", hint="check the task's data")
    if len(payload) > max_bytes * 4:  # base64 in percent code takes 4 characters a byte
        raise _inline_too_large(max_bytes)
    data = unquote_to_bytes(payload.partition("#")[0])
    if _BASE64.search(header):
        code = data.translate(_STANDARD_BASE64, b" \t\n\f\r").rstrip(b"=")
        try:
            data = base64.b64decode(code + b"=" * (-len(code) % 4), validate=True)
        except binascii.Error as error:
            raise FetchError(
                "the image's data: URI is not valid base64", hint="check the task's data"
            ) from error
    if len(data) > max_bytes:
        raise _inline_too_large(max_bytes)
    return data


def _inline_too_large(max_bytes: int) -> FetchError:
    return FetchError(
        f"the image's data: URI is longer than {max_bytes} bytes allow",
        hint="upload the image instead, or raise EDGEFLOW_MAX_IMAGE_MB",
    )
