from __future__ import annotations

import json
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from edgeflow_backend.errors import FetchError
from edgeflow_backend.images import credentials as module
from edgeflow_backend.images.credentials import Credentials
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, closed_port, redirect

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl"
REFRESH = "/api/token/refresh/"
TIMEOUT = (1.0, 1.0)


class Exchange:
    """Label Studio's exchange of personal access tokens."""

    def __init__(self, *, delay_s: float = 0.0) -> None:
        self.count = 0
        self._delay_s = delay_s

    def __call__(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        if json.loads(request.body) != {"refresh": PERSONAL}:
            return Reply(401, b'{"detail": "Token is invalid"}')
        time.sleep(self._delay_s)
        self.count += 1
        return Reply(200, json.dumps({"access": f"access-{self.count}"}).encode())


def credentials(host: Host, token: str = PERSONAL) -> Credentials:
    return Credentials(host.url, token, timeout=TIMEOUT)


def refusal(subject: Credentials) -> FetchError:
    """The error of asking for a header; checked to hold no token."""
    with pytest.raises(FetchError) as caught:
        subject.header()
    assert caught.value.hint
    whole = "".join(traceback.format_exception(caught.value))
    for text in (caught.value.message, caught.value.hint, repr(caught.value), whole):
        assert PERSONAL not in text
        assert LEGACY not in text
    return caught.value


def test_without_a_token_no_header_is_sent(host: Host) -> None:
    assert credentials(host, "").header() == {}
    assert credentials(host, "  \n").header() == {}
    assert host.received == []


def test_a_legacy_token_is_sent_as_it_is(host: Host) -> None:
    subject = credentials(host, LEGACY)
    assert subject.header() == {"Authorization": f"Token {LEGACY}"}
    assert not subject.is_personal
    assert host.received == []


def test_spaces_around_a_token_do_no_harm(host: Host) -> None:
    assert credentials(host, f" {LEGACY}\n").header() == {"Authorization": f"Token {LEGACY}"}


def test_a_personal_access_token_is_exchanged(host: Host) -> None:
    host.routes[REFRESH] = Exchange()
    subject = credentials(host)
    assert subject.is_personal
    assert subject.header() == {"Authorization": "Bearer access-1"}
    (request,) = host.received
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers


def test_an_access_token_is_used_until_it_expires(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ACCESS_TOKEN_LIFE_S", 0.2)
    host.routes[REFRESH] = exchange = Exchange()
    subject = credentials(host)
    started = time.monotonic()
    headers = [subject.header() for _ in range(5)]
    if time.monotonic() - started < 0.2:
        assert headers == [{"Authorization": "Bearer access-1"}] * 5
    time.sleep(0.25)
    before = exchange.count
    assert subject.header() == {"Authorization": f"Bearer access-{before + 1}"}


def test_an_access_token_is_renewed_before_label_studio_drops_it() -> None:
    assert 60 < module.ACCESS_TOKEN_LIFE_S < 300


def test_a_forgotten_access_token_is_renewed(host: Host) -> None:
    host.routes[REFRESH] = Exchange()
    subject = credentials(host)
    subject.header()
    subject.forget()
    assert subject.header() == {"Authorization": "Bearer access-2"}


def test_forgetting_does_not_lose_a_legacy_token(host: Host) -> None:
    subject = credentials(host, LEGACY)
    subject.forget()
    assert subject.header() == {"Authorization": f"Token {LEGACY}"}


def test_many_threads_exchange_a_token_once(host: Host) -> None:
    host.routes[REFRESH] = exchange = Exchange(delay_s=0.1)
    subject = credentials(host)
    with ThreadPoolExecutor(8) as pool:
        headers = list(pool.map(lambda _: subject.header(), range(16)))
    assert headers == [{"Authorization": "Bearer access-1"}] * 16
    assert exchange.count == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refused_token_is_told_with_the_way_out(host: Host, status: int) -> None:
    host.routes[REFRESH] = Reply(status, b'{"detail": "no"}')
    error = refusal(credentials(host))
    assert f"HTTP {status}" in error.message
    assert "personal access token" in error.message
    assert "LABEL_STUDIO_API_KEY" in error.hint


def test_a_refusal_is_not_remembered(host: Host) -> None:
    host.routes[REFRESH] = Reply(401)
    subject = credentials(host)
    refusal(subject)
    host.routes[REFRESH] = Exchange()
    assert subject.header() == {"Authorization": "Bearer access-1"}


@pytest.mark.parametrize(
    "body", [b"", b"<html>Log in</html>", b"[]", b"null", b"{}", b'{"access": 5}', b"\xff"]
)
def test_an_answer_without_an_access_token_is_an_error(host: Host, body: bytes) -> None:
    host.routes[REFRESH] = Reply(200, body)
    refusal(credentials(host))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_is_not_carried_along_a_redirect(host: Host, other_host: Host, status: int) -> None:
    host.routes[REFRESH] = redirect(f"{other_host.url}{REFRESH}", status)
    refusal(credentials(host))
    assert other_host.received == []


def test_a_label_studio_that_is_not_there_is_told() -> None:
    subject = Credentials(f"http://127.0.0.1:{closed_port()}", PERSONAL, timeout=TIMEOUT)
    error = refusal(subject)
    assert "LABEL_STUDIO_URL" in error.hint


def test_a_label_studio_that_stays_silent_is_given_up_in_time(host: Host) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes[REFRESH] = silent
    started = time.monotonic()
    refusal(Credentials(host.url, PERSONAL, timeout=(1.0, 0.2)))
    assert time.monotonic() - started < 3


def test_a_token_is_not_sent_through_a_proxy_of_the_environment(
    host: Host, other_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.routes[REFRESH] = Exchange()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_host.url)
    assert credentials(host).header() == {"Authorization": "Bearer access-1"}
    assert other_host.received == []


def test_passwords_of_a_netrc_file_are_not_sent(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    host.routes[REFRESH] = Exchange()
    credentials(host).header()
    assert "authorization" not in host.received[0].headers


@pytest.mark.parametrize("token", ["012…567", "Ключ", "two\nlines", "abc\r\nX-Other: 1"])
def test_a_token_that_no_header_can_hold_is_refused_with_the_way_out(
    host: Host, token: str
) -> None:
    error = refusal(credentials(host, token))
    assert "LABEL_STUDIO_API_KEY" in error.hint
    assert token not in error.message


@pytest.mark.parametrize("answer", [Reply(401), Reply(200, b"{}"), Reply(200, b"no JSON")])
def test_with_several_label_studios_the_way_out_names_the_one(host: Host, answer: Reply) -> None:
    host.routes[REFRESH] = answer
    error = refusal(Credentials(host.url, PERSONAL, timeout=TIMEOUT, host="team-b"))
    assert "'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in error.hint
    assert "LABEL_STUDIO_API_KEY" not in error.hint


def test_with_several_label_studios_a_bad_tokens_way_out_names_the_one(host: Host) -> None:
    error = refusal(Credentials(host.url, "012…567", timeout=TIMEOUT, host="team-b"))
    assert "the api_key of 'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in error.hint
