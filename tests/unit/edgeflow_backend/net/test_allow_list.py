from __future__ import annotations

import pytest

from edgeflow_backend.net.allow_list import AllowList
from tests.unit.edgeflow_backend.net.permission import LOOPBACK, permitted


@pytest.mark.parametrize(
    ("entry", "host", "ip"),
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
def test_an_entry_permits_what_it_names(entry: str, host: str, ip: str) -> None:
    assert permitted(entry, host, ip)


@pytest.mark.parametrize(
    ("entry", "host", "ip"),
    [
        ("minio", "minio.evil.example", LOOPBACK),
        ("minio", "aminio", LOOPBACK),
        ("minio", LOOPBACK, LOOPBACK),
        ("*.corp.example", "corp.example", "10.0.0.5"),
        ("*.corp.example", "evilcorp.example", "10.0.0.5"),
        ("*.corp.example", "a.corp.example.evil", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.5", "10.0.0.6"),
        ("10.0.0.5", "10.0.0.5", LOOPBACK),  # a name that looks like an ip but is not there
        ("10.0.0.0/8", "x", "11.0.0.1:"),
        ("10.0.0.0/8", "x", LOOPBACK),
        ("10.0.0.0/8", "x", "64:ff9b::10.0.0.5"),
        ("10.0.0.0/8", "x", "2002:a00:5::1"),
        ("0.0.0.0/0", "x", "::1"),
        ("fd00::/8", "x", "fc00::1"),
    ],
)
def test_an_entry_permits_nothing_else(entry: str, host: str, ip: str) -> None:
    assert not permitted(entry, host, ip)


@pytest.mark.parametrize(
    "entry", ["minio:9000", "*.corp:9000", "10.0.0.5:9000", "[fd00::5]:9000", "[FD00::5]:9000"]
)
def test_an_entry_with_a_port_permits_that_port_only(entry: str) -> None:
    for host, ip in [("minio", "10.0.0.5"), ("minio.corp", "10.0.0.5"), ("x", "fd00::5")]:
        assert not permitted(entry, host, ip, port=9001)
        assert not permitted(entry, host, ip, port=80)
    assert any(
        permitted(entry, host, ip, port=9000)
        for host, ip in [("minio", "10.0.0.5"), ("minio.corp", "10.0.0.5"), ("x", "fd00::5")]
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
def test_an_invalid_entry_is_refused_and_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        AllowList.parse(f"good, {entry}")
    assert entry in str(caught.value)


def test_nothing_is_allowed_by_nothing() -> None:
    assert AllowList.parse("").rules == AllowList.parse(" , ,").rules == ()
