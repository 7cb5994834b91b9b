"""HTTP Basic, the only authentication Label Studio offers towards a backend."""

from __future__ import annotations

import base64
import binascii
import hmac

from pydantic import SecretStr
from werkzeug.datastructures import Authorization


def read_authorization(value: str | None) -> Authorization | None:
    """Read an Authorization header.

    Werkzeug reads UTF-8 alone; Label Studio's client encodes letters beyond ASCII in Latin-1.
    """
    known = Authorization.from_header(value)
    scheme, _, code = (value or "").partition(" ")
    if known is not None or scheme.lower() != "basic":
        return known
    try:
        user, _, password = base64.b64decode(code).decode("latin-1").partition(":")
    except binascii.Error:
        return None
    return Authorization("basic", {"username": user, "password": password})


class BasicAuth:
    """Checks user and password in constant time; lets everyone pass when neither is set."""

    def __init__(self, user: str, password: SecretStr) -> None:
        secret = password.get_secret_value()
        self._expected = f"{user}:{secret}".encode() if user or secret else None

    def allows(self, authorization: Authorization | None) -> bool:
        """Whether a request with this Authorization header may pass."""
        if self._expected is None:
            return True
        if authorization is None or authorization.type != "basic":
            return False
        given = f"{authorization.username or ''}:{authorization.password or ''}".encode()
        return hmac.compare_digest(given, self._expected)
