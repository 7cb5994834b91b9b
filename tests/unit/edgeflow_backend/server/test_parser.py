from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest

from edgeflow_backend.server.parser import RequestParser

POST = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Limits:
    max_request_body_size: int = 1000
    url_scheme: str = "http"


def feed(data: bytes, *, step: int = 10**9) -> tuple[RequestParser, bytes]:
    """The parser and what it left, when the data come in pieces."""
    parser = RequestParser(Limits())
    while data and not parser.completed:
        taken = parser.received(data[:step])
        data = data[taken:]
    return parser, data


@pytest.mark.parametrize("step", [1, 2, 3, 7, 10**9])
@pytest.mark.parametrize(
    ("data", "body"),
    [
        (POST + b"\r\n", b""),
        (b"\r\n\r\n" + POST + b"Content-Length: 2\r\n\r\nab", b"ab"),
        (POST + b"Content-Length: 1000\r\n\r\n" + b"a" * 1000, b"a" * 1000),
        (CHUNKED + b"0\r\n\r\n", b""),
        (CHUNKED + b"2\r\nab\r\n00003\r\n\r\nc\r\n0\r\n\r\n", b"ab\r\nc"),
        (CHUNKED + b"A;a\r\n0123456789\r\n0;b=c\r\n\r\n", b"0123456789"),
        (CHUNKED + b'1 ; a = "\\";\xff" ;b=c\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n', b"x"),
        (CHUNKED + b"3E8\r\n" + b"a" * 1000 + b"\r\n0\r\n\r\n", b"a" * 1000),
    ],
)
def test_a_body_is_read_in_pieces_of_any_size(data: bytes, body: bytes, step: int) -> None:
    parser, rest = feed(data + b"GET next", step=step)
    assert parser.error is None
    assert parser.completed
    assert parser.get_body_stream().read() == body
    assert rest == b"GET next"
    if body:
        assert parser.headers["CONTENT_LENGTH"] == str(len(body))


@pytest.mark.parametrize("step", [1, 5, 10**9])
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (CHUNKED + b"\r\n", 400),
        (CHUNKED + b"zz\r\n", 400),
        (CHUNKED + b"-1\r\n", 400),
        (CHUNKED + b"+1\r\n", 400),
        (CHUNKED + b"0x1\r\n", 400),
        (CHUNKED + b"1_0\r\n", 400),
        (CHUNKED + b" 1\r\n", 400),
        (CHUNKED + b"1 \r\n", 400),
        (CHUNKED + b"1\n\r\n", 400),
        (CHUNKED + b"1\nx\n0\n\n", 400),
        (CHUNKED + b"\xc2\xb2\r\n", 400),
        (CHUNKED + b"1;\r\n", 400),
        (CHUNKED + b"1;=a\r\n", 400),
        (CHUNKED + b"1;a=\r\n", 400),
        (CHUNKED + b'1;a="\r\n', 400),
        (CHUNKED + b"1;a=\x00\r\n", 400),
        (CHUNKED + b"1,a\r\n", 400),
        (CHUNKED + b"1\r\nxy\r\n", 400),
        (CHUNKED + b"0\r\nno trailer\r\n\r\n", 400),
        (CHUNKED + b"0\r\nA : b\r\n\r\n", 400),
        (CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n", 400),
        (CHUNKED + b"0\r\nA: \x00\r\n\r\n", 400),
        (CHUNKED + b"f" * 17 + b"\r\n", 400),
        (CHUNKED + b"f" * 16 + b"\r\n", 413),
        (CHUNKED + b"3E8\r\n" + b"a" * 1000 + b"\r\n1\r\n", 413),
        (CHUNKED + b"1;a=" + b"b" * 5000, 431),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 65, 431),
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (POST + b"A: " + b"b" * 70_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"\x00", 400),
        (b"SSH-2.0-x\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    ],
)
def test_a_malformed_request_is_refused_as_soon_as_that_shows(
    data: bytes, status: int, step: int
) -> None:
    parser, _ = feed(data, step=step)
    assert parser.completed
    assert parser.error is not None
    assert parser.error.status == status
    assert parser.held == 0
    error = orjson.loads(parser.error.body())["error"]
    assert error.keys() == {"code", "message", "hint"}
    assert all(error.values())


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        (b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", True),
        (b"Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (b"Expect: 100-continue\r\n\r\n", False),
        (b"Expect: 100-continue\r\nContent-Length: 2000\r\n\r\n", False),
        (b"Expect: something\r\nContent-Length: 2\r\n\r\n", False),
        (b"Content-Length: 2\r\n\r\n", False),
    ],
)
def test_a_client_that_waits_for_a_word_gets_it_where_its_body_is_welcome(
    fields: bytes, *, waits: bool
) -> None:
    parser = RequestParser(Limits())
    parser.received(POST + fields)
    assert parser.expect_continue == waits
    assert parser.completed == (not waits and b"length: 2\r" not in fields.lower())


def test_what_is_held_is_known_at_every_stage() -> None:
    parser = RequestParser(Limits())
    assert (parser.held, parser.begun) == (0, False)
    parser.received(POST)
    assert (parser.held, parser.begun) == (len(POST), True)
    parser.received(b"Content-Length: 9\r\n\r\n")
    parser.received(b"abc")
    assert (parser.held, parser.begun) == (3, True)
