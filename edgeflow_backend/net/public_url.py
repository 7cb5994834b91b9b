"""Label Studio's two URLs: where annotators open it, and where the backend reaches it.

Behind a reverse proxy or in Docker they differ. Tasks may hold the public one, which the backend
may not reach, and at which no token may be sent: such images are fetched from the inside URL.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from urllib3.util import parse_url

from edgeflow_backend.net.label_studio_host import http_url
from edgeflow_backend.net.origins import DEFAULT_PORTS

MAX_LENGTH = 2000
"""Longest public URL that is read from a request."""

_FILES = re.compile(r"/(?:api|data|projects|static|storage-data|tasks)/")
"""Where Label Studio serves files; the rest of its host may be another program's."""

_UPLOADS = re.compile(r"/data/(?:upload|local-files)/|/storage-data/uploaded/")


class PublicURL(NamedTuple):
    """The URL of Label Studio that annotators open.

    Attributes:
        host: Its host; empty if only the path is known.
        port: Its port; 0 for the default one of its scheme. ``http`` and ``https`` at their default
            ports are the same Label Studio, one redirecting to the other.
        prefix: Path below which it is served, without a trailing slash; empty for none.
    """

    host: str = ""
    port: int = 0
    prefix: str = ""

    @classmethod
    def parse(cls, url: object) -> PublicURL:
        """Parse a URL, from the settings or from ``/setup``, whose word is not trusted.

        Returns:
            What it says; nothing for anything but an http(s) URL or an absolute path.
        """
        if not isinstance(url, str) or len(url) > MAX_LENGTH:
            return cls()
        url = url.strip().rstrip("/")
        if url.startswith("/") and not url.startswith("//"):  # LABEL_STUDIO_HOST=/labels
            return cls(prefix=url)
        try:
            parts = parse_url(http_url(url))
        except ValueError:
            return cls()
        return cls(
            parts.host or "", _port(parts.scheme, parts.port), (parts.path or "").rstrip("/")
        )

    def inside(self, url: str, label_studio_url: str) -> str | None:
        """Where the backend fetches something that Label Studio serves.

        Args:
            url: A path on Label Studio (``/data/upload/1/a.jpg``), or any URL.
            label_studio_url: Label Studio's URL without a trailing slash, as the backend reaches
                it; empty if that is not known.

        Returns:
            A URL below ``label_studio_url``; None if ``url`` does not lead to Label Studio.
        """
        path = url if url.startswith("/") and not url.startswith("//") else self._path(url)
        if path is None:
            return None
        without = path.removeprefix(self.prefix)
        if self.prefix and _FILES.match(without):
            path = without
        # Label Studio below a path (https://host/labels) may or may not repeat it in its URLs.
        prefix = parse_url(label_studio_url).path or ""
        base = label_studio_url.removesuffix(prefix)
        return f"{base}{path}" if path.startswith(f"{prefix}/") else f"{base}{prefix}{path}"

    def _path(self, url: str) -> str | None:
        """The path and query of a URL on the public host that Label Studio serves."""
        if not self.host:
            return None
        try:
            parts = parse_url(url)
        except ValueError:
            return None
        if parts.host != self.host or _port(parts.scheme, parts.port) != self.port:
            return None
        path = parts.path or ""
        if not path.startswith(self.prefix) or not _FILES.match(path.removeprefix(self.prefix)):
            return None
        return path if parts.query is None else f"{path}?{parts.query}"


def looks_like_label_studio(url: str) -> bool:
    """Whether a URL has one of the paths at which Label Studio keeps uploads and local files."""
    return _UPLOADS.search(url) is not None


def _port(scheme: str | None, port: int | None) -> int:
    """A port, or 0 for the scheme's default one; -1 for a scheme that is not fetched."""
    if scheme not in DEFAULT_PORTS:
        return -1
    return 0 if port is None or port == DEFAULT_PORTS[scheme] else port


NO_PUBLIC_URL = PublicURL()
"""Of a Label Studio of which nothing else than where the backend reaches it is known."""
