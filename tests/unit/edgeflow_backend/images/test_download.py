from __future__ import annotations

import contextlib
import gzip
import json
import time
import tracemalloc
import zlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from edgeflow.label_studio.api.credentials import Credentials
from edgeflow_backend.errors import FetchError
from edgeflow_backend.images.download import MAX_REDIRECTS, Downloader, Limits
from edgeflow_backend.label_studio.access import credentials_of
from edgeflow_backend.label_studio.transport import GuardedTransport
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.loopback import (
    Host,
    Received,
    Reply,
    closed_port,
    redirect,
    send,
)

TOKEN = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl"
IMAGE = bytes(range(256)) * 16
LIMITS = Limits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=100_000)
HASTY = Limits(connect_s=1.0, read_s=0.3, total_s=0.6, max_bytes=100_000)
SLACK_S = 1.5


def downloader(home: str, limits: Limits = LIMITS, token: str = TOKEN) -> Downloader:
    """One that may fetch from loopback, where these tests' hosts are."""
    guard = Guard([home], AllowList.parse("127.0.0.1"))
    return Downloader(
        home, Credentials(GuardedTransport(home, timeout=(1.0, 1.0)), token), limits, guard
    )


def refusal(subject: Downloader, url: str) -> FetchError:
    """The error of a fetch; checked to hold no token and to say a way out."""
    with pytest.raises(FetchError) as caught:
        subject.fetch(url)
    said = caught.value.message + caught.value.hint
    assert caught.value.hint
    assert TOKEN not in said
    assert PERSONAL not in said
    return caught.value


def authorizations(host: Host) -> list[str | None]:
    return [request.headers.get("authorization") for request in host.received]


# The good case


def test_an_image_is_fetched(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png?x=1#y") == IMAGE
    assert host.received[0].path == "/a.png?x=1"


def test_an_image_without_announced_length_is_fetched(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE, length=None)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE


def test_an_image_in_chunks_is_fetched(host: Host) -> None:
    def chunked(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        body = b"".join(b"%x\r\n%s\r\n" % (1024, IMAGE[i : i + 1024]) for i in (0, 1024))
        headers = {"Transfer-Encoding": "chunked", "Connection": "close"}
        send(handler, Reply(body=body + b"0\r\n\r\n", headers=headers, length=None))

    host.routes["/a.png"] = chunked
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE[:2048]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_coded_image_is_decoded(host: Host, coding: str) -> None:
    code = gzip.compress(IMAGE) if coding == "gzip" else zlib.compress(IMAGE)
    host.routes["/a.png"] = Reply(body=code, headers={"Content-Encoding": coding})
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE


def test_an_empty_file_is_fetched(host: Host) -> None:
    host.routes["/a.png"] = Reply()
    assert downloader(host.url).fetch(f"{host.url}/a.png") == b""


@pytest.mark.parametrize("path", ["/Käse 猫.png", "/K%C3%A4se%20%E7%8C%AB.png"])
def test_a_path_may_hold_any_letters(host: Host, path: str) -> None:
    host.routes["/K%C3%A4se%20%E7%8C%AB.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}{path}") == IMAGE


# Where the token goes


def test_the_token_is_sent_to_label_studio(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    downloader(host.url).fetch(f"{host.url}/a.png")
    assert authorizations(host) == [f"Token {TOKEN}"]


def test_the_token_is_sent_to_label_studio_below_a_path(host: Host) -> None:
    host.routes["*"] = Reply(body=IMAGE)
    downloader(f"{host.url}/labels").fetch(f"{host.url}/labels/a.png")
    assert authorizations(host) == [f"Token {TOKEN}"]


def test_the_token_is_not_sent_to_another_port_of_the_same_machine(
    host: Host, other_host: Host
) -> None:
    other_host.routes["/a.png"] = Reply(body=IMAGE)
    downloader(host.url).fetch(f"{other_host.url}/a.png")
    assert authorizations(other_host) == [None]


def test_the_token_is_not_sent_to_another_name_of_the_same_machine(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    downloader(host.url).fetch(f"http://localhost:{host.port}/a.png")
    assert authorizations(host) == [None]


def test_the_token_is_not_sent_to_a_url_that_only_looks_like_label_studios(
    host: Host, other_host: Host
) -> None:
    other_host.routes["*"] = Reply(body=IMAGE)
    home = host.url.removeprefix("http://").replace(":", "%3A")
    downloader(host.url).fetch(f"http://{home}@127.0.0.1:{other_host.port}/{home}/a.png")
    assert TOKEN not in str(authorizations(other_host))
    assert host.received == []


@pytest.mark.parametrize("trick", ["\\@", "#@", "?@", "/@", "\\\\@", "%5C@"])
def test_the_token_is_not_sent_where_programs_disagree_on_a_urls_host(
    host: Host, other_host: Host, trick: str
) -> None:
    other_host.routes["*"] = Reply(body=IMAGE)
    host.routes["*"] = Reply(body=IMAGE)
    home = host.url.removeprefix("http://")
    with contextlib.suppress(FetchError):
        downloader(host.url).fetch(f"{other_host.url}{trick}{home}/a.png")
    assert TOKEN not in str(other_host.received)


def test_a_user_in_label_studios_url_does_not_replace_the_token(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    downloader(host.url).fetch(f"http://anna:pass@127.0.0.1:{host.port}/a.png")
    assert authorizations(host) == [f"Token {TOKEN}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_cookies_of_label_studio_stay_there(host: Host, other_host: Host, status: int) -> None:
    login = {"Set-Cookie": "sessionid=secret; Path=/", "Location": f"{other_host.url}/b.png"}
    host.routes["/a.png"] = Reply(status, headers=login)
    other_host.routes["/b.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE
    assert "cookie" not in other_host.received[0].headers


def test_without_a_configured_label_studio_no_token_is_sent(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE)
    downloader("").fetch(f"{host.url}/a.png")
    assert authorizations(host) == [None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_is_dropped_on_a_redirect_to_another_origin(
    host: Host, other_host: Host, status: int
) -> None:
    host.routes["/a.png"] = redirect(f"{other_host.url}/b.png?signature=x", status)
    other_host.routes["/b.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE
    assert authorizations(host) == [f"Token {TOKEN}"]
    assert authorizations(other_host) == [None]
    assert other_host.received[0].path == "/b.png?signature=x"


@pytest.mark.parametrize("target", ["/b.png", "b.png", "?x=1", "//127.0.0.1:{port}/b.png"])
def test_the_token_is_kept_on_a_redirect_within_label_studio(host: Host, target: str) -> None:
    def answer(request: Received, _: BaseHTTPRequestHandler) -> Reply:
        first = request.path == "/a.png"
        return redirect(target.format(port=host.port)) if first else Reply(body=IMAGE)

    host.routes["*"] = answer
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE
    assert authorizations(host) == [f"Token {TOKEN}"] * 2


def test_the_token_is_back_when_a_redirect_leads_to_label_studio(
    host: Host, other_host: Host
) -> None:
    other_host.routes["/a.png"] = redirect(f"{host.url}/b.png")
    host.routes["/b.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{other_host.url}/a.png") == IMAGE
    assert authorizations(other_host) == [None]
    assert authorizations(host) == [f"Token {TOKEN}"]


def test_proxies_of_the_environment_are_not_used(
    host: Host, other_host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, other_host.url)
    host.routes["/a.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE
    assert other_host.received == []


def test_passwords_of_a_netrc_file_are_not_sent(
    host: Host, other_host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for server in (host, other_host):
        server.routes["/a.png"] = Reply(body=IMAGE)
        downloader(host.url).fetch(f"{server.url}/a.png")
    assert authorizations(host) == [f"Token {TOKEN}"]
    assert authorizations(other_host) == [None]


# Personal access tokens


class Studio:
    """A Label Studio that takes the newest access token only."""

    def __init__(self, host: Host) -> None:
        self.issued = 0
        host.routes["/api/token/refresh/"] = self._exchange
        host.routes["/a.png"] = self._image

    def _exchange(self, _: Received, __: BaseHTTPRequestHandler) -> Reply:
        self.issued += 1
        return Reply(200, json.dumps({"access": f"access-{self.issued}"}).encode())

    def _image(self, request: Received, _: BaseHTTPRequestHandler) -> Reply:
        valid = request.headers.get("authorization") == f"Bearer access-{self.issued}"
        return Reply(body=IMAGE) if valid else Reply(401, b'{"detail": "expired"}')


def test_a_stale_access_token_is_renewed_once(host: Host) -> None:
    studio = Studio(host)
    subject = downloader(host.url, token=PERSONAL)
    assert subject.fetch(f"{host.url}/a.png") == IMAGE
    studio.issued = 7  # as if Label Studio had restarted with another key
    assert subject.fetch(f"{host.url}/a.png") == IMAGE
    assert studio.issued == 8
    assert len(host.asked("/a.png")) == 3


def test_a_personal_access_token_that_opens_nothing_is_tried_twice_only(host: Host) -> None:
    Studio(host)
    host.routes["/a.png"] = Reply(401)
    error = refusal(downloader(host.url, token=PERSONAL), f"{host.url}/a.png")
    assert "401" in error.message
    assert "LABEL_STUDIO_API_KEY" in error.hint
    assert len(host.asked("/a.png")) == 2


def test_a_refused_personal_access_token_is_told(host: Host) -> None:
    host.routes["/api/token/refresh/"] = Reply(401)
    error = refusal(downloader(host.url, token=PERSONAL), f"{host.url}/a.png")
    assert "personal access token" in error.message
    assert host.asked("/a.png") == []


def test_a_token_that_no_header_can_hold_is_told(host: Host) -> None:
    error = refusal(downloader(host.url, token="012…567"), f"{host.url}/a.png")
    assert "LABEL_STUDIO_API_KEY" in error.hint


# Refusals


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_label_studio_points_to_the_token(host: Host, status: int) -> None:
    host.routes["/a.png"] = Reply(status, b'{"detail": "no"}')
    error = refusal(downloader(host.url), f"{host.url}/a.png")
    assert f"HTTP {status}" in error.message
    assert "LABEL_STUDIO_API_KEY" in error.hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_another_host_says_that_no_credentials_are_sent_there(
    host: Host, other_host: Host, status: int
) -> None:
    other_host.routes["/a.png"] = Reply(status)
    error = refusal(downloader(host.url), f"{other_host.url}/a.png")
    assert f"HTTP {status}" in error.message
    assert "sends none" in error.hint
    assert len(other_host.received) == 1


def test_a_missing_image_is_told(host: Host) -> None:
    error = refusal(downloader(host.url), f"{host.url}/gone.png")
    assert error.message == f"{host.url}/gone.png answered HTTP 404"
    assert "moved or deleted" in error.hint


def test_a_storage_that_label_studio_does_not_know_is_told(host: Host, other_host: Host) -> None:
    path = "/tasks/7/presign/?fileuri=czM6Ly9iL2EucG5n"
    error = refusal(downloader(host.url), f"{host.url}{path}")
    assert error.message == f"{host.url}/…/presign answered HTTP 404"
    assert "cloud storage" in error.hint
    assert "moved or deleted" in refusal(downloader(host.url), f"{other_host.url}{path}").hint


def test_with_several_label_studios_a_refusal_names_the_one(host: Host) -> None:
    host.routes["/a.png"] = Reply(403)
    studios = {"team-b": {"url": host.url, "api_key": TOKEN}}
    credentials = credentials_of(Settings(label_studio_hosts=studios), "team-b")
    error = refusal(Downloader(host.url, credentials, LIMITS), f"{host.url}/a.png")
    assert "'team-b' in EDGEFLOW_LABEL_STUDIO_HOSTS" in error.hint


@pytest.mark.parametrize("status", [204, 206, 400, 418, 429, 500, 502, 503])
def test_any_other_status_is_told(host: Host, status: int) -> None:
    host.routes["/a.png"] = Reply(status)
    assert f"HTTP {status}" in refusal(downloader(host.url), f"{host.url}/a.png").message


def test_a_host_that_is_not_there_is_told() -> None:
    url = f"http://127.0.0.1:{closed_port()}/a.png"
    error = refusal(downloader("", HASTY), url)
    assert url in error.message
    assert "reaches" in error.hint


def test_a_server_that_speaks_no_http_is_told(host: Host) -> None:
    def garbage(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    host.routes["/a.png"] = garbage
    refusal(downloader(host.url), f"{host.url}/a.png")


def test_a_server_that_hangs_up_is_told(host: Host) -> None:
    def hang_up(_: Received, __: BaseHTTPRequestHandler) -> None:
        return None

    host.routes["/a.png"] = hang_up
    refusal(downloader(host.url), f"{host.url}/a.png")


def test_an_image_that_ends_too_early_is_not_taken_for_whole(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE, length=len(IMAGE) + 100)
    refusal(downloader(host.url), f"{host.url}/a.png")


def test_a_body_that_is_not_coded_as_it_says_is_told(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=IMAGE, headers={"Content-Encoding": "gzip"})
    refusal(downloader(host.url), f"{host.url}/a.png")


@pytest.mark.parametrize(
    "url",
    ["http://[", "http://127.0.0.1:99999/", "http://127.0.0.1:port/", "http://", "http://a b/"],
)
def test_an_invalid_url_is_refused_in_words(url: str) -> None:
    refusal(downloader(""), url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,x", "/a.png"])
def test_only_the_web_is_fetched(url: str) -> None:
    assert "root:" not in refusal(downloader(""), url).message


# Redirects


def chain(host: Host, length: int) -> str:
    """A URL that redirects ``length`` times before it gives the image."""
    for number in range(length):
        host.routes[f"/{number}"] = redirect(f"/{number + 1}")
    host.routes[f"/{length}"] = Reply(body=IMAGE)
    return f"{host.url}/0"


def test_as_many_redirects_as_allowed_are_followed(host: Host) -> None:
    assert downloader("").fetch(chain(host, MAX_REDIRECTS)) == IMAGE


def test_too_many_redirects_are_refused(host: Host) -> None:
    assert "circles" in refusal(downloader(""), chain(host, MAX_REDIRECTS + 3)).message


def test_redirects_in_circles_are_refused(host: Host, other_host: Host) -> None:
    host.routes["/a.png"] = redirect(f"{other_host.url}/a.png")
    other_host.routes["/a.png"] = redirect(f"{host.url}/a.png")
    assert "circles" in refusal(downloader(host.url), f"{host.url}/a.png").message
    assert len(host.received) + len(other_host.received) < 10


def test_a_redirect_to_nowhere_is_refused(host: Host) -> None:
    host.routes["/a.png"] = Reply(302)
    refusal(downloader(""), f"{host.url}/a.png")


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/a.png",
        "data:image/png;base64,aGVsbG8=",
        "javascript:alert(1)",
        "gopher://127.0.0.1/",
    ],
)
def test_a_redirect_away_from_the_web_is_refused(host: Host, target: str) -> None:
    host.routes["/a.png"] = redirect(target)
    assert "other than an http(s) URL" in refusal(downloader(host.url), f"{host.url}/a.png").message


@pytest.mark.parametrize("target", ["http://[", "http://127.0.0.1:99999/", "http://"])
def test_a_redirect_to_another_kind_of_url_is_refused(host: Host, target: str) -> None:
    host.routes["/a.png"] = redirect(target)
    refusal(downloader(host.url), f"{host.url}/a.png")


def test_a_redirect_to_a_path_of_any_letters_is_followed(host: Host) -> None:
    def raw(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.0 302 Found\r\nContent-Length: 0\r\nLocation: "
            + "/Käse.png".encode()
            + b"\r\n\r\n"
        )

    host.routes["/a.png"] = raw
    host.routes["/K%C3%A4se.png"] = Reply(body=IMAGE)
    assert downloader(host.url).fetch(f"{host.url}/a.png") == IMAGE


# Limits of size


def test_an_image_of_the_limits_size_is_fetched(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=bytes(LIMITS.max_bytes))
    assert len(downloader("").fetch(f"{host.url}/a.png")) == LIMITS.max_bytes


def test_an_announced_size_over_the_limit_is_refused_before_the_body(host: Host) -> None:
    def announce(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        host.pause()

    host.routes["/a.png"] = announce
    started = time.monotonic()
    error = refusal(downloader(""), f"{host.url}/a.png")
    assert "larger than 100000 bytes" in error.message
    assert "EDGEFLOW_MAX_IMAGE_MB" in error.hint
    assert time.monotonic() - started < LIMITS.total_s


def test_a_body_over_the_limit_is_refused_while_it_comes(host: Host) -> None:
    sent = 0

    def endless(_: Received, handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        send(handler, Reply(length=None))
        while not host.released.is_set():
            handler.wfile.write(bytes(10_000))
            sent += 10_000

    host.routes["/a.png"] = endless
    error = refusal(downloader(""), f"{host.url}/a.png")
    assert "larger than 100000 bytes" in error.message
    assert sent < 100_000_000


def test_no_more_is_read_than_was_announced(host: Host) -> None:
    host.routes["/a.png"] = Reply(body=bytes(200_000), length=10)
    assert downloader("").fetch(f"{host.url}/a.png") == bytes(10)


@pytest.mark.parametrize("length", ["-5", "many", "", "1e3", "²"])
def test_a_senseless_announcement_does_no_harm(host: Host, length: str) -> None:
    def answer(_: Received, handler: BaseHTTPRequestHandler) -> None:
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n"
        handler.wfile.write(head.encode("latin-1") + IMAGE)

    host.routes["/a.png"] = answer
    with contextlib.suppress(FetchError):
        assert downloader("").fetch(f"{host.url}/a.png") == IMAGE


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_refused_before_it_fills_the_memory(host: Host, layers: int) -> None:
    bomb = bytes(200_000_000)
    for _ in range(layers):
        bomb = gzip.compress(bomb, 5)
    assert len(bomb) < 250_000
    coding = ", ".join(["gzip"] * layers)
    limits = Limits(connect_s=1.0, read_s=1.0, total_s=5.0, max_bytes=1_000_000)
    host.routes["/a.png"] = Reply(body=bomb, headers={"Content-Encoding": coding})
    tracemalloc.start()
    try:
        error = refusal(downloader("", limits), f"{host.url}/a.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "larger than 1000000 bytes" in error.message
    assert peak < 100_000_000


# Limits of time


def hasty_refusal(host: Host, url: str) -> FetchError:
    """Fetch with short limits what must be given up by then."""
    started = time.monotonic()
    error = refusal(downloader(host.url, HASTY), url)
    assert time.monotonic() - started < HASTY.total_s + SLACK_S
    return error


def test_a_silent_server_is_given_up(host: Host) -> None:
    def silent(_: Received, __: BaseHTTPRequestHandler) -> None:
        host.pause()

    host.routes["/a.png"] = silent
    error = hasty_refusal(host, f"{host.url}/a.png")
    assert "did not answer in time" in error.message
    assert "timeouts" in error.hint


def test_a_server_that_falls_silent_in_the_middle_is_given_up(host: Host) -> None:
    def half(_: Received, handler: BaseHTTPRequestHandler) -> None:
        send(handler, Reply(body=IMAGE, length=2 * len(IMAGE)))
        host.pause()

    host.routes["/a.png"] = half
    assert "did not answer in time" in hasty_refusal(host, f"{host.url}/a.png").message


@pytest.mark.slow
@pytest.mark.parametrize("length", [None, 50_000])
def test_a_slow_body_is_given_up_after_the_total_time(host: Host, length: int | None) -> None:
    def drip(_: Received, handler: BaseHTTPRequestHandler) -> None:
        send(handler, Reply(length=length))
        for _step in range(100):
            handler.wfile.write(b"x" * 10)
            handler.wfile.flush()
            host.pause(0.1)

    host.routes["/a.png"] = drip
    assert "did not answer in time" in hasty_refusal(host, f"{host.url}/a.png").message


@pytest.mark.slow
def test_slow_headers_are_given_up_after_the_total_time(host: Host) -> None:
    def drip(_: Received, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
        for _step in range(40):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            host.pause(0.1)
        handler.wfile.write(b"\r\n\r\n")

    host.routes["/a.png"] = drip
    assert "did not answer in time" in hasty_refusal(host, f"{host.url}/a.png").message


@pytest.mark.slow
def test_slow_redirects_are_given_up_after_the_total_time(host: Host) -> None:
    def hop(_: Received, __: BaseHTTPRequestHandler) -> Reply:
        host.pause(0.25)
        return redirect("/again.png")

    host.routes["*"] = hop
    started = time.monotonic()
    with pytest.raises(FetchError):
        downloader(host.url, HASTY).fetch(f"{host.url}/a.png")
    assert time.monotonic() - started < HASTY.total_s + HASTY.read_s + 0.3


@pytest.mark.slow
def test_a_body_that_unpacks_to_nothing_is_given_up_after_the_total_time(host: Host) -> None:
    def drip(_: Received, handler: BaseHTTPRequestHandler) -> None:
        send(handler, Reply(headers={"Content-Encoding": "gzip"}, length=None))
        handler.wfile.write(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03")  # then a file name without end
        for _step in range(40):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            host.pause(0.1)

    host.routes["/a.png"] = drip
    assert "did not answer in time" in hasty_refusal(host, f"{host.url}/a.png").message


# What messages say


@pytest.mark.parametrize(
    "answer",
    [Reply(404), Reply(500), Reply(302), redirect("file:///x"), Reply(200, b"", length=10**9)],
)
def test_messages_hold_neither_query_nor_user_nor_password(host: Host, answer: Reply) -> None:
    host.routes["/a.png"] = answer
    url = f"http://anna:pass-word@127.0.0.1:{host.port}/a.png?sig=secret-signature#fragment"
    message = refusal(downloader(""), url).message
    assert f"{host.url}/a.png" in message
    for secret in ("anna", "pass-word", "secret-signature", "fragment"):
        assert secret not in message


def test_messages_of_failed_connections_hold_no_secrets() -> None:
    url = f"http://anna:pass-word@127.0.0.1:{closed_port()}/a.png?sig=secret-signature"
    message = refusal(downloader(""), url).message
    assert "pass-word" not in message
    assert "secret-signature" not in message


def test_messages_hold_no_query_of_a_redirects_target(host: Host) -> None:
    host.routes["/a.png"] = redirect("/b.png?sig=secret-signature")
    assert "secret-signature" not in refusal(downloader(""), f"{host.url}/a.png").message


def test_messages_stay_short_however_long_the_url_is(host: Host) -> None:
    assert len(refusal(downloader(""), f"{host.url}/{'x' * 5000}").message) < 400
