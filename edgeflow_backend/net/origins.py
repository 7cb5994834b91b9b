"""Origins: where a token may be sent."""

from __future__ import annotations

from urllib3.util import parse_url

_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int]:
    r"""Scheme, host and port of an http(s) URL, for comparing origins.

    Read as urllib3 reads it, which makes the connection: ``urlsplit`` takes
    ``http://evil\@studio/`` for an address of ``studio``, urllib3 for one of ``evil``.

    Raises:
        ValueError: no valid URL.
    """
    parts = parse_url(url)
    scheme = parts.scheme or ""
    port = parts.port or _DEFAULT_PORTS.get(scheme, 0)
    return scheme, (parts.host or "").strip("[]").lower(), port
