"""Targets: the servers to which requests are relayed."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import unquote_to_bytes, urlsplit

from msgspec import Struct

from mockd.addresses import host_of

_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "write scheme, host and perhaps a path, as in https://api.example.com/v1"
_IN_PATHS = re.compile(r"[!$-;=@-~]*")
"""A path as it is sent: printable ASCII but quotes, `#`, `<`, `>` and `?`."""


class Target(Struct, frozen=True):
    """One server, and the path below which requests are sent to it: without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @classmethod
    def read(cls, url: str) -> Target:
        """The target that a URL names. Raises `ValueError` with the reason why it names none."""
        try:
            parts = urlsplit(url)
            scheme, port = parts.scheme.lower(), parts.port
        except ValueError:
            raise ValueError(f"{url!r} is no URL: {_EXAMPLE}") from None
        if scheme not in _DEFAULT_PORTS:
            raise ValueError(f"{url!r} does not begin with http:// or https://: {_EXAMPLE}")
        if "@" in parts.netloc:
            raise ValueError("a target has no user and password in it: clients send what the server asks for")
        host = host_of(parts.netloc)
        if host is None:
            raise ValueError(f"{url!r} has no host that can be asked for: {_EXAMPLE}")
        if "?" in url or "#" in url:
            raise ValueError(f"{url!r} has a query or a fragment: the path and query of each request are appended")
        if not _IN_PATHS.fullmatch(parts.path):
            raise ValueError(f"the path of {url!r} has characters that must be percent-encoded")
        return cls(scheme, host, port or _DEFAULT_PORTS[scheme], parts.path.rstrip("/"))

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as a `Host` header has them: without the port that is the scheme's own."""
        return self.place.removesuffix(f":{_DEFAULT_PORTS[self.scheme]}")

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Its URL, without a slash at its end."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def has(self, other: Target) -> bool:
        """Whether the other target is this one, or is below it."""
        is_same_server = (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
        return is_same_server and f"{other.path}/".startswith(f"{self.path}/")


class Proxy(Struct, frozen=True):
    """A proxy by way of which targets are reached, and the headers that it alone gets: user and password, if it wants
    them (RFC 9110, section 11.7.2; RFC 7617)."""

    target: Target
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def read(cls, url: str) -> Proxy:
        """The proxy that a URL names, such as `http://user:password@host:3128`. Raises `ValueError` with the reason why
        it names none, in which there is no password."""
        before, at, place = url.rpartition("@")
        scheme, separator, user = before.rpartition("://") if at else ("", "", "")
        shown = scheme + separator + place
        try:
            plain = Target.read(shown)
        except ValueError:
            plain = None
        if plain is None or plain.is_secure or plain.path:
            raise ValueError(
                f"{shown!r} is no proxy: write http://, host and port, as in http://proxy.example.com:3128; "
                "TLS goes through it"
            )
        if not at:
            return cls(plain)
        name, _, password = user.partition(":")
        told = b"%b:%b" % (unquote_to_bytes(name), unquote_to_bytes(password))
        return cls(plain, ((b"Proxy-Authorization", b"Basic " + b64encode(told)),))


class Route(Struct, frozen=True):
    """A target, and the beginning of the paths of the requests that go there, which is cut off; empty: all requests."""

    prefix: str
    target: Target

    @classmethod
    def read(cls, text: str) -> Route:
        """The route that `URL` or `/prefix=URL` stands for. Raises `ValueError` with the reason why it is none."""
        prefix, equals, url = text.partition("=") if text.startswith("/") else ("", "", text)
        if prefix and not equals:
            raise ValueError(f"{text!r} has no target: write the prefix before it, as in /api=https://api.example.com")
        if not re.fullmatch(r"(/[\w.~-]+)*/?", prefix, re.ASCII):
            raise ValueError(
                f"the prefix {prefix!r} is no plain path: only letters, digits and . _ ~ - between slashes"
            )
        return cls(prefix.rstrip("/"), Target.read(url))
