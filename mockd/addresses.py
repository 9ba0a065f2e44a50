"""Hosts and addresses, as `Host` headers, peers and settings have them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_LABEL = "[a-z0-9_-]+"
_HOST = re.compile(
    rf"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>{_LABEL}(?:\.{_LABEL})*)\.?)(?::[0-9]{{0,5}})?", re.ASCII | re.IGNORECASE
)


def host_of(header: str) -> str | None:
    """The host in the value of a `Host` header: in lower case, without its port, the brackets of an IPv6 address and a
    dot at its end. None if the value is malformed (RFC 9110, section 7.2), as others may see another host in it."""
    match = _HOST.fullmatch(header.strip(" \t"))
    if match is None:
        return None
    if (inside := match["ipv6"]) is not None and not isinstance(_parsed(inside), IPv6Address):
        return None
    return (inside or match["name"]).lower()


def allowed_host(setting: str) -> str | None:
    """The host in a setting, as `host_of` gives a header's. An IPv6 address needs no brackets."""
    return host_of(f"[{setting.strip()}]") or host_of(setting)


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own, which no other machine can reach."""
    found = address(host)
    if found is not None:
        return found.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a text stands for, or None if it is a name. An IPv4 address that is written as an IPv6 address
    is the IPv4 address."""
    found = _parsed(host)
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
