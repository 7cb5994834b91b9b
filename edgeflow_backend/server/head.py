"""A request's head (its first line and header fields), read strictly by RFC 9112.

What two servers could understand differently is refused, since that is how requests are smuggled
past a proxy: two lengths, folded lines, line feeds alone, a second ``Host``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from edgeflow_backend.server.refusal import RefusalError, bad_request

MAX_LINE = 8190
"""Most bytes of the first line."""

MAX_HEAD = 65_536
"""Most bytes of the head."""

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
FIELD = re.compile(rb"(" + TOKEN + rb"):([^\x00-\x08\x0a-\x1f\x7f]*)")
HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
ABSOLUTE = re.compile(r"https?://([^/?]*)([^?]*)(?:\?(.*))?", re.IGNORECASE)

SINGLE = frozenset({"HOST", "CONTENT_LENGTH", "CONTENT_TYPE", "AUTHORIZATION"})
"""Fields of which a request may have one."""

GATEWAY_NAMES = frozenset(
    {
        "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "PATH_TRANSLATED",
        "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_USER", "REQUEST_METHOD",
        "SCRIPT_NAME", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "TRANSFER_ENCODING",
    }
)  # fmt: skip
"""Fields that some server would take for its own variables, or for a field with a hyphen."""


@dataclass(frozen=True)
class Head:
    """The head of a request.

    Attributes:
        method: In capitals.
        target: As it was sent.
        path: Percent-decoded bytes as Latin-1 letters (PEP 3333).
        query: What follows the question mark, as it was sent.
        version: ``1.0`` or ``1.1``.
        fields: Values by name, in capitals and with underscores; repeated ones joined by commas.
        length: Bytes of the body; 0 where there is none, or where it comes in chunks.
        chunked: Whether the body comes in chunks.
    """

    method: str
    target: str
    path: str
    query: str
    version: str
    fields: dict[str, str]
    length: int
    chunked: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        expected = self.fields.get("EXPECT", "").lower() == "100-continue"
        return expected and self.version == "1.1" and (self.chunked or self.length > 0)


def parse_head(data: bytes) -> Head:
    """Read a head.

    Args:
        data: The head without the empty line that ends it.

    Raises:
        RefusalError: It breaks the rules.
    """
    first, *lines = data.split(b"\r\n")
    method, target, version = _request_line(first)
    fields: dict[str, str] = {}
    for name, value in _fields(lines):
        if name in fields and name in SINGLE:
            raise bad_request(f"the request has two {name.replace('_', '-').title()} fields")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    host, path, query = _target(method, target)
    if host:
        fields["HOST"] = host
    _check_host(fields, version)
    _settle_connection(fields)
    length, chunked = _framing(fields, version)
    decoded = unquote_to_bytes(path).decode("latin-1")
    return Head(method, target, decoded, query, version, fields, length, chunked)


def _request_line(line: bytes) -> tuple[str, str, str]:
    """Method, target and version."""
    if len(line) > MAX_LINE:
        raise RefusalError(HTTPStatus.REQUEST_URI_TOO_LONG, f"the URL is over {MAX_LINE} bytes")
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise bad_request("the request's first line is malformed")
    method, target, major, minor = (part.decode("ascii") for part in match.groups())
    if method != method.upper():
        raise bad_request("the request's method is not in capitals")
    if major != "1":
        raise RefusalError(
            HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this is not HTTP/1", "use HTTP/1.1"
        )
    return method, target, "1.0" if minor == "0" else "1.1"


def _fields(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = FIELD.fullmatch(line)
        if match is None:
            raise bad_request("a header field is malformed")
        name = match[1].upper().decode("ascii")
        if "_" in name:
            if name in GATEWAY_NAMES:
                raise bad_request("a header field has the name of a server's variable")
            continue  # indistinguishable from the one with a hyphen: left out, as by others
        yield name.replace("-", "_"), match[2].strip(b" \t").decode("latin-1")


def _target(method: str, target: str) -> tuple[str, str, str]:
    """Host (empty where the target has none), path and query."""
    if method == "CONNECT":
        raise RefusalError(HTTPStatus.NOT_IMPLEMENTED, "this is no proxy")
    if "#" in target:
        raise bad_request("the URL has a fragment")
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return "", path, query
    if target == "*" and method == "OPTIONS":
        return "", "/", ""
    match = ABSOLUTE.fullmatch(target)
    if match is None or not HOST.fullmatch(match[1]):
        raise bad_request("the request's URL is malformed")
    return match[1], match[2] or "/", match[3] or ""


def _check_host(fields: dict[str, str], version: str) -> None:
    host = fields.get("HOST")
    if host is None:
        if version == "1.1":
            raise bad_request("the request has no Host field")
    elif host and not HOST.fullmatch(host):
        raise bad_request("the Host field is malformed")


def _settle_connection(fields: dict[str, str]) -> None:
    """Leave one option, since others are compared with the whole value."""
    options = {option.strip().lower() for option in fields.get("CONNECTION", "").split(",")}
    for option in ("close", "keep-alive"):
        if option in options:
            fields["CONNECTION"] = option
            break


def _framing(fields: dict[str, str], version: str) -> tuple[int, bool]:
    """Length of the body, and whether it comes in chunks instead."""
    length, codings = fields.get("CONTENT_LENGTH"), fields.pop("TRANSFER_ENCODING", None)
    if codings is not None:
        if length is not None:
            raise bad_request("the request has both Content-Length and Transfer-Encoding")
        if version == "1.0":
            raise bad_request("HTTP/1.0 has no Transfer-Encoding")
        names = [name.strip(" \t").lower() for name in codings.split(",")]
        if "chunked" in names[:-1] or not all(names):
            raise bad_request("the Transfer-Encoding field is malformed")
        if names != ["chunked"]:
            raise RefusalError(
                HTTPStatus.NOT_IMPLEMENTED, "unknown Transfer-Encoding", "use chunked, or none"
            )
        return 0, True
    if length is None:
        return 0, False
    if not (length.isascii() and length.isdigit()):
        raise bad_request("the Content-Length field is malformed")
    return int(length) if len(length) < 20 else 10**20, False
