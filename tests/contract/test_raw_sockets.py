"""What a socket may be sent: malformed HTTP, and clients that hold on, beside an annotator."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import orjson
import pytest
import requests

from benchmarks.slow_clients.clients import KINDS
from benchmarks.slow_clients.processes import memory_mb
from demo.label_studio import Service
from tests.contract.wire import check_brush_region, keypoint, read_to_the_end, request

CLIENTS = 100
PATIENCE_S = 30
GOOD = request(keypoint(45, 60))
HOST = b"Host: x\r\n"
HOOK = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"
CHUNKS = HOOK + b"Transfer-Encoding: chunked\r\n\r\n"
ACTION = b'11\r\n{"action": "A_B"}\r\n'


def connect(url: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=PATIENCE_S)
    client.settimeout(PATIENCE_S)
    return client


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(autouse=True)
def _no_traceback_is_logged(backend_service: Service) -> Iterator[None]:
    yield
    assert "Traceback" not in backend_service.log.read_text()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (CHUNKS + b"zz\r\n", 400),
        (CHUNKS + b"1;=\r\n", 400),
        (CHUNKS + ACTION + b"0\r\nno trailer\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /x\r\n\r\n", 400),
        (HOOK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HOOK + b"Content-Length: -1\r\n\r\n", 400),
        (HOOK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (HOOK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (KINDS["tls-hello"][0], 400),
        (HOOK + b"Content-Length: 9000000\r\n\r\n" + b" " * 9_000_000, 413),
    ],
)
def test_a_malformed_request_gets_an_error_in_json_and_the_connection_ends(
    backend_url: str, data: bytes, status: int
) -> None:
    with connect(backend_url) as client:
        client.sendall(data)
        answer = read_to_the_end(client)
    assert status_of(answer) == status
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    error = orjson.loads(content)["error"]
    assert error.keys() == {"code", "message", "hint"}
    assert all(error.values())


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\n", 200),
        (b"HEAD /health HTTP/1.1\r\nHost: x\r\n", 200),
        (b"OPTIONS /predict HTTP/1.1\r\nHost: x\r\n", 200),
        (b"GET http://x/health HTTP/1.1\r\nHost: y\r\n", 200),
        (b"GET //health HTTP/1.1\r\nHost: x\r\n", 200),
        (b"GET /hosts//health HTTP/1.1\r\nHost: x\r\n", 404),
        (b"GET /hosts/a%2Fb/health HTTP/1.1\r\nHost: x\r\n", 404),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\n", 404),
        (b"GET /%ff%zz HTTP/1.1\r\nHost: x\r\n", 404),
        (b"DELETE /predict HTTP/1.1\r\nHost: x\r\n", 405),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: evil\r\nX_A: b\r\n", 200),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xe4\r\n", 200),
    ],
)
def test_an_unusual_request_gets_an_answer(backend_url: str, data: bytes, status: int) -> None:
    with connect(backend_url) as client:
        client.sendall(data + b"Connection: close\r\n\r\n")
        answer = read_to_the_end(client)
    assert status_of(answer) == status
    assert b"evil" not in answer


@pytest.mark.parametrize(
    "chunks",
    [
        ACTION + b"0\r\n\r\n",
        b'11;a=b ; c="d;e"\r\n{"action": "A_B"}\r\n0;f\r\n\r\n',
        ACTION + b"0\r\nChecksum: 1\r\nOther: 2\r\n\r\n",
    ],
)
def test_well_formed_chunks_are_read_with_extensions_and_trailers(
    backend_url: str, chunks: bytes
) -> None:
    with connect(backend_url) as client:
        client.sendall(HOOK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert status_of(read_to_the_end(client)) == 201


def test_pipelined_requests_are_answered_in_order(backend_url: str) -> None:
    with connect(backend_url) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.0\r\n\r\n")
        answer = read_to_the_end(client)
    assert answer.index(b"200 OK") < answer.index(b"404 NOT FOUND")


def test_a_client_that_waits_for_a_word_before_its_body_gets_it(backend_url: str) -> None:
    with connect(backend_url) as client:
        head = b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n"
        client.sendall(HOOK + head)
        assert b"100 Continue" in client.recv(100)
        client.sendall(b'{"action": "A_B"}')
        assert status_of(read_to_the_end(client)) == 201


@pytest.mark.slow
def test_a_head_that_does_not_come_is_ended_with_a_408(backend_url: str) -> None:
    started = time.monotonic()
    with connect(backend_url) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost")
        answer = read_to_the_end(client)
    assert status_of(answer) == 408
    assert time.monotonic() - started < PATIENCE_S


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_click_is_answered_while_a_hundred_slow_clients_hold_on(
    backend_url: str, backend_service: Service, kind: str
) -> None:
    before = memory_mb(backend_service)
    with contextlib.ExitStack() as clients:
        for _ in range(CLIENTS):
            client = clients.enter_context(connect(backend_url))
            client.sendall(KINDS[kind][0])
            if kind == "half-closed":
                client.shutdown(socket.SHUT_WR)
        for _ in range(3):
            answer = requests.post(f"{backend_url}/predict", json=GOOD, timeout=PATIENCE_S).json()
            check_brush_region(answer["results"][0]["result"][0], GOOD)
            assert requests.get(f"{backend_url}/health", timeout=PATIENCE_S).ok
        assert memory_mb(backend_service) - before < 200
