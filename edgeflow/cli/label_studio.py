"""The options with which a command reaches a Label Studio, each defined once."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

import typer

from edgeflow.errors import EdgeFlowError
from edgeflow.label_studio.api.client import LabelStudioAPI
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.transport import PlainTransport

URL = Annotated[
    str, typer.Option(envvar="LABEL_STUDIO_URL", help="Label Studio's URL.", show_default=False)
]

APIKey = Annotated[
    str,
    typer.Option(envvar="LABEL_STUDIO_API_KEY", hidden=True),  # no secret on a command line
]

SourceProject = Annotated[
    int | None,
    typer.Option(
        "--project",
        help="Read this Label Studio project over its API, with the token in LABEL_STUDIO_API_KEY.",
    ),
]

Annotator = Annotated[
    str,
    typer.Option(
        "--annotator",
        help="Whose annotation of a task counts: first, last, an annotator's id or e-mail "
        "address; vote and staple put all together.",
    ),
]


def open_api(url: str, token: str) -> LabelStudioAPI:
    """The API of a Label Studio; nothing is asked yet.

    Raises:
        EdgeFlowError: There is no URL or no token.
    """
    if not url:
        raise EdgeFlowError(
            "the Label Studio of the project is not known", hint="name its URL with --url"
        )
    if not token:
        raise EdgeFlowError(
            "there is no token for Label Studio",
            hint="copy it from Account & Settings into the variable LABEL_STUDIO_API_KEY",
        )
    bare, login = split_login(url)
    transport = PlainTransport(bare, url_setting="--url")
    credentials = Credentials(transport, token, login=login, url_setting="--url")
    return LabelStudioAPI(transport, credentials)


def split_login(url: str) -> tuple[str, str]:
    """A URL without a trailing slash and a login, and the login (``user:password``) or nothing."""
    head, slashes, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    login, _, host = host.rpartition("@")
    return f"{head}{slashes}{host}{slash}{path}", unquote(login)
