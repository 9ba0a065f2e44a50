"""Hosts and addresses, as `Host` headers, peers and settings have them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def bare_host(host: str) -> str:
    """The value of `Host` in lower case, without its port and without the brackets of an IPv6 address."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0].removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own, which no other machine can reach."""
    found = address(host)
    if found is not None:
        return found.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a text stands for, or None if it is a name."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
