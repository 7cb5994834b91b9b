"""What both transports promise: one Label Studio, no redirects, nothing of the environment."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import PlainTransport, Transport
from edgeflow_backend.label_studio.transport import GuardedTransport
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, closed_port, redirect

TOKEN = {"Authorization": "Token 0123456789abcdef0123456789abcdef01234567"}

Connect = Callable[..., Transport]


@pytest.fixture(params=["plain", "guarded"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Makes a transport to a URL."""
    kind = PlainTransport if request.param == "plain" else GuardedTransport

    def make(url: str, *, silence_s: float = 1.0) -> Transport:
        return kind(url, timeout=(1.0, silence_s), url_setting="THE_URL")

    return make


def refusal(transport: Transport) -> LabelStudioError:
    """The error of a request with a token; checked not to hold it."""
    with pytest.raises(LabelStudioError) as caught:
        transport.send("GET", "/api/x", headers=TOKEN)
    assert caught.value.hint
    assert TOKEN["Authorization"] not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_a_request_and_its_answer_arrive_whole(host: Host, connect: Connect) -> None:
    host.routes["/api/x"] = Reply(418, b'{"a": 1}', {"X-Kind": "tea"})
    reply = connect(host.url).send(
        "PATCH", "/api/x", headers=TOKEN, params={"page": 2}, json={"b": [1]}
    )
    assert (reply.status, reply.headers["x-kind"], reply.json()) == (418, "tea", {"a": 1})
    assert not reply.ok
    (request,) = host.received
    assert (request.method, request.path) == ("PATCH", "/api/x?page=2")
    assert json.loads(request.body) == {"b": [1]}
    assert request.headers["authorization"] == TOKEN["Authorization"]
    assert request.headers["user-agent"].startswith("edgeflow")


def test_a_path_of_the_url_comes_first(host: Host, connect: Connect) -> None:
    connect(f"{host.url}/ls").send("GET", "/api/x", headers={})
    assert host.received[0].path == "/ls/api/x"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    host: Host, other_host: Host, connect: Connect, status: int
) -> None:
    host.routes["*"] = redirect(f"{other_host.url}/api/x", status)
    error = refusal(connect(host.url))
    assert "redirects" in error.message
    assert "THE_URL" in error.hint
    assert other_host.received == []


def test_a_label_studio_that_is_not_there_is_told(connect: Connect) -> None:
    error = refusal(connect(f"http://127.0.0.1:{closed_port()}"))
    assert "does not answer" in error.message
    assert "THE_URL" in error.hint
    assert error.status is None


def test_a_label_studio_that_stays_silent_is_given_up_in_time(host: Host, connect: Connect) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes["*"] = silent
    started = time.monotonic()
    refusal(connect(host.url, silence_s=0.2))
    assert time.monotonic() - started < 3


def test_a_token_is_not_sent_through_a_proxy_of_the_environment(
    host: Host, other_host: Host, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_host.url)
    connect(host.url).send("GET", "/api/x", headers=TOKEN)
    assert len(host.received) == 1
    assert other_host.received == []


def test_passwords_of_a_netrc_file_are_not_sent(
    host: Host, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    connect(host.url).send("GET", "/api/x", headers={})
    assert "authorization" not in host.received[0].headers


def test_the_environments_proxy_is_used_where_that_is_asked(
    other_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", other_host.url)
    PlainTransport("http://labels.example", trust_env=True).send("GET", "/api/x", headers={})
    assert other_host.received[0].path == "http://labels.example/api/x"


def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelStudioError, match="does not answer"):
        PlainTransport("https://127.0.0.1:9", ca_bundle=str(tmp_path / "none.pem")).send(
            "GET", "/", headers={}
        )
