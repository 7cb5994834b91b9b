from __future__ import annotations

import pytest

from edgeflow_backend.net.allow_list import AllowList
from edgeflow_backend.net.guard import Guard, refusal

LOOPBACK = "127.0.0.1"
PUBLIC = "93.184.216.34"


def permitted(
    allowed: str, host: str, address: str, *, port: int = 80, scheme: str = "http"
) -> bool:
    return Guard(allowed=AllowList.parse(allowed)).permits(scheme, host, port, address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::8.8.8.8"])
def test_a_public_address_needs_no_entry(address: str) -> None:
    assert permitted("", "images.example", address)
    assert permitted("minio", "images.example", address)


@pytest.mark.parametrize("address", [LOOPBACK, "::1", "10.0.0.5", "fe80::1%eth0", "nonsense", ""])
def test_any_other_address_is_refused_without_an_entry(address: str) -> None:
    assert not permitted("", "images.example", address)
    assert not permitted("", address, address)


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        ("minio", "minio", "172.18.0.3"),
        ("minio", "minio", "fd00::3"),
        ("MinIO", "minio", "172.18.0.3"),
        ("minio", "MINIO", "172.18.0.3"),
        ("minio", "minio.", "172.18.0.3"),
        ("minio.", "minio", "172.18.0.3"),
        ("store_1.corp.example", "store_1.corp.example", "10.0.0.5"),
        ("käse.example", "xn--kse-qla.example", "10.0.0.5"),
        ("*.corp.example", "a.corp.example", "10.0.0.5"),
        ("*.corp.example", "a.b.corp.example", "10.0.0.5"),
        ("*.Corp.Example", "a.corp.example.", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "10.0.0.5"),
        ("10.0.0.5", "a.corp.example", "10.0.0.5"),
        ("10.0.0.0/8", "a.corp.example", "10.200.3.4"),
        ("10.0.0.0/8", "x", "::ffff:10.200.3.4"),
        ("fd00::/8", "fd00::1", "fd00::1"),
        ("fd00::1", "fd00::1", "fd00::1"),
        ("fe80::/10", "fe80::1%eth0", "fe80::1%eth0"),
        ("0.0.0.0/0", "x", LOOPBACK),
        (" minio , 10.0.0.0/8,", "x", "10.0.0.5"),
    ],
)
def test_an_entry_permits_what_it_names(entry: str, host: str, address: str) -> None:
    assert permitted(entry, host, address)


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        ("minio", "minio.evil.example", LOOPBACK),
        ("minio", "aminio", LOOPBACK),
        ("minio", LOOPBACK, LOOPBACK),
        ("*.corp.example", "corp.example", "10.0.0.5"),
        ("*.corp.example", "evilcorp.example", "10.0.0.5"),
        ("*.corp.example", "a.corp.example.evil", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "10.0.0.6"),
        ("10.0.0.5", "10.0.0.5", LOOPBACK),  # a name that looks like an address but is not there
        ("10.0.0.0/8", "x", "11.0.0.1:"),
        ("10.0.0.0/8", "x", LOOPBACK),
        ("10.0.0.0/8", "x", "64:ff9b::10.0.0.5"),
        ("10.0.0.0/8", "x", "2002:a00:5::1"),
        ("0.0.0.0/0", "x", "::1"),
        ("fd00::/8", "x", "fc00::1"),
    ],
)
def test_an_entry_permits_nothing_else(entry: str, host: str, address: str) -> None:
    assert not permitted(entry, host, address)


@pytest.mark.parametrize(
    "entry", ["minio:9000", "*.corp:9000", "10.0.0.5:9000", "[fd00::5]:9000", "[FD00::5]:9000"]
)
def test_an_entry_with_a_port_permits_that_port_only(entry: str) -> None:
    for host, address in [("minio", "10.0.0.5"), ("minio.corp", "10.0.0.5"), ("x", "fd00::5")]:
        assert not permitted(entry, host, address, port=9001)
        assert not permitted(entry, host, address, port=80)
    assert any(
        permitted(entry, host, address, port=9000)
        for host, address in [("minio", "10.0.0.5"), ("minio.corp", "10.0.0.5"), ("x", "fd00::5")]
    )


@pytest.mark.parametrize(
    "entry",
    [
        "http://minio:9000",
        "minio/bucket",
        "user@minio",
        "*",
        "*.",
        "*.*.example",
        "a*.example",
        "minio:",
        "minio:port",
        "minio:0",
        "minio:65536",
        "minio:999999",
        "10.0.0.0/33",
        "10.1.2.3/8",
        "fd00::1:",
        "[fd00::1",
        "two words",
        "a\\b",
        "minio?x",
        "minio#x",
        "%31",
    ],
)
def test_an_entry_that_is_none_is_refused_and_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        AllowList.parse(f"good, {entry}")
    assert entry in str(caught.value)


def test_nothing_is_allowed_by_nothing() -> None:
    assert AllowList.parse("").rules == AllowList.parse(" , ,").rules == ()


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


def test_a_refusal_names_the_host_the_reason_and_the_way_out() -> None:
    error = refusal("minio")
    assert error.code == "image_fetch"
    assert error.message == "minio may not be fetched from: it has a private IP"
    assert "add minio to EDGEFLOW_ALLOWED_HOSTS" in error.hint


def test_a_refusal_stays_short_however_long_the_name_is() -> None:
    assert len(refusal("x" * 5000).message) < 200
