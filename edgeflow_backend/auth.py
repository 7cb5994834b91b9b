"""HTTP Basic, the only authentication that Label Studio offers to a backend."""

from __future__ import annotations

import base64
import binascii
import hmac

from pydantic import SecretStr
from werkzeug.datastructures import Authorization


def read_authorization(value: str | None) -> Authorization | None:
    """Parse an Authorization header.

    Werkzeug decodes UTF-8 only; Label Studio's client encodes non-ASCII letters in Latin-1.
    """
    authorization = Authorization.from_header(value)
    scheme, _, code = (value or "").partition(" ")
    if authorization is not None or scheme.lower() != "basic":
        return authorization
    try:
        user, _, password = base64.b64decode(code).decode("latin-1").partition(":")
    except binascii.Error:
        return None
    return Authorization("basic", {"username": user, "password": password})


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
