"""Opening ports, with clear errors if one cannot be opened."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

from mockd.config.opening import read_regular
from mockd.errors import ConfigError
from mockd.settings import Settings, spelling

BACKLOG = 2048
"""Number of connections that the kernel queues until they are accepted."""

_REASONS = {
    errno.EADDRINUSE: "is in use",
    errno.EACCES: "needs more rights than this user has",
    errno.EADDRNOTAVAIL: "cannot be opened: that is no address of this machine",
}


def listen(settings: Settings, option: str) -> socket.socket:
    """A listening socket on the address and port of `option`: `port`, `admin_port` or `metrics_port`.

    Raises `ConfigError` with the port and the option that changes it.
    """
    port: int = getattr(settings, option)
    host_option = "admin_host" if option == "admin_port" else "host"
    host: str = getattr(settings, host_option)
    try:
        # A name may stand for several addresses. Clients fall back to IPv4, so an IPv4 address serves all of them.
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
    # Accepted connections inherit this option: an event must not wait until the one before it is acknowledged. asyncio
    # sets the option only on sockets that it made itself.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def check_tls(settings: Settings) -> None:
    """Raise `ConfigError` if the certificate and its key cannot be used."""
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise ConfigError(f"{spelling('tls_key')} needs its certificate: {spelling('tls_cert')} is missing")
        return
    try:
        for file in filter(None, (settings.tls_cert, settings.tls_key)):
            read_regular(Path(file))  # OpenSSL would wait for a pipe
        # If no password were given for an encrypted key, OpenSSL would ask for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, lambda: "")
    except OSError as error:
        if settings.tls_key is None and _has_only_certificates(settings.tls_cert):
            reason = f"{settings.tls_cert} has no key in it: {spelling('tls_key')} is missing"
            raise ConfigError(f"{spelling('tls_cert')}: {reason}") from None
        files = " and ".join(filter(None, (settings.tls_cert, settings.tls_key)))
        raise ConfigError(f"{spelling('tls_cert')}: {files} cannot be used: {error.strerror or error}") from None


def _has_only_certificates(file: str) -> bool:
    try:
        content = read_regular(Path(file))
    except OSError:
        return False
    return b"-----BEGIN CERTIFICATE-----" in content and b"PRIVATE KEY-----" not in content


def url(scheme: str, host: str, port: int) -> str:
    """A URL that users can open. For "every address", it has this machine's loopback address."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
