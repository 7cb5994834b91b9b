from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeflow_backend.net.public_ips import is_public, parse_ip

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
    "2003::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_an_ip_of_the_internet_is_public(text: str) -> None:
    assert is_public(parse_ip(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_any_other_ip_is_not_public(text: str) -> None:
    assert not is_public(parse_ip(text))


@settings(deadline=None)
@given(st.ip_addresses())
def test_whatever_python_knows_to_be_private_is_not_public(
    ip: IPv4Address | IPv6Address,
) -> None:
    if is_public(parse_ip(str(ip))):
        assert not ip.is_private
        assert not ip.is_loopback
        assert not ip.is_link_local
        assert not ip.is_multicast
        assert not ip.is_unspecified


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_ipv4_inside_an_ipv6_one_is_judged_by_itself(ip: IPv4Address) -> None:
    assert is_public(parse_ip(f"::ffff:{ip}")) == is_public(ip)
    assert is_public(parse_ip(f"64:ff9b::{ip}")) == is_public(ip)
    assert not is_public(parse_ip(f"::{ip}"))


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::1%2", "fe80::1%"])
def test_a_zone_changes_nothing(text: str) -> None:
    assert parse_ip(text) == ip_address("fe80::1")
    assert not is_public(parse_ip(text))


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "2130706433", "[::1]", "8.8.8.8:80"])
def test_a_text_that_is_not_an_ip_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_ip(text)
