from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from edgeflow_backend.errors import FetchError
from edgeflow_backend.net.connect import connect, resolve
from edgeflow_backend.net.public_ips import is_public, parse_ip
from tests.unit.edgeflow_backend.internet import Internet
from tests.unit.edgeflow_backend.loopback import Host, closed_port

FIRST, SECOND = "93.184.216.34", "93.184.216.35"


def only_public(ip: str) -> bool:
    return is_public(parse_ip(ip))


def reach(
    host: str, port: int = 80, permits: Callable[[str], bool] = only_public, timeout_s: float = 5
) -> None:
    connect(host, port, permits=permits, timeout_s=lambda: timeout_s).close()


def test_a_host_is_connected_to_by_the_ip_that_was_checked(internet: Internet, host: Host) -> None:
    internet.answers["images.example"] = [[FIRST]]
    internet.servers[FIRST] = host.port
    reach("images.example")
    assert internet.reached == [FIRST]


def test_a_name_that_turns_private_after_the_check_gains_nothing(
    internet: Internet, host: Host
) -> None:
    internet.answers["flip.example"] = [[FIRST], ["127.0.0.1"]]
    internet.servers[FIRST] = host.port
    reach("flip.example")
    assert internet.asked == ["flip.example"], "asked once: nothing can change in between"
    assert internet.reached == [FIRST]


def test_a_name_that_turns_public_after_the_check_stays_refused(internet: Internet) -> None:
    internet.answers["flip.example"] = [["127.0.0.1"], [FIRST]]
    with pytest.raises(FetchError, match=r"flip\.example"):
        reach("flip.example")
    assert internet.reached == []


@pytest.mark.parametrize(
    "ips",
    [
        [FIRST, "127.0.0.1"],
        ["127.0.0.1", FIRST],
        ["::1", "10.0.0.5", FIRST, "169.254.169.254"],
        ["::ffff:127.0.0.1", FIRST],
    ],
)
def test_of_several_ips_only_the_permitted_ones_are_tried(
    internet: Internet, host: Host, ips: list[str]
) -> None:
    internet.answers["mixed.example"] = [ips]
    internet.servers[FIRST] = host.port
    reach("mixed.example")
    assert internet.reached == [FIRST]


def test_where_the_permitted_ip_does_not_answer_the_others_are_not_tried(
    internet: Internet,
) -> None:
    internet.answers["mixed.example"] = [["127.0.0.1", FIRST, "10.0.0.5"]]
    with pytest.raises(OSError, match=r".*"):
        reach("mixed.example")
    assert internet.reached == [FIRST]


def test_the_next_permitted_ip_is_tried_where_one_does_not_answer(
    internet: Internet, host: Host
) -> None:
    internet.answers["two.example"] = [["2606:2800:220:1::1", SECOND]]
    internet.servers[SECOND] = host.port
    reach("two.example")
    assert internet.reached == ["2606:2800:220:1::1", SECOND]


@pytest.mark.parametrize("ips", [["127.0.0.1"], ["10.0.0.5", "fd00::1"], ["fe80::1%lo"]])
def test_a_host_without_a_permitted_ip_is_refused(internet: Internet, ips: list[str]) -> None:
    internet.answers["inside.example"] = [ips]
    with pytest.raises(FetchError) as caught:
        reach("inside.example")
    assert "inside.example" in caught.value.message
    assert "EDGEFLOW_ALLOWED_HOSTS" in caught.value.hint
    for ip in ips:
        assert ip not in caught.value.message + caught.value.hint
    assert internet.reached == []


def test_a_name_that_does_not_exist_is_an_error_of_the_resolver(internet: Internet) -> None:
    with pytest.raises(socket.gaierror):
        reach("nowhere.example")
    assert internet.reached == []


@pytest.mark.parametrize("name", ["x" * 70, f"{'x' * 64}.example", "a..b"])
def test_what_is_no_name_at_all_is_an_error(name: str) -> None:
    with pytest.raises((OSError, ValueError), match=r".+"):
        reach(name)


def test_a_port_where_nothing_listens_is_an_error() -> None:
    with pytest.raises(ConnectionRefusedError):
        reach("127.0.0.1", closed_port(), permits=lambda _: True)


def test_options_are_set(host: Host) -> None:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    opened = connect(
        "127.0.0.1", host.port, permits=lambda _: True, timeout_s=lambda: 3.5, options=options
    )
    with opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert opened.gettimeout() == 3.5


def test_no_socket_is_left_open_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only what is opened from here on is held: the garbage of other tests may be closed meanwhile.
    opened: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            opened.append(self)

    port = closed_port()
    monkeypatch.setattr(socket, "socket", Noted)
    with pytest.raises(OSError, match=r".+"):
        reach("127.0.0.1", port, permits=lambda _: True)
    assert [each.fileno() for each in opened] == [-1]


def test_a_resolver_that_does_not_answer_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("slow.example", 80, 0.1)
    assert time.monotonic() - started < 2
    release.set()


def test_all_steps_share_the_time_that_is_left(internet: Internet) -> None:
    internet.answers["two.example"] = [["2606:2800:220:1::1", FIRST]]
    left = iter([5.0, 5.0])

    def timeout_s() -> float:
        value = next(left, None)
        if value is None:
            raise TimeoutError
        return value

    with pytest.raises(TimeoutError):
        connect("two.example", 80, permits=only_public, timeout_s=timeout_s)
    assert internet.reached == ["2606:2800:220:1::1"]
