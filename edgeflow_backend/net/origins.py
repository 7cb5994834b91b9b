"""URLs' parts that decide about secrets: the origin a token may be sent to, and a login inside."""

from __future__ import annotations

import re
from urllib.parse import unquote

from urllib3.util import parse_url

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Default port of each scheme that images are fetched by."""


_LOGIN = re.compile(r"(?P<scheme>\s*[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^/?#\\]*)@")


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


def split_login(url: str) -> tuple[str, str]:
    r"""Part a URL from its user and password.

    Args:
        url: ``http://user:password@host/path``, with or without the login; any other text is left
            as it is.

    Returns:
        ``("http://host/path", "user:password")``, the login decoded, and empty if there is none.
    """
    match = _LOGIN.match(url)
    if match is None:
        return url, ""
    user, _, password = match["login"].partition(":")
    return match["scheme"] + url[match.end() :], f"{unquote(user)}:{unquote(password)}"
