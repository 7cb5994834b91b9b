"""Carries the backend's requests to one Label Studio, over a guarded and timed session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import PlainTransport
from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.failures import moved, unreachable
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.sessions import timed_session
from edgeflow_backend.net.uplink import Uplink


class GuardedTransport(PlainTransport):
    """A :class:`edgeflow.label_studio.api.transport.Transport` of the backend. Thread-safe.

    Args:
        url: Label Studio's URL without a trailing slash.
        timeout: Seconds for connecting, and seconds of silence.
        uplink: How to reach it.
        url_setting: Setting that holds the URL.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: tuple[float, float],
        uplink: Uplink | None = None,
        url_setting: str = "LABEL_STUDIO_URL",
    ) -> None:
        super().__init__(url, timeout=timeout, url_setting=url_setting)
        self._uplink = uplink

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        guard = Guard([self._url])
        try:
            with timed_session(sum(self._timeout), guard, self._uplink) as session:
                yield session
        except FetchError as error:  # a proxy's refusal
            raise LabelStudioError(error.message, hint=error.hint) from error

    def _unanswered(self, error: Exception) -> LabelStudioError:
        reason = unreachable(error, self._url, self._url_setting)
        return LabelStudioError(f"Label Studio does not answer: {reason.message}", hint=reason.hint)

    def _redirected(self, path: str, response: requests.Response) -> LabelStudioError:
        url, location = self._url + path, response.headers["Location"]
        reason = moved(url, location, self._url_setting)
        return LabelStudioError(reason.message, hint=reason.hint, status=response.status_code)
