"""From what a task says of its picture to an address that can be fetched."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from edgeflow_backend.errors import FetchError
from edgeflow_backend.label_config import ImageTag

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class InlineSource:
    """A picture that came inside the task as a ``data:`` URI."""

    data: bytes

    @property
    def key(self) -> str:
        """What the picture is cached under."""
        return f"data:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True)
class WebSource:
    """A picture at an http(s) address."""

    url: str

    @property
    def key(self) -> str:
        """What the picture is cached under."""
        return self.url


Source = InlineSource | WebSource


def task_image(data: dict[str, Any], tag: ImageTag, item_index: int | None) -> str:
    """The picture's address in a task's data.

    Raises:
        FetchError: the task has none under the tag's key, or not at that index.
    """
    value = data.get(tag.key)
    if isinstance(value, list):
        index = item_index or 0
        if index >= len(value):
            raise FetchError(
                f"the task's '{tag.key}' has {len(value)} pictures, number {index + 1} was asked",
                hint="reload the task in Label Studio",
            )
        value = value[index]
    if not isinstance(value, str) or not value:
        raise FetchError(
            f"the task's data has no picture under '{tag.key}'",
            hint=f"the Image tag '{tag.name}' says value=\"${tag.key}\"; check the task's data",
        )
    return value


def locate(address: str, label_studio_url: str, *, max_bytes: int) -> Source:
    """Decide how a picture's address is fetched.

    Args:
        address: ``data:`` URI, http(s) URL, or a path on the Label Studio host.
        label_studio_url: without a trailing slash; empty when not configured.
        max_bytes: cap of an inline picture.

    Raises:
        FetchError: the address cannot be fetched, and why.
    """
    address = address.strip()
    if address[:5].lower() == "data:":
        return InlineSource(_decode_data_uri(address, max_bytes))
    if address.startswith("/") and not address.startswith("//"):
        if not label_studio_url:
            raise FetchError(
                "the picture lies in Label Studio, whose address is not configured",
                hint="set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY for the backend",
            )
        # Label Studio below a path (https://host/labels) may or may not repeat it in addresses.
        prefix = urlsplit(label_studio_url).path
        base = label_studio_url.removesuffix(prefix) if prefix else label_studio_url
        below = address if address.startswith(f"{prefix}/") else f"{prefix}{address}"
        return WebSource(f"{base}{below}")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        scheme = address.split(":", 1)[0][:16] if ":" in address else "no scheme"
        raise FetchError(
            f"pictures with addresses of this kind ({scheme}) are not supported",
            hint="use uploads, http(s) addresses, or cloud storage with pre-signed URLs",
        )
    return WebSource(address)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http(s) URL, for comparing origins.

    Raises:
        ValueError: no valid URL.
    """
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return parts.scheme, (parts.hostname or "").lower(), port


def _decode_data_uri(uri: str, max_bytes: int) -> bytes:
    header, comma, payload = uri.partition(",")
    if not comma:
        raise FetchError("the picture's data: URI has no data", hint="check the task's data")
    if len(payload) > max_bytes * 4:  # nothing larger can unpack to the limit
        raise _inline_too_large(max_bytes)
    try:
        data = unquote_to_bytes(payload)
        if header.lower().endswith(";base64"):
            data = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError) as error:
        raise FetchError(
            "the picture's data: URI is not valid base64", hint="check the task's data"
        ) from error
    if len(data) > max_bytes:
        raise _inline_too_large(max_bytes)
    return data


def _inline_too_large(max_bytes: int) -> FetchError:
    return FetchError(
        f"the picture's data: URI is longer than {max_bytes} bytes allow",
        hint="upload the picture instead, or raise EDGEFLOW_MAX_IMAGE_MB",
    )
