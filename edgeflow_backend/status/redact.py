"""Text for the status page, without possible secrets."""

from __future__ import annotations

import re

TEXT_LENGTH = 500
NAME_LENGTH = 64

_JOINERS = "\u200c\u200d"
"""Zero-width characters that several scripts are spelled with."""

_SECRETS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # The user, password, query and fragment of a URL.
        (
            r"""\b([a-z][a-z0-9+.-]{0,20}://)(?:[^\s/?#'"<>]*@)?([^\s?#'"<>]*)(?:[?#][^\s'"<>]*)?""",
            r"\1\2",
        ),
        (r"""(?<=[^\s'"<>(])\?[^\s'"<>=]{0,200}=[^\s'"<>]*""", "?…"),
        (r"""\bdata:[^\s'"<>]+""", "data:…"),
        # Label Studio's tokens: a scheme and a value, 40 hex digits, or a signed one (JWT).
        (r"""\b(token|bearer|basic)\s+(?=[^\s'"<>]*\d)[^\s'"<>]{16,}""", r"\1 …"),
        (r"\b[0-9a-f]{32,}\b", "…"),
        (r"\beyJ[\w-]{10,}(?:\.[\w-]*)*", "…"),
    )
]


def clean(text: str, limit: int = TEXT_LENGTH) -> str:
    """One printable line of at most ``limit`` characters, without possible secrets.

    The backend's own errors hold none. This is a second line of defence, since the page shows what
    messages quote from requests.
    """
    text = text[: limit * 4]  # bounds the work of the expressions below
    text = " ".join(text.split())
    text = "".join(x if x.isprintable() or x in _JOINERS else "�" for x in text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
