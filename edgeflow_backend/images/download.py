"""Downloading one image over http(s), within limits of time and size."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.credentials import Credentials
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.origins import origin
from edgeflow_backend.net.sessions import timed_session

MAX_REDIRECTS = 5
CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Limits:
    """Limits of one download.

    Attributes:
        connect_s: Seconds to connect.
        read_s: Seconds of silence.
        total_s: Seconds in total, redirects included.
        max_bytes: Bytes of the image after any content coding is undone.
    """

    connect_s: float
    read_s: float
    total_s: float
    max_bytes: int


class Downloader:
    """Fetches images; sends Label Studio's token to Label Studio's own origin only.

    Args:
        label_studio_url: URL whose origin gets the credentials; empty for none.
        credentials: Credentials for that Label Studio.
        limits: Limits of each download.
        guard: Decides where to connect; by default to the public internet and that Label Studio.
    """

    def __init__(
        self,
        label_studio_url: str,
        credentials: Credentials,
        limits: Limits,
        guard: Guard | None = None,
    ) -> None:
        self._label_studio = origin(label_studio_url) if label_studio_url else None
        self._credentials = credentials
        self._limits = limits
        self._guard = guard or Guard([label_studio_url])

    def fetch(self, url: str) -> bytes:
        """Fetch an image's bytes.

        Raises:
            FetchError: The reason in words, without the URL's query and without any token.
        """
        deadline = time.monotonic() + self._limits.total_s
        where = _describe(url)
        try:
            with timed_session(self._limits.total_s, self._guard) as session:
                return self._follow(session, url, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            late = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError)
            if late or time.monotonic() >= deadline:
                raise FetchError(
                    f"{where} did not answer in time",
                    hint="check that the backend's machine reaches it, or raise the timeouts",
                ) from error
            raise FetchError(
                f"{where} could not be fetched ({type(error).__name__})",
                hint="check that the backend's machine reaches it",
            ) from error
        except ValueError as error:
            raise FetchError(f"{where} is not a valid URL", hint="check the task's data") from error

    def _follow(self, session: requests.Session, url: str, deadline: float) -> bytes:
        retried = False
        for _ in range(MAX_REDIRECTS + 2):
            request = session.prepare_request(requests.Request("GET", url))
            from_label_studio = origin(request.url or "") == self._label_studio
            if from_label_studio:
                request.headers.update(self._credentials.header())
            with session.send(
                request,
                timeout=(self._limits.connect_s, self._limits.read_s),
                stream=True,
                allow_redirects=False,
            ) as response:
                if time.monotonic() > deadline:
                    raise requests.Timeout
                if response.status_code in _REDIRECTS:
                    url = _redirect_target(url, session.get_redirect_target(response) or "")
                elif (
                    response.status_code == HTTPStatus.UNAUTHORIZED
                    and from_label_studio
                    and not retried
                ):
                    retried = True
                    self._credentials.forget()
                elif response.status_code != HTTPStatus.OK:
                    raise self._refused(
                        url, response.status_code, from_label_studio=from_label_studio
                    )
                else:
                    return self._read(response, url, deadline)
        raise FetchError(f"{_describe(url)} redirects in circles", hint="check the task's data")

    def _read(self, response: requests.Response, url: str, deadline: float) -> bytes:
        limit = self._limits.max_bytes
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise _too_large(url, limit)
        body = bytearray()
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise _too_large(url, limit)
            if time.monotonic() > deadline:
                raise requests.Timeout
        if time.monotonic() > deadline:
            raise requests.Timeout
        return bytes(body)

    def _refused(self, url: str, status: int, *, from_label_studio: bool) -> FetchError:
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            setting = self._credentials.token_setting
            hint = (
                f"check {setting}: it is missing, wrong, or may not see this project"
                if from_label_studio
                else "the image host requires credentials; the backend sends none to it"
            )
        elif status == HTTPStatus.NOT_FOUND and from_label_studio and "?fileuri=" in url:
            hint = (
                "check that the project has a cloud storage with this bucket in Label Studio, and "
                "that the task was not deleted"
            )
        elif status == HTTPStatus.NOT_FOUND:
            hint = "the image was moved or deleted"
        else:
            hint = "try the URL from the backend's machine"
        return FetchError(f"{_describe(url)} answered HTTP {status}", hint=hint)


def _redirect_target(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("http", "https"):
        raise FetchError(
            f"{_describe(url)} redirects to something other than an http(s) URL",
            hint="check the task's data",
        )
    return target


def _too_large(url: str, limit: int) -> FetchError:
    return FetchError(
        f"{_describe(url)} is larger than {limit} bytes",
        hint="resize the image, or raise EDGEFLOW_MAX_IMAGE_MB",
    )


def _describe(url: str) -> str:
    """The URL without user, password, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"[:200]
    except ValueError:
        return "the image's URL"
