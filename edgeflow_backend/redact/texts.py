"""Free text without possible secrets: a net below our own messages, which hold none.

They quote requests and other programs' errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from edgeflow_backend.redact.urls import describe_url

TEXT_LENGTH = 500
NAME_LENGTH = 64

_JOINERS = "\u200c\u200d"
"""Zero-width characters that several scripts are spelled with."""


def _described(match: re.Match[str]) -> str:
    url = match[0].rstrip(".,:)]}!")
    return describe_url(url, f"{match[1]}://…") + match[0][len(url) :]


_WORD = r"(?:pass(?:word|wd)?|secret|token|access_token|refresh|api_?key|auth|sig(?:nature)?)"
_SECRETS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"""\bdata:[^\s'"<>]+""", "data:…"),
        (r"""\b([a-z][a-z0-9+.-]{0,20})://[^\s'"<>]+""", _described),
        (r"""\bwith url: \S+""", "with url: …"),  # a whole path, in urllib3's errors
        (r"""(?<=[^\s'"<>(])\?[^\s'"<>=]{0,200}=[^\s'"<>]*""", "?…"),
        (r"""(?<=[^\s'"<>(]);[^\s'"<>=;]{1,50}=[^\s'"<>]*""", ";…"),
        (r"""(?<![^\s'"<>(])[^\s:@/'"<>(]{1,64}:[^\s@/'"<>]{1,128}@(?=\w)""", "…@"),
        (rf"""({_WORD}['"]?=)[^\s'"<>,&]+""", r"\1…"),
        (rf"""(['"][\w-]{{0,20}}{_WORD}['"]\s?:\s?)(['"])[^'"]*['"]""", r"\1\2…\2"),
        # What stands in a header: a scheme and a value, or any long token.
        (
            r"""\b(token|bearer|basic)\s+(?=\S*(?:[\d=]|(?-i:[a-z][A-Z])))[^\s'"<>]{8,}""",
            r"\1 …",
        ),
        (r"\beyJ[\w-]{10,}(?:\.[\w-]*)*", "…"),
        (r"\b[0-9a-z]{32,}\b", "…"),
    )
]


def hide_secrets(text: str) -> str:
    """Take out of free text what may be secret.

    URLs are named as :func:`describe_url` does; parameters, passwords, and values of authorization
    headers give way to an ellipsis. Our own messages hold no secrets: this is the net below them,
    for what they quote from requests and from other programs' errors. Its work is linear in the
    text's length.
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def clean(text: str, limit: int = TEXT_LENGTH) -> str:
    """One printable line of at most ``limit`` characters, without possible secrets.

    The backend's own errors hold none. This is a second line of defence, since the page shows what
    messages quote from requests.
    """
    text = text[: limit * 4]  # bounds the work of the expressions below
    text = " ".join(text.split())
    text = "".join(x if x.isprintable() or x in _JOINERS else "�" for x in text)
    text = hide_secrets(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
