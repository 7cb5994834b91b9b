"""Who may ask: HTTP Basic, all that Label Studio offers towards a backend; and no web page."""

from __future__ import annotations

import base64
import hmac

from pydantic import SecretStr
from werkzeug.datastructures import Authorization


def read_authorization(value: str | None) -> Authorization | None:
    """Parse an Authorization header; None for none, another scheme, or a malformed one.

    Credentials are UTF-8, or Latin-1 as Label Studio's client encodes non-ASCII letters.
    """
    scheme, _, code = (value or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        data = base64.b64decode(code.strip(), validate=True)
    except ValueError:  # letters that Base64 lacks, or an incomplete last group
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    user, _, password = text.partition(":")
    return Authorization("basic", {"username": user, "password": password})


def asked_by_a_page(method: str, origin: str | None) -> bool:
    """Whether a page in somebody's browser asks for more than to read.

    Any page on the web may have its reader's browser POST to what the reader's machine reaches, and
    read the answer if its own name resolves there by then. Browsers tell a POST by its ``Origin``,
    which pages cannot leave out, and programs such as Label Studio's server do not send.

    Args:
        method: HTTP method.
        origin: The header; None where there is none.
    """
    return origin is not None and method not in ("GET", "HEAD", "OPTIONS")


class BasicAuth:
    """Checks user and password in constant time; accepts every request if neither is set.

    Args:
        user: Expected user.
        password: Expected password.
    """

    def __init__(self, user: str, password: SecretStr) -> None:
        secret = password.get_secret_value()
        self._expected = f"{user}:{secret}".encode() if user or secret else None

    def allows(self, authorization: Authorization | None) -> bool:
        """Whether a request with this Authorization header is accepted."""
        if self._expected is None:
            return True
        if authorization is None or authorization.type != "basic":
            return False
        credentials = f"{authorization.username or ''}:{authorization.password or ''}".encode()
        return hmac.compare_digest(credentials, self._expected)


class EventSecret:
    """Checks the secret of events in constant time; accepts every event if none is set.

    Args:
        secret: Expected secret, ASCII.
    """

    def __init__(self, secret: SecretStr) -> None:
        self._expected = secret.get_secret_value().encode()

    def allows(self, action: str, value: str | None) -> bool:
        """Whether an event with this secret is accepted.

        Args:
            action: Label Studio's name of the event. It sends one of them as it sends clicks,
                without a webhook's headers.
            value: The header; None where there is none.
        """
        if not self._expected or action == "START_TRAINING":
            return True
        return hmac.compare_digest((value or "").encode("utf-8", "replace"), self._expected)
