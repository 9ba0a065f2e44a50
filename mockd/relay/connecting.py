"""Connecting to a target: directly or by way of a proxy, in plain or with TLS, in a version of HTTP that both speak."""

from __future__ import annotations

import asyncio
import ssl

from mockd.relay.connections import Connection
from mockd.relay.http1 import Http1
from mockd.relay.upstream import UnreachableError, Upstream
from mockd.targets import Proxy, Target

CONNECT_S = 10.0
"""Longest time, in seconds, until a target is connected."""
HTTP1, HTTP2 = "http/1.1", "h2"
"""Names of the versions of HTTP in ALPN (RFC 7301, section 6)."""


async def connect(target: Target, tls: ssl.SSLContext | None, via: Proxy | None = None) -> Upstream:
    """Connect to a target, with TLS if there is a context for it, by way of a proxy if there is one. Raises
    `UnreachableError`."""
    tried = target if via is None else via.target
    try:
        async with asyncio.timeout(CONNECT_S):
            connection = await Connection.opened(tried)
            if tls is None:
                if via is None:
                    return Http1(connection)
                return Http1(connection, f"http://{target.authority}", via.headers)
            if via is not None:
                await _tunnelled(connection, target, via)
            return _speaking(await connection.secured(tls, target.host))
    except TimeoutError:
        raise UnreachableError(f"{tried.authority}: no connection within {CONNECT_S:g} s") from None
    except (OSError, EOFError) as error:
        raise UnreachableError(f"{tried.authority}: {_reason(error)}") from None


def _speaking(connection: Connection) -> Upstream:
    """The connection in the version of HTTP that the target has chosen."""
    if connection.protocol != HTTP2:
        return Http1(connection)
    from mockd.relay.http2 import Http2

    return Http2(connection)


async def _tunnelled(connection: Connection, target: Target, via: Proxy) -> None:
    """Have a proxy connect to a target. Raises `OSError`, `EOFError`, and closes the connection then."""
    lines = [b"CONNECT %b HTTP/1.1", b"Host: %b"]
    place = target.place.encode()
    head = [*(line % place for line in lines), *(b"%b: %b" % header for header in via.headers), b"", b""]
    try:
        connection.write(b"\r\n".join(head))
        answer = (await connection.read_until(b"\r\n\r\n")).decode("latin-1")
        if answer[9:10] != "2":
            raise OSError(f"the proxy answers {answer.splitlines()[0]!r} when asked for {target.place}")
    except BaseException:
        connection.abort()
        raise


def _reason(error: OSError | EOFError) -> str:
    if isinstance(error, EOFError):
        return "the proxy closes the connection"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or error}"
    return error.strerror or str(error)
