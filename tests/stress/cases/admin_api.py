"""The admin API by its OpenAPI document, which has the JSON Schema of the configuration too; and who may use it."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import schemathesis
from hypothesis import strategies as st

from tests.admin.documented import CHECKS, ENDLESS
from tests.stress.asking import ask
from tests.stress.cases.rounds import Round, bounded, examples, spoilt, texts_of
from tests.stress.reproducers.admin import restored
from tests.stress.server import Server
from tests.wire.sockets import Client


@cache
def _documented(admin: str) -> Any:
    return schemathesis.openapi.from_url(admin + "/openapi.json").exclude(path_regex=ENDLESS)


def _ends_streams(value: Any) -> bool:
    names = ("replace", "mocks", "streams")
    return isinstance(value, dict) and any(value.get(name) not in (None, False, "false", "0") for name in names)


def documented(server: Server, seed: int) -> None:
    """Some requests for each operation, and answers as the document says."""
    with restored(server):
        for found in _documented(server.admin).get_all_operations():

            @hypothesis.seed(seed)
            @bounded(3)
            @hypothesis.given(found.ok().as_strategy())
            def run(case: Any) -> None:
                # What replaces all mocks ends the streams of an honest client, as it should, and so does a reset.
                if not (_ends_streams(case.query) or _ends_streams(case.body)):
                    case.call_and_validate(checks=CHECKS)

            run()


_OWN = re.compile(r"\s*(?:[\w-]+\.)*localhost\.?(?::\d{0,5})?\s*", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"\s*(?:\[([0-9a-f:.]+)\]|([0-9.]+?)\.?)(?::\d{0,5})?\s*", re.ASCII | re.IGNORECASE)


def is_own(host: str) -> bool:
    """Whether a `Host` is a name or an address of this machine, and nothing else."""
    if found := _ADDRESS.fullmatch(host):
        address = ip_address(found[1] or found[2])
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    return _OWN.fullmatch(host) is not None


def is_same(origin: str, host: str) -> bool:
    """Whether an origin is that of a host, over HTTP or HTTPS."""
    scheme, _, place = origin.strip().lower().partition("://")
    port = {"http": ":80", "https": ":443"}.get(scheme)
    return port is not None and place.removesuffix(port) == host.strip().lower().removesuffix(port)


_HOSTS = (
    "localhost", "127.0.0.1", "[::1]", "::1", ".", ":", "4290", "@", "evil.example", "[", "]", "%00", "/", "\\", "#",
    "", "?", " ", "\t", ",", "0", "0x7f.1", "2130706433", "127.1", "LOCALHOST", "xn--", "http://",
)  # fmt: skip
_SITES = ("none", "same-origin", "same-site", "cross-site", "", "none, cross-site")


def check_host(server: Server, named: tuple[str, str | None, str | None]) -> None:
    """Whoever is let in has asked for this machine by a name of its own, from no other page."""
    host, origin, site = named
    lines = [f"GET {urlsplit(server.admin).path}/mocks HTTP/1.1", f"Host: {host}"]
    lines += [] if origin is None else [f"Origin: {origin}"]
    lines += [] if site is None else [f"Sec-Fetch-Site: {site}"]
    answer = ask_raw(server.admin, lines)
    assert b"HTTP/1.1 5" not in answer
    if answer.startswith(b"HTTP/1.1 200"):
        assert is_own(host), host
        assert origin is None or is_same(origin, host), (origin, host)
        assert site in (None, "none", "same-origin"), site


def ask_raw(url: str, lines: list[str]) -> bytes:
    """The answer to a head whose lines are sent as they are, and end the connection."""
    sent = "\r\n".join([*(re.sub(r"[\r\n]", "", line) for line in lines), "Connection: close", "", ""])
    with Client(url) as client, suppress(ConnectionError):
        client.send(sent.encode("utf-8", "replace"))
        return client.read_to_end()
    return b""


_NAMES = ("localhost", "127.0.0.1:4290", "[::1]:80", "a.localhost", "[::ffff:127.0.0.1]")
_ORIGINS = (*(f"http://{name}" for name in _NAMES), "null", "https://evil.example", "http://evil.example:80")
_NAMED = st.tuples(
    st.sampled_from(_NAMES) | spoilt(_NAMES, _HOSTS),
    st.none() | spoilt(_ORIGINS, _HOSTS),
    st.none() | st.sampled_from(_SITES),
)


def check_identifier(server: Server, name: str) -> None:
    """An ID that is no ID leads nowhere."""
    for place in (f"/mocks/{name}", f"/sse/connections/{name}", f"/mocks/{name}/sse/buffer"):
        answer = ask_raw(server.admin, [f"GET {urlsplit(server.admin).path}{place} HTTP/1.1", "Host: localhost"])
        assert b"HTTP/1.1 5" not in answer, (place, answer)
    assert ask(server.admin + "/health")[0] == 200


ADMIN_API: dict[str, Round] = {
    "the OpenAPI document": documented,
    "hosts, origins, sites": examples(_NAMED, check_host),
    "identifiers": examples(
        texts_of("..", "/", "%2f", "%00", "%", "{id}", "exact-sse", "?", "#", ";"), check_identifier
    ),
}
