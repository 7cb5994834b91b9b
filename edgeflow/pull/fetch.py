"""Fetches the images of one Label Studio's tasks, within a limit of bytes each."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from edgeflow.images.formats import describe, format_of
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.transport import USER_AGENT, isolated_session
from edgeflow.pull.locations import PictureError, inline_image, too_large, url_of

TIMEOUT_S = (5.0, 60.0)
CHUNK_BYTES = 1 << 16
MAX_REDIRECTS = 5


class Pictures:
    """Fetches images; the token goes to Label Studio's own origin only.

    Args:
        url: Label Studio's URL without a trailing slash.
        credentials: Its token.
    """

    def __init__(self, url: str, credentials: Credentials) -> None:
        self._url = url
        self._origin = _origin(url)
        self._credentials = credentials

    def fetch(self, location: str, task: int, limit: int) -> tuple[bytes, str]:
        """Fetch an image.

        Args:
            location: As it stands in the task.
            task: The task's id.
            limit: Most bytes.

        Returns:
            The file's bytes, and the name of its format.

        Raises:
            PictureError: It is not to be had or no image, or as TooLargeError too large; the
                message holds neither the URL nor a token, so that equal reasons read the same.
            LabelStudioError: The token is not usable.
        """
        if location[:5].lower() == "data:":
            data = inline_image(location, limit)
        else:
            data = self._download(url_of(location, self._url, task), limit)
        kind = format_of(data)
        if kind is None:
            what = describe(data)
            raise PictureError(f"no image of a known format{f': {what}' if what else ''}")
        return data, kind.name

    def _download(self, url: str, limit: int) -> bytes:
        try:
            with isolated_session(USER_AGENT) as session:
                return self._follow(session, url, limit)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise PictureError(
                f"{urlsplit(url).hostname} does not answer ({type(error).__name__})"
            ) from error
        except ValueError as error:
            raise PictureError("its URL is not a valid one") from error

    def _follow(self, session: requests.Session, url: str, limit: int) -> bytes:
        retried = False
        for _ in range(MAX_REDIRECTS + 2):
            own = _origin(url) == self._origin
            headers = self._credentials.header() if own else {}
            with session.get(
                url, headers=headers, timeout=TIMEOUT_S, stream=True, allow_redirects=False
            ) as response:
                if response.is_redirect:
                    url = urljoin(url, session.get_redirect_target(response) or "")
                    if urlsplit(url).scheme not in ("http", "https"):
                        raise PictureError("redirected to something other than an http(s) URL")
                elif response.status_code == HTTPStatus.UNAUTHORIZED and own and not retried:
                    retried = True
                    self._credentials.forget()
                elif response.status_code != HTTPStatus.OK:
                    who = "Label Studio" if own else urlsplit(url).hostname
                    raise PictureError(
                        f"{who} answers HTTP {response.status_code}",
                        hint=self._credentials.advice if own else "",
                    )
                else:
                    return _read(response, limit)
        raise PictureError("redirected in circles")


def _read(response: requests.Response, limit: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443}
    return parts.scheme, parts.hostname, parts.port or ports.get(parts.scheme)
