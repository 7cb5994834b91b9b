"""The Authorization header for Label Studio's two kinds of token.

A legacy token is sent as it is. A personal access token is a refresh JWT, exchanged at
``/api/token/refresh/`` for access tokens that last five minutes.
"""

from __future__ import annotations

import threading
import time

import requests

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.sessions import isolated_session

ACCESS_TOKEN_LIFE_S = 240.0
"""A minute less than in Label Studio."""


class Credentials:
    """The Authorization header for one Label Studio. Thread-safe.

    Args:
        label_studio_url: URL without a trailing slash.
        token: Legacy or personal access token; empty for none.
        timeout: Seconds for connecting, and seconds of silence.
        host: Name of the Label Studio if there are several; empty for the default one.
    """

    def __init__(
        self, label_studio_url: str, token: str, *, timeout: tuple[float, float], host: str = ""
    ) -> None:
        entry = f"of '{host}' in EDGEFLOW_LABEL_STUDIO_HOSTS"
        self.token_setting = f"the api_key {entry}" if host else "LABEL_STUDIO_API_KEY"
        self.url_setting = f"the url {entry}" if host else "LABEL_STUDIO_URL"
        self._url = label_studio_url
        self._token = token.strip()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._access_token = ""
        self._expires = 0.0

    @property
    def is_personal(self) -> bool:
        """Whether the token is a personal access token (a JWT) rather than a legacy one."""
        return self._token.count(".") == 2

    def header(self) -> dict[str, str]:
        """The header to send; empty without a token.

        Raises:
            FetchError: The token is malformed, or Label Studio does not exchange it.
        """
        if not self._token:
            return {}
        if not (self._token.isascii() and self._token.isprintable()):
            raise FetchError(
                "Label Studio's token contains characters that no token has",
                hint=f"copy it again and set {self.token_setting}",
            )
        if not self.is_personal:
            return {"Authorization": f"Token {self._token}"}
        with self._lock:
            if time.monotonic() >= self._expires:
                self._access_token = self._exchange()
                self._expires = time.monotonic() + ACCESS_TOKEN_LIFE_S
            return {"Authorization": f"Bearer {self._access_token}"}

    def forget(self) -> None:
        """Drop the access token, after Label Studio refused it."""
        with self._lock:
            self._expires = 0.0

    def _exchange(self) -> str:
        try:
            with isolated_session() as session:
                response = session.post(
                    f"{self._url}/api/token/refresh/",
                    json={"refresh": self._token},
                    timeout=self._timeout,
                    allow_redirects=False,
                )
            access = response.json().get("access") if response.ok else None
        except (requests.RequestException, ValueError, AttributeError) as error:
            raise FetchError(
                "the personal access token could not be exchanged at Label Studio "
                f"({type(error).__name__})",
                hint=f"check {self.url_setting} from the backend's machine",
            ) from error
        if not isinstance(access, str):
            raise FetchError(
                f"Label Studio refused the personal access token (HTTP {response.status_code})",
                hint=f"create a new one under Account & Settings and set {self.token_setting}",
            )
        return access
