"""Carries the backend's requests to one Label Studio, over a guarded and timed session."""

from __future__ import annotations

from collections.abc import Mapping

import requests
import urllib3

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import Files, Params, Reply, uploads
from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.failures import moved, unreachable
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.sessions import timed_session
from edgeflow_backend.net.uplink import Uplink


class GuardedTransport:
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
        self._url = url
        self._timeout = timeout
        self._uplink = uplink
        self._url_setting = url_setting

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Params | None = None,
        json: object = None,
        files: Files | None = None,
    ) -> Reply:
        """Send a request and wait for the whole answer, whatever its status.

        Raises:
            LabelStudioError: There is no answer, or a redirect, which is not followed.
        """
        url = self._url + path
        try:
            with timed_session(sum(self._timeout), Guard([self._url]), self._uplink) as session:
                response = session.request(
                    method,
                    url,
                    headers=headers,
                    params=params,
                    json=json,
                    files=uploads(files),
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except FetchError as error:  # a proxy's refusal
            raise LabelStudioError(error.message, hint=error.hint) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            reason = unreachable(error, self._url, self._url_setting)
            raise LabelStudioError(
                f"Label Studio does not answer: {reason.message}", hint=reason.hint
            ) from error
        if response.is_redirect:
            reason = moved(url, response.headers["Location"], self._url_setting)
            raise LabelStudioError(reason.message, hint=reason.hint, status=response.status_code)
        return Reply.of(response)
