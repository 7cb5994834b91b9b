"""Calls of Label Studio's API: the token, one retry, pages, and errors in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from edgeflow.errors import brief
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import Files, Params, Reply, Transport
from edgeflow.label_studio.values import JSONObject

PAGE_SIZE = 100
"""Entries of a page; a task with its annotations may take a megabyte."""

DETAIL_LENGTH = 300
"""Most characters of Label Studio's own words in a message."""

_MARKUP = re.compile(r"<[^<>]*>|(?<=//)[^/\s@]*@")
"""Tags, and a login in a URL."""


class Calls:
    """Calls any path of one Label Studio. Thread-safe if its transport is.

    Every call raises :class:`LabelStudioError` if the token is unusable, if there is no answer,
    or if it is not what was asked for; the message says which, and never holds a token.

    Args:
        transport: Carries the requests to it.
        credentials: The token.
    """

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self.credentials = credentials
        self._transport = transport

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        files: Files | None = None,
    ) -> Reply:
        """Send a request with the token; with a fresh one if the first is refused.

        Args:
            method: HTTP method.
            path: Path below Label Studio's URL, with a leading slash.
            params: The query.
            json: Body, sent as JSON; None for none.
            files: Files to upload instead; None for none.

        Raises:
            LabelStudioError: There is no answer, or an HTTP error; ``status`` tells which.
        """
        if not path.startswith("/"):
            raise ValueError(f"not a path: {path!r}")
        reply = self._send(method, path, params, json, files)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            self.credentials.forget()
            reply = self._send(method, path, params, json, files)
        if not reply.ok:
            raise self._refused(method, path, reply)
        return reply

    def get(self, path: str, params: Params | None = None) -> Any:  # noqa: ANN401 - JSON
        """GET a path's JSON."""
        return self._json(path, self.request("GET", path, params=params))

    def post(self, path: str, json: object, params: Params | None = None) -> Any:  # noqa: ANN401
        """POST JSON; returns the answer's, None if it is empty."""
        return self._json(path, self.request("POST", path, params=params, json=json))

    def patch(self, path: str, json: object) -> Any:  # noqa: ANN401 - JSON
        """PATCH with JSON; returns the answer's."""
        return self._json(path, self.request("PATCH", path, json=json))

    def delete(self, path: str) -> None:
        """DELETE what is under a path."""
        self.request("DELETE", path)

    def pages(
        self,
        path: str,
        params: Params | None = None,
        *,
        key: str = "results",
        size: int = PAGE_SIZE,
    ) -> Iterator[JSONObject]:
        """Entries of a paged list, fetched page by page as they are needed.

        Args:
            path: The list's path.
            params: The query, without the page.
            key: Where a page's entries are: ``results``, or ``tasks``.
            size: Entries of a page.
        """
        number = 0
        while True:
            number += 1
            query = {**(params or {}), "page": number, "page_size": size}
            try:
                body = self.get(path, query)
            except LabelStudioError as error:
                if number > 1 and error.status == HTTPStatus.NOT_FOUND:  # a page behind the last
                    return
                raise
            entries = body.get(key) if isinstance(body, dict) else None
            if not isinstance(entries, list):
                raise self._unexpected(path)
            if not entries:
                return
            yield from entries

    def _send(
        self,
        method: str,
        path: str,
        params: Params | None,
        json: object,
        files: Files | None,
    ) -> Reply:
        headers = self.credentials.header()
        return self._transport.send(
            method, path, headers=headers, params=params, json=json, files=files
        )

    def _json(self, path: str, reply: Reply) -> Any:  # noqa: ANN401 - JSON
        if not reply.body:
            return None
        try:
            return reply.json()
        except ValueError as error:
            raise self._unexpected(path) from error

    def _unexpected(self, path: str) -> LabelStudioError:
        return LabelStudioError(
            f"Label Studio's answer to {path} is not the expected one",
            hint=f"check {self.credentials.url_setting}: is it Label Studio's?",
        )

    def _refused(self, method: str, path: str, reply: Reply) -> LabelStudioError:
        detail = _detail(reply)
        if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            hint = self.credentials.advice
        elif reply.status == HTTPStatus.NOT_FOUND:
            hint = "check the id, and that the token's owner may see it"
        elif reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            hint = "see Label Studio's log, and try again"
        else:
            hint = "Label Studio's own words say what it does not accept"
        return LabelStudioError(
            f"Label Studio answers HTTP {reply.status} to {method} {path}"
            + (f": {detail}" if detail else ""),
            hint=hint,
            status=reply.status,
            detail=detail,
        )


def _detail(reply: Reply) -> str:
    """What an error's body says, without tags and logins; empty if it is a page."""
    try:
        body = reply.json()
    except ValueError:
        return ""
    if not isinstance(body, Mapping):
        return ""
    keys = ("validation_errors", "detail", "error")
    texts = next(filter(None, (list(_texts(body.get(key))) for key in keys)), [])
    return brief(_MARKUP.sub("", " ".join(" ".join(texts).split())), DETAIL_LENGTH)


def _texts(value: object) -> Iterator[str]:
    """The texts in a nested value, each after its key unless that is a general one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            name = "" if key == "non_field_errors" else f"{key}: "
            yield from (name + text for text in _texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
