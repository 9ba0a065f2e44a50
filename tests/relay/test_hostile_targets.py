"""Targets that mean no good: little is held of what they send, others are answered, and the recording says how it
ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from mockd.recordings.lines import SUFFIX
from mockd.recordings.reading import Exchange, Remarks, exchanges
from mockd.relay.upstream import MOST_INFORMATIONAL
from tests.relay.clients import Raw, eventually
from tests.relay.conftest import Relay
from tests.relay.targets import Play, Visit, chunk, serving

OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
OTHER: dict[str, Any] = {"matcher": {"path": "/other"}, "response": {"body": "mocked"}}


def floods(part: bytes, first: bytes = b"") -> Play:
    """Send one thing again and again for as long as the client takes it, whatever it is."""

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(first)
        while True:
            await visit.send(part)

    return play


def recorded(folder: Path) -> Exchange:
    """The one exchange, as soon as it has ended."""

    def found() -> list[Exchange]:
        files = folder.glob(f"*{SUFFIX}")
        return [one for file in files if '"end"' in file.read_text() for one in exchanges(file, Remarks())]

    assert eventually(found)
    [exchange] = found()
    return exchange


ENDLESS: dict[str, tuple[Play, bytes, str]] = {
    "head in one line": (floods(b"a" * 65536, b"HTTP/1.1 200 OK\r\nX: "), b"HTTP/1.1 502 ", "too long"),
    "head of many lines": (floods(b"X: a\r\n" * 1000, b"HTTP/1.1 200 OK\r\n"), b"HTTP/1.1 502 ", "too long"),
    "empty lines": (floods(b"\r\n" * 1000), b"HTTP/1.1 502 ", "no response line"),
    "hints": (floods(HINT * 100), HINT, f"more than {MOST_INFORMATIONAL} informational answers"),
    "100 Continue": (
        floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        b"HTTP/1.1 502 ",
        f"more than {MOST_INFORMATIONAL} informational answers",
    ),
    "trailers": (floods(b"X: a\r\n" * 1000, OK + chunk(b"a") + b"0\r\n"), b"HTTP/1.1 200 OK\r\n", "too long"),
    "chunk extension": (floods(b"a" * 65536, OK + chunk(b"a") + b"5;x="), b"HTTP/1.1 200 OK\r\n", "too long"),
    "chunk size": (floods(b"0" * 65536, OK + chunk(b"a")), b"HTTP/1.1 200 OK\r\n", ""),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_given_up(relay: Relay, tmp_path: Path, what: str) -> None:
    play, begins, says = ENDLESS[what]
    with serving(play) as target:
        server = relay(target.url, OTHER, record=str(tmp_path))
        with Raw(server.url) as client:
            client.get("/", "Connection: close").all()
        assert client.got.startswith(begins)
        assert client.got.count(HINT) <= MOST_INFORMATIONAL
        assert not client.got.endswith(b"0\r\n\r\n")
        assert target.visits[0].left.wait(10)
        exchange = recorded(tmp_path)
        assert exchange.how == "error"
        assert says in (exchange.end.text or "")
        with Raw(server.url) as other:
            other.get("/other").until(lambda got: got.endswith(b"mocked"))


def slowly(parts: Iterable[bytes]) -> Play:
    async def play(visit: Visit) -> None:
        await visit.request()
        for part in parts:
            await visit.send(part)
            await asyncio.sleep(0.05)
        await visit.gone()

    return play


@pytest.mark.parametrize(
    "parts", [[], [b"HTTP/1.1 200 OK\r\n", *[b"X: a\r\n"] * 1000]], ids=["no byte", "a head that goes on for ever"]
)
def test_a_target_that_takes_its_time_has_as_long_as_the_client_waits(
    relay: Relay, tmp_path: Path, parts: list[bytes]
) -> None:
    with serving(slowly(parts)) as target:
        server = relay(target.url, OTHER, record=str(tmp_path))
        with Raw(server.url) as client:
            client.get("/")
            assert eventually(lambda: target.visits and b"\r\n\r\n" in target.visits[0].got)
            with Raw(server.url) as other:
                other.get("/other").until(lambda got: got.endswith(b"mocked"))
        assert target.visits[0].left.wait(10)
        assert recorded(tmp_path).how == "client"


def test_a_chunk_that_comes_byte_by_byte_is_passed_on_before_it_is_there(relay: Relay, tmp_path: Path) -> None:
    """Though it never stalls for long."""
    with serving(slowly([OK, b"100000\r\n", *repeat(b"a", 10_000)])) as target:
        with Raw(relay(target.url, record=str(tmp_path)).url) as client:
            client.get("/").until(lambda got: got.count(b"aa") >= 2 and b"a\r\n" in got)
        exchange = recorded(tmp_path)
        assert (exchange.how, b"".join(data for _, data in exchange.output())[:2]) == ("client", b"aa")


@pytest.mark.parametrize(("rest", "how"), [(b"", "closed"), (b"xx\r\n", "error")], ids=["the end", "what is no chunk"])
def test_what_came_of_a_chunk_is_passed_on_before_it_breaks_off(
    relay: Relay, tmp_path: Path, rest: bytes, how: str
) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.send(OK + chunk(b"one") + (b"3\r\ntwo" if rest else b"9\r\ntwo") + rest)

    with serving(play) as target, Raw(relay(target.url, record=str(tmp_path)).url) as client:
        client.get("/").all()
        assert client.body == chunk(b"one") + chunk(b"two")
        exchange = recorded(tmp_path)
        assert (exchange.how, [data for _, data in exchange.output()]) == (how, [b"one", b"two"])


def test_a_client_that_reads_no_hints_is_not_sent_any_number(relay: Relay) -> None:
    """They are sent before the answer, when nobody waits for the client to read."""
    stopped = threading.Event()

    async def play(visit: Visit) -> None:
        await visit.request()
        try:
            while True:
                await visit.send(HINT * 1000)
        finally:
            stopped.set()

    with serving(play) as target, Raw(relay(target.url).url) as client:
        client.get("/")
        assert stopped.wait(20)
    assert client.got == b""
