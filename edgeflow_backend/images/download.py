"""Downloading one image over http(s), within limits of time and size."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.failures import moved, unreachable
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.origins import origin
from edgeflow_backend.net.public_url import looks_like_label_studio
from edgeflow_backend.net.sessions import timed_session
from edgeflow_backend.net.uplink import Uplink
from edgeflow_backend.redact.urls import describe_url

MAX_REDIRECTS = 5
CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_LOGIN_PAGES = ("/user/login", "/login")
_HTML = (b"<!doctype html", b"<html")


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
        uplink: How to reach hosts.
    """

    def __init__(
        self,
        label_studio_url: str,
        credentials: Credentials,
        limits: Limits,
        guard: Guard | None = None,
        uplink: Uplink | None = None,
    ) -> None:
        self._label_studio = origin(label_studio_url) if label_studio_url else None
        self._credentials = credentials
        self._limits = limits
        self._guard = guard or Guard([label_studio_url])
        self._uplink = uplink or Uplink()

    def fetch(self, url: str) -> bytes:
        """Fetch an image's bytes.

        Raises:
            FetchError: The reason in words, without the URL's query and without any token.
        """
        deadline = time.monotonic() + self._limits.total_s
        trail = _Trail(url)
        try:
            with timed_session(self._limits.total_s, self._guard, self._uplink) as session:
                return self._follow(session, trail, deadline)
        except LabelStudioError as error:  # its token, or the exchange of one
            raise FetchError(error.message, hint=error.hint) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            setting = self._credentials.url_setting if self._is_label_studio(trail.url) else ""
            late = time.monotonic() >= deadline
            raise unreachable(error, trail.url, setting, late=late) from error
        except ValueError as error:
            raise FetchError(
                f"{describe_url(trail.url)} is not a valid URL", hint="check the task's data"
            ) from error

    def _follow(self, session: requests.Session, trail: _Trail, deadline: float) -> bytes:
        retried = False
        for _ in range(MAX_REDIRECTS + 2):
            request = session.prepare_request(requests.Request("GET", trail.url))
            trail.on_label_studio = self._is_label_studio(request.url or "")
            if trail.on_label_studio:
                trail.asked_label_studio = True
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
                    self._redirect(trail, session.get_redirect_target(response) or "")
                elif (
                    response.status_code == HTTPStatus.UNAUTHORIZED
                    and trail.on_label_studio
                    and not retried
                ):
                    retried = True
                    self._credentials.forget()
                elif response.status_code != HTTPStatus.OK:
                    raise self._refused(trail, response.status_code)
                else:
                    data = self._read(response, trail.url, deadline)
                    if trail.asked_label_studio and data.lstrip()[:14].lower().startswith(_HTML):
                        raise self._html_page(trail)
                    return data
        raise FetchError(
            f"{describe_url(trail.url)} redirects in circles", hint="check the task's data"
        )

    def _is_label_studio(self, url: str) -> bool:
        try:
            return self._label_studio is not None and origin(url) == self._label_studio
        except ValueError:
            return False

    def _redirect(self, trail: _Trail, location: str) -> None:
        """Go on where a host redirects to, unless it is a page that only people can use."""
        target = _redirect_target(trail.url, location)
        if trail.on_label_studio:
            here, there = urlsplit(trail.url), urlsplit(target)
            if there.path.rstrip("/").endswith(_LOGIN_PAGES):
                raise self._html_page(trail, "redirects to a login page")
            if there.path.endswith(here.path) and there.query == here.query:
                if here.hostname == there.hostname and here.scheme != there.scheme:
                    raise moved(trail.url, target, self._credentials.url_setting)
                trail.moved_from = trail.url
        trail.url = target

    def _html_page(self, trail: _Trail, what: str = "is an HTML page") -> FetchError:
        """The error for a page, most likely a login, where Label Studio should send an image."""
        if trail.moved_from:
            return moved(trail.moved_from, trail.url, self._credentials.url_setting)
        return FetchError(
            f"{describe_url(trail.url)} {what} instead of an image",
            hint=f"check {self._credentials.url_setting}: it must be Label Studio's own URL, with "
            f"the path below which it is served; {self._credentials.advice}",
        )

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

    def _refused(self, trail: _Trail, status: int) -> FetchError:
        """The error for an answer that is no image."""
        url, credentials = trail.url, self._credentials
        if trail.moved_from and not trail.on_label_studio:
            return moved(trail.moved_from, url, credentials.url_setting)
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and self._uplink.proxy:
            return self._uplink.proxy.refusal(f"answered HTTP {status}")
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            if trail.on_label_studio:
                hint = credentials.advice
            elif looks_like_label_studio(url):
                hint = (
                    f"the backend sends its token to {credentials.url_setting} only; if this is "
                    "the public URL of that Label Studio, set EDGEFLOW_LABEL_STUDIO_PUBLIC_URL"
                )
            else:
                hint = "the image host requires credentials; the backend sends none to it"
        elif status == HTTPStatus.NOT_FOUND and trail.on_label_studio and "?fileuri=" in url:
            hint = (
                "check that the project has a cloud storage with this bucket in Label Studio, and "
                "that the task was not deleted"
            )
        elif status == HTTPStatus.NOT_FOUND:
            hint = "the image was moved or deleted"
            if trail.on_label_studio:
                hint += (
                    f", or {credentials.url_setting} lacks the path below which Label Studio is "
                    "served; if only annotators open it below a path, set "
                    "EDGEFLOW_LABEL_STUDIO_PUBLIC_URL"
                )
        elif status == HTTPStatus.BAD_REQUEST and trail.on_label_studio:
            hint = (
                f"check {credentials.url_setting}: its scheme (https?), and that Label Studio "
                "accepts its host name"
            )
        else:
            hint = "try the URL from the backend's machine"
        return FetchError(f"{describe_url(url)} answered HTTP {status}", hint=hint)


@dataclass
class _Trail:
    """How far a download has come.

    Attributes:
        url: URL that is fetched now.
        on_label_studio: Whether that is Label Studio's.
        asked_label_studio: Whether Label Studio's was among those so far.
        moved_from: Label Studio's URL that redirected to the same path on another host; or empty.
    """

    url: str
    on_label_studio: bool = False
    asked_label_studio: bool = False
    moved_from: str = ""


def _redirect_target(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("http", "https"):
        raise FetchError(
            f"{describe_url(url)} redirects to something other than an http(s) URL",
            hint="check the task's data",
        )
    return target


def _too_large(url: str, limit: int) -> FetchError:
    return FetchError(
        f"{describe_url(url)} is larger than {limit} bytes",
        hint="resize the image, cut it up with `edgeflow tile`, or raise EDGEFLOW_MAX_IMAGE_MB",
    )
