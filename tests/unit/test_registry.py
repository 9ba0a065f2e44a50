"""The list of live and ended exchanges: what is counted, who is told to stop, and when none is left."""

from __future__ import annotations

import asyncio

import pytest

from mockd.errors import NotFoundError
from mockd.journal.exchange import Exchange, Outcome
from mockd.journal.registry import STOPPED_AT_ONCE, Registry
from mockd.lines.delivery import Delivery
from mockd.request import RequestView
from mockd.store import MemoryStore, ScopedStore
from tests.manual_clock import ManualClock, settle

pytestmark = pytest.mark.anyio


@pytest.fixture
def registry() -> Registry:
    return Registry(ManualClock(), ScopedStore(MemoryStore(), "test"))


class Stream:
    """What a registry needs of a stream: it notes why it is to stop."""

    told: Outcome | None = None

    def request_stop(self, outcome: Outcome) -> None:
        self.told = outcome

    def cut(self) -> None:
        raise AssertionError("nobody cuts it")


def unopened(registry: Registry) -> Exchange:
    return registry.exchange(RequestView({"type": "http", "method": "GET", "path": "/", "headers": []}))


def opened(registry: Registry) -> Exchange:
    exchange = unopened(registry)
    exchange.stream = Stream()
    registry.opened(exchange)
    return exchange


async def test_one_that_ends_before_its_turn_keeps_no_other_from_being_told(registry: Registry) -> None:
    exchanges = [opened(registry) for _ in range(STOPPED_AT_ONCE + 3)]
    streams = [exchange.stream for exchange in exchanges]
    assert registry.stop(exchanges, "closed_by_admin") == len(exchanges)
    assert registry.stop(exchanges, "shutdown") == 0
    assert {exchange.status for exchange in exchanges} == {"closing"}
    registry.ended(exchanges[-2], "completed")
    await settle()
    assert [stream.told for stream in streams] == [  # type: ignore[union-attr]
        *["closed_by_admin"] * (STOPPED_AT_ONCE + 1),
        None,
        "closed_by_admin",
    ]


async def test_who_waits_for_the_last_waits_for_those_that_come_meanwhile(registry: Registry) -> None:
    first, second = opened(registry), opened(registry)
    waiting = asyncio.ensure_future(registry.drained())
    await settle()
    registry.ended(first, "completed")
    await settle()
    assert not waiting.done()
    registry.ended(second, "completed")
    third = opened(registry)  # before the waiting task has its turn
    await settle()
    assert not waiting.done()
    registry.ended(third, "completed")
    await settle()
    assert waiting.done()


@pytest.mark.parametrize(
    ("outcome", "errors"),
    [("completed", 0), ("client_disconnected", 0), ("aborted", 0), ("failed", 1), ("slow_client", 1)],
)
def test_errors_are_counted(registry: Registry, outcome: Outcome, errors: int) -> None:
    registry.ended(opened(registry), outcome)
    assert registry.stats()["connectionErrors"] == errors
    registry.refused()
    assert registry.stats()["connectionErrors"] == errors + 1


def test_totals_are_those_of_ended_and_live_ones_however_often_one_asks(registry: Registry) -> None:
    ended, live = opened(registry), opened(registry)
    ended.events_sent, ended.bytes_sent, live.events_sent, live.bytes_sent = 1, 10, 2, 20
    registry.ended(ended, "completed")
    for _ in range(2):
        stats = registry.stats()
        assert (stats["activeConnections"], stats["totalConnections"]) == (1, 2)
        assert (stats["totalEventsSent"], stats["totalBytesSent"]) == (3, 30)


def test_what_has_ended_keeps_nothing_of_its_stream(registry: Registry) -> None:
    exchange = opened(registry)
    registry.ended(exchange, "completed")
    assert (exchange.stream, exchange.status, exchange.outcome) == (None, "closed", "completed")


def test_the_last_ones_are_remembered() -> None:
    registry = Registry(ManualClock(), ScopedStore(MemoryStore(), "test"), max_ended=2)
    exchanges = [opened(registry) for _ in range(4)]
    for exchange in exchanges:
        registry.ended(exchange, "completed")
    assert registry.listed("ended") == exchanges[2:]


def test_one_that_is_asked_for_says_what_has_arrived_by_now(registry: Registry) -> None:
    exchange = opened(registry)
    exchange.bytes_sent, exchange.wire_end, exchange.delivery = 10, 0, Delivery(None, left=4)
    registry.ended(exchange, "completed")
    assert registry.get(exchange.id)["bytesAcked"] == 6


@pytest.mark.parametrize("change", ["kind", "number", "prefix", "more"])
def test_what_only_looks_like_an_id_is_none(registry: Registry, change: str) -> None:
    exchange = opened(registry)
    id_ = exchange.id
    changed = {
        "kind": id_.replace("response", "sse"),
        "number": id_[:-6] + "zzzzzz",
        "prefix": id_.replace(exchange.prefix, ""),
        "more": id_ + " ",
    }
    assert registry.get(id_)["id"] == id_
    for ask in (registry.get, registry.close):
        with pytest.raises(NotFoundError):
            ask(changed[change])


def test_observers_are_told_of_every_exchange_but_preflights(registry: Registry) -> None:
    seen: list[tuple[Exchange, Outcome | None]] = []
    registry.observers.append(lambda exchange: seen.append((exchange, exchange.outcome)))
    listed, unlisted, preflight = opened(registry), *(unopened(registry) for _ in range(2))
    preflight.is_preflight = True
    for exchange in (preflight, unlisted, listed):
        registry.ended(exchange, "client_disconnected")
    assert seen == [(unlisted, "client_disconnected"), (listed, "client_disconnected")]
    assert registry.listed("all") == [listed]
    assert registry.stats()["totalConnections"] == 1
