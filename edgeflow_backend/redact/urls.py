"""How a URL is named in words.

Its user, password, path, parameters and query may each hold a secret. Whatever is written, in the
log, on the status page or in an answer, names a URL as :func:`describe_url` does.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from urllib3.util import parse_url

NAME_LENGTH = 100
"""Most characters of a URL's last name."""

TOKEN_LENGTH = 20
"""Shortest name that may be taken for a token."""

_TOKEN = re.compile(r"[A-Za-z0-9+=]{32,}|eyJ[\w-]{10,}")
_TURN = re.compile(r"[a-z](?=[A-Z0-9])|[0-9](?=[A-Za-z])|[A-Z](?=[0-9])")
_TURNS = 8
"""Changes between small letters, capitals and digits that no name has, and random letters have."""

_PARAMETERS = re.compile(r"[;?#&=].*", re.DOTALL)
_ENDING = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,4}$")


def describe_url(url: str, otherwise: str = "the image's URL") -> str:
    """Name a URL: its scheme, host and port, and its path's last name.

    ``https://host:8080/…/cat.jpg`` stands for
    ``https://user:password@host:8080/t/3f9c/cat.jpg;sig=5?token=7``. A last name that looks like a
    token (long, and random) keeps its ending only.

    Args:
        url: Any text.
        otherwise: What to call a text that is not a URL.
    """
    try:
        parts = parse_url(url)
    except ValueError:
        return otherwise
    if not parts.scheme or not parts.host:
        return otherwise
    port = f":{parts.port}" if parts.port else ""
    names = [name for name in (parts.path or "").split("/") if name]
    folder = "/…" if len(names) > 1 else ""
    last = f"/{_last_name(names[-1])}" if names else ""
    return f"{parts.scheme}://{parts.host[:253]}{port}{folder}{last}"


def _last_name(name: str) -> str:
    name = _PARAMETERS.sub("", unquote(name).rpartition("/")[2])
    name = "".join(letter if letter.isprintable() else "�" for letter in name)
    ending = _ENDING.search(name)
    stem = name[: ending.start()] if ending else name
    if _looks_like_a_token(stem):
        stem = "…"
    elif len(stem) > NAME_LENGTH:
        stem = f"{stem[: NAME_LENGTH - 1]}…"
    return stem + (ending[0] if ending else "")


def _looks_like_a_token(name: str) -> bool:
    if len(name) < TOKEN_LENGTH:
        return False
    return bool(_TOKEN.search(name)) or len(_TURN.findall(name)) >= _TURNS
