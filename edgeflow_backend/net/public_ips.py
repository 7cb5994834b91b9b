"""Which IPs are on the public internet.

Written out after IANA's registries of special-purpose addresses instead of ``ipaddress.is_global``,
whose answers differ between the supported Python versions.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address

_SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a provider's NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host, from inside its virtual machines
        "169.254.0.0/16",  # link-local; clouds hand out a machine's credentials there
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_UNICAST_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which embeds an IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which embeds an IPv4
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def parse_ip(text: str) -> IPAddress:
    """Parse an IP from ``getaddrinfo``; a zone is dropped, a mapped IPv4 unpacked.

    Raises:
        ValueError: The text is not an IP.
    """
    ip = ip_address(text.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return mapped or ip


def is_public(ip: IPAddress) -> bool:
    """Whether an IP is globally routable unicast.

    IPv6 tunnels that embed an IPv4 do not count, except NAT64's well-known prefix: machines without
    IPv4 reach the public internet through it, so the embedded IPv4 decides.
    """
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_IPV4)
    return ip in _UNICAST_IPV6 and not any(ip in network for network in _SPECIAL_IPV6)
