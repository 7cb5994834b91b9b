from __future__ import annotations

import pytest

from edgeflow_backend.server.head import parse_head
from edgeflow_backend.server.refusal import RefusalError

GET = b"GET / HTTP/1.1\r\nHost: x"


def status(data: bytes) -> int:
    with pytest.raises(RefusalError) as caught:
        parse_head(data)
    return caught.value.status.value


@pytest.mark.parametrize(
    ("data", "path", "query", "host"),
    [
        (GET, "/", "", "x"),
        (b"GET /a%20b?c=%20 HTTP/1.1\r\nHost: x:80", "/a b", "c=%20", "x:80"),
        (b"GET /a HTTP/1.1\r\nhOsT:\t x \t", "/a", "", "x"),
        (b"GET /%C3%A4 HTTP/1.1\r\nHost:", "/Ã¤", "", ""),
        (b"GET /%zz%00 HTTP/1.1\r\nHost: [::1]:9", "/%zz\0", "", "[::1]:9"),
        (b"GET HTTP://a.b:1/c?d HTTP/1.1\r\nHost: x", "/c", "d", "a.b:1"),
        (b"GET http://a HTTP/1.1\r\nHost: x", "/", "", "a"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x", "/", "", "x"),
        (b"GET //a//b HTTP/1.1\r\nHost: x", "//a//b", "", "x"),
    ],
)
def test_the_url_is_read_in_every_form(data: bytes, path: str, query: str, host: str) -> None:
    head = parse_head(data)
    assert (head.path, head.query, head.fields["HOST"]) == (path, query, host)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", 400),
        (b"GET /", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET /a b HTTP/1.1", 400),
        (b"GET /\xc3\xa4 HTTP/1.1", 400),
        (b"GET /\x00 HTTP/1.1", 400),
        (b"GET a HTTP/1.1", 400),
        (b"GET /#a HTTP/1.1", 400),
        (b"GET http://[::1/ HTTP/1.1", 400),
        (b"GET http:/// HTTP/1.1", 400),
        (b"GET ftp://a/ HTTP/1.1", 400),
        (b"GET * HTTP/1.1", 400),
        (b"get / HTTP/1.1", 400),
        (b"G\xc3\x84T / HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET / HTTP/11", 400),
        (b"GET / HTTP/2.0", 505),
        (b"CONNECT a:443 HTTP/1.1", 501),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1", 414),
    ],
)
def test_a_malformed_first_line_is_refused(line: bytes, expected: int) -> None:
    assert status(line + b"\r\nHost: x") == expected


@pytest.mark.parametrize(
    "field",
    [
        b"A : b",
        b"A\xff: b",
        b": b",
        b"A b: c",
        b"A",
        b"A: b\r\n c",
        b"A: b\r\n\tc",
        b" A: b",
        b"A: b\nB: c",
        b"A: b\rB: c",
        b"A: \x00",
        b"A: \x7f",
        b"Host: y",
        b"SCRIPT_NAME: /a",
        b"Script_Name: /a",
        b"PATH_INFO: /a",
        b"REMOTE_USER: root",
        b"Content_Length: 3",
        b"Transfer_Encoding: chunked",
    ],
)
def test_a_malformed_or_misleading_field_is_refused(field: bytes) -> None:
    assert status(GET + b"\r\n" + field) == 400


@pytest.mark.parametrize("name", [b"Authorization", b"content-type", b"Content-Length", b"HOST"])
def test_of_a_field_that_is_alone_a_second_one_is_refused(name: bytes) -> None:
    field = name + b": 1\r\n"
    with pytest.raises(RefusalError, match="the request has two"):
        parse_head(b"POST / HTTP/1.1\r\nHost: x\r\n" + field + b"A: b\r\n" + field.strip())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1\r\nHost: a b", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b", 400),
        (b"GET / HTTP/1.1\r\nHost: \xe4", 400),
        (b"GET / HTTP/1.1\r\nHost: a, b", 400),
    ],
)
def test_a_missing_or_malformed_host_is_refused(data: bytes, expected: int) -> None:
    assert status(data) == expected


def test_http_1_0_needs_no_host() -> None:
    assert parse_head(b"GET / HTTP/1.0").version == "1.0"


@pytest.mark.parametrize(
    ("fields", "length", "chunked"),
    [
        (b"", 0, False),
        (b"\r\nContent-Length: 0", 0, False),
        (b"\r\nContent-Length: 007", 7, False),
        (b"\r\nContent-Length:\t9 ", 9, False),
        (b"\r\nTransfer-Encoding: chunked", 0, True),
        (b"\r\nTransfer-Encoding: CHUNKED", 0, True),
    ],
)
def test_the_length_is_read(fields: bytes, length: int, *, chunked: bool) -> None:
    head = parse_head(b"POST / HTTP/1.1\r\nHost: x" + fields)
    assert (head.length, head.chunked) == (length, chunked)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"Content-Length: -1", 400),
        (b"Content-Length: +1", 400),
        (b"Content-Length: 1.0", 400),
        (b"Content-Length: 0x1", 400),
        (b"Content-Length: 1 1", 400),
        (b"Content-Length: 1, 1", 400),
        (b"Content-Length:", 400),
        (b"Content-Length: \xb2", 400),
        (b"Content-Length: 1\r\nContent-Length: 1", 400),
        (b"Content-Length: 1\r\nContent-Length: 2", 400),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked, chunked", 400),
        (b"Transfer-Encoding: chunked, gzip", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        (b"Transfer-Encoding:", 400),
        (b"Transfer-Encoding: gzip", 501),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: xchunked", 501),
        (b"Transfer-Encoding: \x85chunked", 501),
    ],
)
def test_a_length_that_two_servers_could_read_differently_is_refused(
    fields: bytes, expected: int
) -> None:
    assert status(b"POST / HTTP/1.1\r\nHost: x\r\n" + fields) == expected


def test_http_1_0_has_no_chunks() -> None:
    assert status(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked") == 400


def test_a_length_of_thousands_of_digits_is_a_large_one() -> None:
    head = parse_head(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000)
    assert head.length == 10**20


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"close", "close"),
        (b"TE, Close", "close"),
        (b"keep-alive, close", "close"),
        (b"Keep-Alive", "keep-alive"),
        (b"upgrade", "upgrade"),
    ],
)
def test_the_connection_option_that_matters_is_kept(value: bytes, kept: str) -> None:
    assert parse_head(GET + b"\r\nConnection: " + value).fields["CONNECTION"] == kept


def test_a_field_with_an_underscore_is_left_out() -> None:
    assert "X_B" not in parse_head(GET + b"\r\nX_B: 1\r\nX-C: 2").fields


def test_sixty_thousand_blanks_take_no_time() -> None:
    head = parse_head(GET + b"\r\nA:" + b" " * 60_000 + b"b")
    assert head.fields["A"] == "b"
