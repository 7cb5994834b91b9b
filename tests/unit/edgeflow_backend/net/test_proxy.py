from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard
from edgeflow_backend.net.proxy import Proxy
from edgeflow_backend.net.sessions import timed_session
from edgeflow_backend.net.uplink import Uplink
from tests.unit.edgeflow_backend.internet import Internet
from tests.unit.edgeflow_backend.loopback import Host, Reply, closed_port

ADDRESS = "93.184.216.34"
IMAGE = b"image"


@pytest.fixture
def proxy(host: Host) -> Host:
    """A proxy that answers every request itself."""
    host.routes["*"] = Reply(body=IMAGE)
    return host


def get(
    url: str, proxy: str, *, allowed: str = "", direct: str = "", home: str = ""
) -> requests.Response:
    uplink = Uplink(proxy=Proxy.parse(proxy), no_proxy=AllowList.parse(direct))
    guard = Guard([home], AllowList.parse(allowed))
    with timed_session(3.0, guard, uplink) as session:
        return session.get(url, timeout=(2.0, 2.0))


def through(host: Host) -> list[str]:
    return [request.path for request in host.received]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://images.example/a.png?x=1", "http://images.example/a.png?x=1"),
        ("http://images.example:8080/a.png", "http://images.example:8080/a.png"),
        ("http://unknown.example/a.png", "http://unknown.example/a.png"),
    ],
)
def test_a_public_host_is_asked_through_the_proxy(
    url: str, asked: str, internet: Internet, proxy: Host
) -> None:
    internet.answers["images.example"] = [[ADDRESS]]
    assert get(url, proxy.url).content == IMAGE
    assert through(proxy) == [asked]
    assert proxy.received[0].headers["host"] == asked.split("/")[2]
    assert ADDRESS not in internet.reached


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a",
        "http://127.1/a",
        "http://2130706433/a",
        "http://[::1]/a",
        "http://169.254.169.254/latest",
        "http://inside.example/a",
        "http://localhost/a",
        "http://minio/a",
        "http://metadata.google.internal/a",
        "http://router.local/a",
        "https://127.0.0.1/a",
        "https://inside.example/a",
    ],
)
def test_a_private_host_is_refused_before_the_proxy_is_asked(
    url: str, internet: Internet, proxy: Host
) -> None:
    internet.answers |= {"inside.example": [["10.0.0.5"]], "localhost": [["127.0.0.1"]]}
    with pytest.raises(FetchError, match="may not be fetched from"):
        get(url, proxy.url)
    assert proxy.received == []


def test_an_allowed_host_is_asked_through_the_proxy(proxy: Host, other_host: Host) -> None:
    assert get(f"{other_host.url}/a", proxy.url, allowed="127.0.0.1").content == IMAGE
    assert through(proxy) == [f"{other_host.url}/a"]


@pytest.mark.parametrize("direct", ["127.0.0.1", "127.0.0.0/8", "10.0.0.1, 127.0.0.1"])
def test_a_host_of_the_exceptions_is_asked_directly(
    direct: str, proxy: Host, other_host: Host
) -> None:
    other_host.routes["*"] = Reply(body=b"direct")
    answer = get(f"{other_host.url}/a", proxy.url, allowed="127.0.0.1", direct=direct)
    assert answer.content == b"direct"
    assert proxy.received == []


def test_a_label_studio_with_a_private_ip_is_asked_directly(proxy: Host, other_host: Host) -> None:
    other_host.routes["*"] = Reply(body=b"direct")
    answer = get(f"{other_host.url}/a", proxy.url, home=other_host.url)
    assert answer.content == b"direct"
    assert proxy.received == []


def test_the_password_of_the_proxy_goes_to_the_proxy_only(internet: Internet, proxy: Host) -> None:
    internet.answers["images.example"] = [[ADDRESS]]
    get("http://images.example/a", f"http://anna:p%40ss@127.0.0.1:{proxy.port}")
    code = base64.b64encode(b"anna:p@ss").decode()
    assert proxy.received[0].headers["proxy-authorization"] == f"Basic {code}"


@pytest.fixture
def tunnel() -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that takes note of a CONNECT and refuses it; yields its port and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError):
                client, _ = server.accept()
                with client:
                    heard.append(client.recv(4096))
                    client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            server.shutdown(socket.SHUT_RDWR)  # in case nobody came
            thread.join()


def test_https_goes_through_a_tunnel_whose_refusal_is_told(
    internet: Internet, tunnel: tuple[int, list[bytes]]
) -> None:
    port, heard = tunnel
    internet.answers["images.example"] = [[ADDRESS]]
    with pytest.raises(FetchError) as caught:
        get("https://images.example/secret/a.png?sig=x", f"http://anna:secret@127.0.0.1:{port}")
    assert caught.value.message == (
        f"the proxy 127.0.0.1:{port} answered HTTP 407 for images.example"
    )
    assert "EDGEFLOW_PROXY" in caught.value.hint
    assert heard[0].startswith(b"CONNECT images.example:443 HTTP/1.1\r\n")
    assert b"sig=x" not in heard[0]


def test_a_proxy_that_is_not_there_is_told(internet: Internet) -> None:
    internet.answers["images.example"] = [[ADDRESS]]
    port = closed_port()
    with pytest.raises(FetchError) as caught:
        get("http://images.example/a.png", f"http://anna:secret@127.0.0.1:{port}")
    assert caught.value.message == f"the proxy 127.0.0.1:{port} does not answer"


@pytest.mark.parametrize("url", ["http://p:3128", "p:3128", "http://p:3128/", " http://u:x@p:3128"])
def test_a_proxy_may_be_written_in_several_ways(url: str) -> None:
    assert Proxy.parse(url).name == "p:3128"
    assert "Basic" not in repr(Proxy.parse(url))


@pytest.mark.parametrize(
    "url", ["https://p:3128", "socks5://p:1080", "http://", "http://u:pw@p:port", "http://p/path"]
)
def test_another_kind_of_proxy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must look like") as caught:
        Proxy.parse(url)
    assert "pw" not in str(caught.value)
