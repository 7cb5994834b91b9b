"""The Authorization header for Label Studio's two kinds of token.

A legacy token is sent as it is. A personal access token is a refresh JWT, exchanged at
``/api/token/refresh/`` for access tokens that last five minutes.

A reverse proxy that wants HTTP Basic takes the header Authorization for itself. Label Studio reads
a legacy token from the header X-Api-Key as well (``core/middleware.py`` in Label Studio 1.23), so
the two go together; a personal access token has no other header.
"""

from __future__ import annotations

import base64
import threading
import time

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import Transport

REFRESH_PATH = "/api/token/refresh/"
ACCESS_TOKEN_LIFE_S = 240.0
"""A minute less than in Label Studio."""


class Credentials:
    """The Authorization header for one Label Studio. Thread-safe.

    Args:
        transport: Carries requests to that Label Studio.
        token: Legacy or personal access token; empty for none.
        login: ``user:password`` for HTTP Basic in front of it; empty for none.
        token_setting: What to call the token in an error's hint.
        url_setting: What to call the URL in an error's hint.
    """

    def __init__(
        self,
        transport: Transport,
        token: str,
        *,
        login: str = "",
        token_setting: str = "LABEL_STUDIO_API_KEY",  # noqa: S107 - a name
        url_setting: str = "LABEL_STUDIO_URL",
    ) -> None:
        self.token_setting = token_setting
        self.url_setting = url_setting
        self._transport = transport
        self._token = token.strip()
        self._login = login
        self._login_wanted = bool(login)
        self._lock = threading.Lock()
        self._access_token = ""
        self._expires = 0.0

    @property
    def has_token(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    @property
    def is_personal(self) -> bool:
        """Whether the token is a personal access token (a JWT) rather than a legacy one."""
        return self._token.count(".") == 2

    def header(self) -> dict[str, str]:
        """The headers to send; empty without a token and a login.

        Raises:
            LabelStudioError: The token is malformed, or Label Studio does not exchange it.
        """
        if not self._token:
            return self.login_header()
        if not (self._token.isascii() and self._token.isprintable()):
            raise LabelStudioError(
                "Label Studio's token contains characters that no token has",
                hint=f"copy it again and set {self.token_setting}",
            )
        if not self.is_personal:
            if self._login_wanted:
                return {**self.login_header(), "X-Api-Key": self._token}
            return {"Authorization": f"Token {self._token}"}
        with self._lock:
            if time.monotonic() >= self._expires:
                self._access_token = self._exchange()
                self._expires = time.monotonic() + ACCESS_TOKEN_LIFE_S
            return {"Authorization": f"Bearer {self._access_token}"}

    def login_header(self) -> dict[str, str]:
        """The header for a reverse proxy in front of Label Studio; empty without a login."""
        if not self._login:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(self._login.encode()).decode()}"}

    def forget(self) -> None:
        """Drop the access token, after Label Studio refused it.

        A login that nobody wants hides the token from a Label Studio that reads no X-Api-Key, so
        the next header goes without it, and the one after that with it again.
        """
        with self._lock:
            self._expires = 0.0
            self._login_wanted = bool(self._login) and not self._login_wanted

    @property
    def advice(self) -> str:
        """What to check when Label Studio refuses the header."""
        if self._login and self.is_personal:
            return (
                f"a reverse proxy's login and a personal access token need the same header: set "
                f"{self.token_setting} to a legacy token, or exempt the backend from the login"
            )
        check = f"check {self.token_setting}: it is missing, wrong, or may not see this project"
        return f"{check}; check the login in {self.url_setting}, too" if self._login else check

    def _exchange(self) -> str:
        reply = self._transport.send(
            "POST", REFRESH_PATH, headers=self.login_header(), json={"refresh": self._token}
        )
        try:
            access = reply.json().get("access") if reply.ok else None
        except (ValueError, AttributeError) as error:
            raise LabelStudioError(
                "the personal access token could not be exchanged: Label Studio's answer is not "
                "the expected one",
                hint=f"check {self.url_setting}: is it Label Studio's?",
                status=reply.status,
            ) from error
        if not isinstance(access, str):
            raise LabelStudioError(
                f"Label Studio refused the personal access token (HTTP {reply.status})",
                hint=f"create a new one under Account & Settings and set {self.token_setting}",
                status=reply.status,
            )
        return access
