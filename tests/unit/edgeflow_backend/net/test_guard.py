from __future__ import annotations

import pytest

from edgeflow_backend.net.guard import Guard, refusal
from tests.unit.edgeflow_backend.net.permission import LOOPBACK, PUBLIC, permitted


@pytest.mark.parametrize("ip", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::8.8.8.8"])
def test_a_public_ip_needs_no_entry(ip: str) -> None:
    assert permitted("", "images.example", ip)
    assert permitted("minio", "images.example", ip)


@pytest.mark.parametrize("ip", [LOOPBACK, "::1", "10.0.0.5", "fe80::1%eth0", "nonsense", ""])
def test_any_other_ip_is_refused_without_an_entry(ip: str) -> None:
    assert not permitted("", "images.example", ip)
    assert not permitted("", ip, ip)


# Label Studios


@pytest.mark.parametrize(
    "home", ["http://studio:8080", "http://STUDIO:8080", "http://studio:8080/labels/"]
)
def test_a_label_studio_is_permitted_wherever_it_is(home: str) -> None:
    guard = Guard([home])
    assert guard.permits("http", "studio", 8080, "10.0.0.5")
    assert guard.permits("http", "studio", 8080, LOOPBACK)
    assert guard.permits("http", "studio", 8080, "fe80::1%eth0")


@pytest.mark.parametrize(
    ("scheme", "host", "port"),
    [
        ("https", "studio", 8080),
        ("http", "studio", 8081),
        ("http", "studio", 80),
        ("http", "studio.", 8080),
        ("http", "studio.evil", 8080),
        ("http", LOOPBACK, 8080),
    ],
)
def test_another_scheme_name_or_port_of_its_machine_is_not(
    scheme: str, host: str, port: int
) -> None:
    assert not Guard(["http://studio:8080"]).permits(scheme, host, port, LOOPBACK)


@pytest.mark.parametrize(
    ("home", "scheme", "host", "port"),
    [
        ("http://studio", "http", "studio", 80),
        ("https://studio", "https", "studio", 443),
        ("http://[fd00::1]:8080", "http", "fd00::1", 8080),
        ("http://käse", "http", "xn--kse-qla", 80),
    ],
)
def test_its_origin_may_be_written_in_any_way(home: str, scheme: str, host: str, port: int) -> None:
    assert Guard([home]).permits(scheme, host, port, "10.0.0.5")


def test_every_one_of_several_label_studios_is_permitted() -> None:
    guard = Guard(["", "http://a:1", "http://b:2"])
    assert guard.permits("http", "a", 1, LOOPBACK)
    assert guard.permits("http", "b", 2, LOOPBACK)
    assert not guard.permits("http", "a", 2, LOOPBACK)
    assert not guard.permits("", "", 0, LOOPBACK)


# What is said


def test_a_refusal_names_the_host_the_reason_and_the_remedy() -> None:
    error = refusal("minio")
    assert error.code == "image_fetch"
    assert error.message == "minio may not be fetched from: it has a private IP"
    assert "add minio to EDGEFLOW_ALLOWED_HOSTS" in error.hint


def test_a_refusal_stays_short_however_long_the_name_is() -> None:
    assert len(refusal("x" * 5000).message) < 200
