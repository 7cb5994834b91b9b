"""Where a Label Studio is, and the token that is sent there only."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints, field_validator

from edgeflow_backend.net.origins import origin

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
"""Name of a Label Studio, as in the route ``/hosts/<name>``."""


class LabelStudioHost(BaseModel):
    """A configured Label Studio.

    Attributes:
        url: http(s) URL without a trailing slash; empty if the default one is not configured.
        api_key: Legacy or personal access token; empty for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str
    api_key: SecretStr = SecretStr("")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        return http_url(value)


def http_url(text: str) -> str:
    """An http(s) URL without surrounding spaces and trailing slashes.

    Raises:
        ValueError: It is not one, or no connection can be made to it.
    """
    url = text.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must look like http://host:8080")
    _ = parts.port  # raises ValueError unless it is one
    origin(url)  # raises ValueError if no connection can be made to it
    return url


def hide_tokens(hosts: object) -> object:
    """Several hosts, as JSON text or parsed, with every text but their URLs made a secret.

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
        return {key: entry if key == "url" else _wrap_texts(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_wrap_texts(entry) for entry in value]
    return SecretStr(value) if isinstance(value, str) else value
