"""Origins: where a token may be sent."""

from __future__ import annotations

from urllib3.util import parse_url

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Default port of each scheme that images are fetched by."""


def origin(url: str) -> tuple[str, str, int]:
    r"""Scheme, host and port of an http(s) URL, for comparing origins.

    Parsed by urllib3, which also makes the connection: ``urlsplit`` takes
    ``http://evil\@studio/`` for a URL on ``studio``, urllib3 for one on ``evil``.

    Raises:
        ValueError: The URL is not valid.
    """
    parts = parse_url(url)
    scheme = parts.scheme or ""
    port = parts.port or DEFAULT_PORTS.get(scheme, 0)
    return scheme, (parts.host or "").strip("[]").lower(), port
