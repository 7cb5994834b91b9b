from __future__ import annotations

import json
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest

from edgeflow.label_studio.api import credentials as module
from edgeflow.label_studio.api.credentials import Credentials
from edgeflow.label_studio.api.errors import LabelStudioError
from edgeflow.label_studio.api.transport import PlainTransport
from tests.unit.edgeflow_backend.loopback import Host, Received, Reply, redirect

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
    return Credentials(PlainTransport(host.url, timeout=TIMEOUT), token)


def refusal(subject: Credentials) -> LabelStudioError:
    """The error of asking for a header; checked to hold no token."""
    with pytest.raises(LabelStudioError) as caught:
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


@pytest.mark.parametrize("token", ["012…567", "Ключ", "two\nlines", "abc\r\nX-Other: 1"])
def test_a_token_that_no_header_can_hold_is_refused_with_the_way_out(
    host: Host, token: str
) -> None:
    error = refusal(credentials(host, token))
    assert "LABEL_STUDIO_API_KEY" in error.hint
    assert token not in error.message


def test_hints_call_the_settings_as_they_were_named(host: Host) -> None:
    carrier = PlainTransport(host.url, timeout=TIMEOUT)
    subject = Credentials(carrier, "012…567", token_setting="--token", url_setting="--url")
    assert "--token" in refusal(subject).hint
    host.routes[REFRESH] = Reply(200, b"no JSON")
    subject = Credentials(carrier, PERSONAL, token_setting="--token", url_setting="--url")
    assert "--url" in refusal(subject).hint


def test_a_login_goes_beside_a_legacy_token(host: Host) -> None:
    subject = Credentials(PlainTransport(host.url), LEGACY, login="anna:secret")
    login = {"Authorization": "Basic YW5uYTpzZWNyZXQ="}
    assert subject.header() == {**login, "X-Api-Key": LEGACY}
    subject.forget()
    assert subject.header() == {"Authorization": f"Token {LEGACY}"}, "perhaps nobody wanted it"
    subject.forget()
    assert subject.header() == {**login, "X-Api-Key": LEGACY}


def test_a_login_goes_with_the_exchange(host: Host) -> None:
    host.routes[REFRESH] = Exchange()
    subject = Credentials(PlainTransport(host.url), PERSONAL, login="anna:secret")
    subject.header()
    assert host.received[0].headers["authorization"].startswith("Basic ")
    assert "need the same header" in subject.advice
