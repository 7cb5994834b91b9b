from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import orjson
import pytest
from flask import Flask, request
from waitress.server import BaseWSGIServer  # type: ignore[import-untyped]

from edgeflow_backend import log
from edgeflow_backend.server import channel, limits
from edgeflow_backend.server.lanes import PAGE_REST
from edgeflow_backend.server.listener import ListenError, listen
from edgeflow_backend.server.refusal import RefusalError
from edgeflow_backend.server.server import CHECK_S, Server
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics
from tests.contract.wire import read_to_the_end

PATIENCE_S = 10.0
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Running:
    """A server with a small application, in a thread of its own."""

    def __init__(self, **settings: float) -> None:
        app = Flask("small")
        self.gate = threading.Event()

        @app.route("/health")
        def health() -> str:
            return "well"

        @app.route("/metrics")
        def metrics() -> str:
            until = time.thread_time() + 0.01
            while time.thread_time() < until:
                pass
            return "pages"

        @app.post("/wait")
        def wait() -> str:
            self.gate.wait(PATIENCE_S)
            return str(len(request.get_data()))

        @app.route("/fail/<path:_>")
        def fail(_: str) -> str:
            raise RuntimeError

        app.config["PROPAGATE_EXCEPTIONS"] = True  # past the application's own care
        self.metrics = Metrics()
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.server = Server(app, listener, Settings.model_validate(settings), self.metrics)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def connect(self, data: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        client.sendall(data)
        return client

    def ask(self, data: bytes = GET) -> bytes:
        with self.connect(data) as client:
            return client.recv(65_536)

    def dropped(self, reason: str) -> float:
        return float(self.metrics.dropped.labels(reason)._value.get())

    def stop(self) -> None:
        self.gate.set()
        self.server.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


Run = Callable[..., Running]


@pytest.fixture
def run() -> Iterator[Run]:
    with contextlib.ExitStack() as stack:

        def start(**settings: float) -> Running:
            running = Running(**settings)
            stack.callback(running.stop)
            return running

        yield start


def read_until(client: socket.socket, end: bytes) -> None:
    answer = b""
    while not answer.endswith(end):
        data = client.recv(65_536)
        assert data, answer
        answer += data


@pytest.mark.parametrize(
    ("limit", "seconds", "sent", "answer"),
    [
        ("SILENT_S", 0.2, b"", b""),
        ("HEAD_S", 0.2, b"GET / HT", b"HTTP/1.1 408 "),
        ("KEEP_ALIVE_S", 0.2, GET, b"HTTP/1.1 200 "),
    ],
)
def test_a_late_client_is_sent_away(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    seconds: float,
    sent: bytes,
    answer: bytes,
) -> None:
    monkeypatch.setattr(channel, limit, seconds)
    with run().connect(sent) as client:
        assert read_to_the_end(client).startswith(answer)


def test_a_body_that_never_ends_is_sent_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "body_deadline", lambda begun, _: begun + 0.2)
    with run().connect(b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na") as client:
        assert b" 408 " in read_to_the_end(client)


@pytest.mark.parametrize(
    ("seconds", "size", "late"),
    [(24, 0, False), (26, 0, True), (26, 100_000, False), (500, 64_000_000, False)],
)
def test_a_body_may_take_longer_the_more_of_it_came(
    seconds: float, size: int, *, late: bool
) -> None:
    assert (limits.body_deadline(0, size) < seconds) == late


def test_a_new_client_takes_the_place_of_a_silent_one(run: Run) -> None:
    running = run(max_connections=16)
    with contextlib.ExitStack() as clients:
        known = clients.enter_context(running.connect(GET))
        read_until(known, b"well")
        for _ in range(40):
            clients.enter_context(running.connect())
        assert b" 200 " in running.ask()
        known.sendall(GET)
        read_until(known, b"well")
    assert running.dropped("no_room") >= 25


def test_health_is_answered_while_every_thread_is_busy(run: Run) -> None:
    running = run(http_threads=2, queue_limit=1)
    waiting = b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    with contextlib.ExitStack() as clients:
        for _ in range(8):
            clients.enter_context(running.connect(waiting))
        assert b" 200 " in running.ask()
        running.gate.set()


def test_the_bytes_of_all_bodies_are_bounded(run: Run) -> None:
    running = run(max_body_mb=2)
    head = b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(running.connect(head + b" " * 1_900_000)) for _ in range(8)]
        refusal = read_to_the_end(clients[0])
        assert b" 503 " in refusal
        assert b"\r\nRetry-After: 2\r\n" in refusal
        assert b" 200 " in running.ask()


def test_large_bodies_wait_for_each_other(run: Run) -> None:
    running = run(max_body_mb=2)
    whole = b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1500000\r\n\r\n" + b" " * 1_500_000
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(running.connect(whole)) for _ in range(4)]
        running.gate.set()
        for client in clients:
            read_until(client, b"\r\n\r\n1500000")


def test_a_request_under_way_is_answered_before_the_end(run: Run) -> None:
    running = run()
    with running.connect(
        b"POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    ) as client:
        time.sleep(0.2)
        running.server.stop()
        time.sleep(0.6)
        with pytest.raises(ConnectionRefusedError):
            running.connect()
        running.gate.set()
        assert read_to_the_end(client).endswith(b"2")


def test_an_idle_client_sees_the_end_without_a_reset(run: Run) -> None:
    running = run()
    with running.connect(GET) as client:
        read_until(client, b"well")
        running.server.stop()
        assert client.recv(1) == b""


def test_a_stop_that_the_loop_notices_by_itself_is_no_error(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = run()
    pull = BaseWSGIServer.pull_trigger

    def pull_late(server: BaseWSGIServer) -> None:
        running.thread.join(3 * CHECK_S)
        pull(server)

    monkeypatch.setattr(BaseWSGIServer, "pull_trigger", pull_late)
    running.stop()


def test_pages_rest_between_each_other(run: Run) -> None:
    running = run()
    with contextlib.ExitStack() as stack:
        started = time.monotonic()
        page = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        clients = [stack.enter_context(running.connect(page)) for _ in range(5)]
        for client in clients:
            read_until(client, b"pages")
    assert time.monotonic() - started > 4 * 0.01 * PAGE_REST


SECRET = b"s3cret-0123456789abcdef"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /fail/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Token %s\r\n\r\n", 500),
        (b"GET /%s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", 404),
        (b"GET /health?token=%s HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", 200),
        (b"%s %s\r\n\r\n", 400),
        (b"GET /%s HTTP/1.1\r\nHost: x\r\nAuthorization %s\r\n\r\n", 400),
        (b"GET /%s HTTP/1.1\r\nHost: x@%s\r\n\r\n", 400),
        (b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n", 400),
        (b"POST /%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %s\r\n\r\n", 501),
        (b"POST /%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n", 400),
        (b"CONNECT %s:443 HTTP/1.1\r\nHost: %s\r\n\r\n", 501),
    ],
)
def test_nothing_a_client_sends_is_logged(
    run: Run, capfd: pytest.CaptureFixture[str], sent: bytes, status: int
) -> None:
    log.configure("DEBUG", "json")
    running = run()
    answer = running.ask(sent % (SECRET, SECRET))
    assert int(answer.split(b" ", 2)[1]) == status
    with running.connect(sent % (SECRET, SECRET)):
        pass  # gone before the answer
    running.stop()
    said = "".join(capfd.readouterr())
    assert SECRET.decode() not in said
    if status >= 500 and b"fail" in sent:
        assert "unexpected error" in said


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (408, "request_timeout"),
        (413, "request_entity_too_large"),
        (414, "request_uri_too_long"),
        (431, "request_header_fields_too_large"),
        (500, "internal"),
        (501, "not_implemented"),
        (503, "service_unavailable"),
        (505, "http_version_not_supported"),
    ],
)
def test_a_refusal_has_the_form_of_the_applications_errors(status: int, code: str) -> None:
    error = orjson.loads(RefusalError(HTTPStatus(status), "what is wrong").body())["error"]
    assert error.pop("hint")
    assert error == {"code": code, "message": "what is wrong"}


def test_a_signal_ends_the_process_after_the_answer_to_a_request_under_way() -> None:
    code = """
import sys, time
from edgeflow_backend.server.listener import listen
from edgeflow_backend.server.server import CHECK_S, Server
from edgeflow_backend.settings import Settings
from edgeflow_backend.status.metrics import Metrics

def application(environ, start_response):
    print("begun", flush=True)
    time.sleep(1.0)
    start_response("200 OK", [("Content-Length", "6")])
    return [b"answer"]

listener = listen("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
Server(application, listener, Settings(), Metrics()).run()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGTERM)
            assert read_to_the_end(client).endswith(b"answer")
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::", "::1", "[::1]", ""])
def test_it_listens_on_names_and_both_kinds_of_ips(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        assert not os.environ.get("CI"), "CI needs IPv6"
        pytest.skip("no IPv6 here")
    with listen(host, 0) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.parametrize(
    ("host", "said"), [("no.such.host.invalid", "unknown"), ("192.0.2.1", "no IP of this machine")]
)
def test_where_it_cannot_listen_is_said_in_words(host: str, said: str) -> None:
    with pytest.raises(ListenError, match=said) as caught:
        listen(host, 0)
    assert caught.value.hint
