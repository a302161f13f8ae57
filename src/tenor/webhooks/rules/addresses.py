"""Which IP addresses are out on the public internet, by a table of our own.

The table does not follow the `ipaddress` module, which counts translated addresses (NAT64, 6to4) as global and differs
between versions of Python.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6598 (shared address space), RFC 6052 (NAT64),
RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_INSIDE_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT; clouds keep their metadata servers in it too
        "127.0.0.0/8",
        "168.63.129.16/32",  # the platform server inside every Azure machine
        "169.254.0.0/16",  # link-local, and the metadata servers of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_OUTSIDE_V6: Final = IPv6Network("2000::/3")
_INSIDE_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarking, ORCHID and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)
"""Outside of 2000::/3 lie loopback, link-local, unique local, multicast, IPv4-mapped and NAT64 addresses."""

_OWN_V4: Final = IPv4Network("127.0.0.0/8")
_OWN_V6: Final = IPv6Address("::1")


def is_public(text: str) -> bool:
    """Return whether `text` is an IP address of the public internet; no address is none, nor is one with a zone."""
    address = _address(text)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INSIDE_V4)
    if isinstance(address, IPv6Address):
        return address in _OUTSIDE_V6 and not any(address in network for network in _INSIDE_V6)
    return False


def is_loopback(text: str) -> bool:
    """Return whether `text` is an address of the machine itself: 127.0.0.0/8 or ::1."""
    address = _address(text)
    return address == _OWN_V6 if isinstance(address, IPv6Address) else address is not None and address in _OWN_V4


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text) if "%" not in text else None
    except ValueError:
        return None
