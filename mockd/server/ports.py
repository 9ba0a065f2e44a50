"""Opening ports, and saying clearly why one cannot be opened."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from ipaddress import ip_address

from mockd.errors import ConfigError
from mockd.settings import Settings, spelling

BACKLOG = 2048
"""Connections the kernel holds until they are accepted."""

_REASONS = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "needs more rights than this user has",
    errno.EADDRNOTAVAIL: "cannot be opened: that is no address of this machine",
}


def listen(settings: Settings, option: str) -> socket.socket:
    """A listening socket on the address and port of `option`: `port` or `admin_port`.

    Raises `ConfigError` with the port and the option that changes it.
    """
    port: int = getattr(settings, option)
    host_option = option.replace("port", "host")
    host: str = getattr(settings, host_option)
    try:
        # A name may stand for several addresses. Of those IPv4 is what clients fall back to, so it serves them all.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    except socket.gaierror as error:
        raise ConfigError(f"{spelling(host_option)}: {host!r} is no address or name: {error.strerror}") from None
    try:
        listener = socket.create_server(
            address[:2],
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"cannot be opened: {os.strerror(error.errno or 0)}")
        raise ConfigError(f"port {port} on {host} {reason}; choose another with {spelling(option)}") from None
    # For its connections: an event must not wait for the one before it to be acknowledged. asyncio sees to that only
    # for sockets of its own making.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def check_tls(settings: Settings) -> None:
    """Raise `ConfigError` if the certificate and its key cannot be used."""
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise ConfigError(f"{spelling('tls_key')} goes with {spelling('tls_cert')}")
        return
    try:
        # Without a password of our own, OpenSSL would ask the terminal for that of an encrypted key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, lambda: "")
    except OSError as error:
        files = " and ".join(filter(None, (settings.tls_cert, settings.tls_key)))
        raise ConfigError(f"{spelling('tls_cert')}: {files} cannot be used: {error.strerror or error}") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url(scheme: str, host: str, port: int) -> str:
    """An address to type in; for "every address" that is this machine's own."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
