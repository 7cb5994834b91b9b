"""Where a Label Studio is, and the token that is sent there only."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from edgeflow_backend.net.origins import origin, split_login

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
"""Name of a Label Studio, as in the route ``/hosts/<name>``."""


class LabelStudioHost(BaseModel):
    """A configured Label Studio.

    Attributes:
        url: http(s) URL without a trailing slash; empty if the default one is not configured. A
            user and password in it become ``login``.
        api_key: Legacy or personal access token; empty for none.
        login: ``user:password`` for a reverse proxy in front of it that wants HTTP Basic; empty for
            none.
        public_url: URL that annotators open, if it is another one; empty if it is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    api_key: SecretStr = SecretStr("")
    login: SecretStr = SecretStr("")
    public_url: str = ""

    @model_validator(mode="before")
    @classmethod
    def _part_login(cls, data: object) -> object:
        return part_login(data, "url", "login") if isinstance(data, dict) else data

    @field_validator("url", mode="before")
    @classmethod
    def _check_url(cls, value: object) -> object:
        return http_url(value)

    @field_validator("public_url", mode="before")
    @classmethod
    def _check_public_url(cls, value: object) -> object:
        return http_url(value) if reveal(value) else ""


def http_url(text: object) -> str:
    """An http(s) URL without surrounding spaces, trailing slashes, user and password.

    Args:
        text: The URL, also as a secret.

    Raises:
        ValueError: It is not one, or no connection can be made to it; the message does not repeat
            it.
    """
    text = reveal(text)
    url = split_login(text.strip())[0].rstrip("/") if isinstance(text, str) else ""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError unless it is one
        origin(url)  # raises ValueError if no connection can be made to it
    except ValueError:  # whose message repeats what may be a password
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(
            "must look like http://host:8080; special characters of a password in it must be "
            "percent-encoded"
        )
    return url


def part_login(data: dict[str, object], url: str, login: str) -> dict[str, object]:
    """Move user and password from the URL under one key to another key, unless that is filled.

    Both values become secrets: pydantic's errors repeat their input.
    """
    text = reveal(data.get(url))
    if not isinstance(text, str):
        return data
    bare, found = split_login(text)
    parted = {**data, url: SecretStr(bare)}
    if found and not reveal(data.get(login)):
        parted[login] = SecretStr(found)
    return parted


def reveal(value: object) -> object:
    """The value itself, where it is kept as a secret."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def hide_tokens(hosts: object) -> object:
    """Several hosts, as JSON text or parsed, with every text made a secret.

    Pydantic's errors repeat their input, so tokens are wrapped before any error can occur.
    """
    if not isinstance(hosts, str):
        return _wrap_texts(hosts)
    try:
        return _wrap_texts(json.loads(hosts))
    except ValueError:
        return SecretStr(hosts)  # not an object, so it is refused later


def _wrap_texts(value: object) -> object:
    if isinstance(value, dict):
        return {key: _wrap_texts(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_wrap_texts(entry) for entry in value]
    return SecretStr(value) if isinstance(value, str) else value
