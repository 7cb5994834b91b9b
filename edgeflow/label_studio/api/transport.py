"""What carries a request to a Label Studio; whoever needs other rules brings a transport."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
import urllib3

from edgeflow import __version__
from edgeflow.label_studio.api.errors import LabelStudioError

Params = Mapping[str, str | int]
"""Names and values of a query."""

Files = Mapping[str, bytes]
"""Names and contents of files."""

USER_AGENT = f"edgeflow/{__version__}"


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: HTTP status.
        headers: Its fields; their names in lower case.
        body: Its bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @classmethod
    def of(cls, response: requests.Response) -> Reply:
        """What a response of requests holds."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        return cls(response.status_code, headers, response.content)

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body as JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.body)


class Transport(Protocol):
    """Sends requests to one Label Studio, and to nobody else."""

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

        A redirect is not followed: it would carry the token somewhere else.

        Args:
            method: HTTP method.
            path: Path below Label Studio's URL, with a leading slash.
            headers: Fields to send.
            params: The query.
            json: Body, sent as JSON; None for none.
            files: Files to upload instead; None for none.

        Raises:
            LabelStudioError: There is no answer, or a redirect.
        """


class PlainTransport:
    """Transport of commands that a user runs.

    Args:
        url: Label Studio's URL without a trailing slash, and without user and password.
        timeout: Seconds for connecting, and seconds of silence.
        ca_bundle: PEM file, or folder, of the authorities that are trusted instead of the public
            ones; empty for those.
        trust_env: Whether the environment's proxies and ``.netrc`` are used.
        url_setting: What to call the URL in an error's hint.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: tuple[float, float] = (5.0, 60.0),
        ca_bundle: str = "",
        trust_env: bool = False,
        url_setting: str = "the URL of Label Studio",
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._ca_bundle = ca_bundle
        self._trust_env = trust_env
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
        """Send a request; see :meth:`Transport.send`."""
        try:
            with self._session() as session:
                response = session.request(
                    method,
                    self._url + path,
                    headers=headers,
                    params=params,
                    json=json,
                    files=_uploads(files),
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unanswered(error) from error
        if response.is_redirect:
            raise self._redirected(path, response)
        return Reply.of(response)

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        with isolated_session(USER_AGENT) as session:
            session.trust_env = self._trust_env
            session.verify = self._ca_bundle or True
            yield session

    def _unanswered(self, error: Exception) -> LabelStudioError:
        return LabelStudioError(
            f"Label Studio does not answer ({type(error).__name__})",
            hint=f"check {self._url_setting}, and that this machine reaches it",
        )

    def _redirected(self, path: str, _response: requests.Response) -> LabelStudioError:
        return LabelStudioError(
            f"Label Studio redirects {path} to another URL",
            hint=f"set {self._url_setting} to the one that a browser shows in the end",
        )


def _uploads(files: Files | None) -> list[tuple[str, tuple[str, bytes]]] | None:
    """Files as requests takes them."""
    return [(name, (name, data)) for name, data in files.items()] if files else None


@contextlib.contextmanager
def isolated_session(user_agent: str) -> Iterator[requests.Session]:
    """A session without the environment's proxies, without ``.netrc``, without cookies.

    The first two would send a token somewhere else, or replace it by another. Cookies do not
    depend on the port, so Label Studio's would go to any other server on its machine.

    Args:
        user_agent: How it names itself; some hosts refuse programs that do not.
    """
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = user_agent
        yield session
