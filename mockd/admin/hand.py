"""Operations that hold streams, let them go on, and wait for them: one stream, or the live ones of a mock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from mockd.admin.calls import Call, answer
from mockd.config.events import EventConfig
from mockd.config.hand import Hold, MockHold, Step
from mockd.engine import EVENTS_AT_ONCE, Engine
from mockd.errors import ConfigError, ConflictError
from mockd.hand.cut import fault_of
from mockd.hand.hands import STREAMS_AT_ONCE
from mockd.hand.push import event_of
from mockd.hand.waits import NOTHING, Conditions
from mockd.journal.exchange import Exchange
from mockd.turns import gone_through

TIMEOUT_S = 30.0
"""Default of the longest wait, in seconds."""
LONGEST_WAIT_S = 600
"""Longest wait, in seconds."""


# -- one stream --------------------------------------------------------------------------------------------------------


async def hold_connection(engine: Engine, call: Call) -> Any:
    """Hold a stream, now or at a place."""
    hold, exchange = call.read_as(Hold), _exchange(engine, call)
    engine.streams.take_in_hand().hold(exchange, hold)
    return await _once_done(exchange)


async def release_connection(engine: Engine, call: Call) -> Any:
    """Let a stream that is held go on."""
    exchange = _exchange(engine, call)
    engine.streams.take_in_hand().release(exchange)
    return await _once_done(exchange)


async def step_connection(engine: Engine, call: Call) -> Any:
    """Let the next events of a stream out now, and hold it behind them."""
    step, exchange = call.read_as(Step), _exchange(engine, call)
    engine.streams.take_in_hand().step(exchange, step.count)
    return await _once_done(exchange)


async def push_into_connection(engine: Engine, call: Call) -> Any:
    """Push an event into a stream now."""
    event, exchange = event_of(call.read_as(EventConfig)), _exchange(engine, call)
    engine.streams.take_in_hand().push(exchange, event)
    return await _once_done(exchange)


async def cut_connection(engine: Engine, call: Call) -> Any:
    """Let a fault strike a stream now."""
    fault, exchange = fault_of(call.json(), engine.settings.max_fault_bytes), _exchange(engine, call)
    engine.streams.take_in_hand().cut(exchange, fault, engine.streams.plan_of(exchange))
    return await _once_done(exchange)


async def end_connection(engine: Engine, call: Call) -> Any:
    """End a live stream as its mock says."""
    exchange = _exchange(engine, call)
    engine.connections.close(call.id, call.key)
    return await _once_done(exchange)


async def wait_for_connection(engine: Engine, call: Call) -> Any:
    """Wait until a stream is as far as the query says, or can never be."""
    conditions, timeout_s = _conditions(call), _timeout_s(call)
    if conditions == NOTHING:
        raise ConfigError("a wait needs something to wait for", hint="give `reached`, `held` or `ended`")
    exchange = _exchange(engine, call)
    is_so = await engine.streams.take_in_hand().wait(exchange, conditions, timeout_s)
    return {"ok": is_so, **_connection(exchange)}


def _exchange(engine: Engine, call: Call) -> Exchange:
    return engine.connections.find(call.id, call.key)


async def _once_done(exchange: Exchange) -> dict[str, Any]:
    await asyncio.sleep(0)  # in which the stream sends what it may
    return _connection(exchange)


def _connection(exchange: Exchange) -> dict[str, Any]:
    exchange.look()
    return {"connection": exchange.to_json()}


# -- the live streams of a mock ----------------------------------------------------------------------------------------


async def hold_mock(engine: Engine, call: Call) -> Any:
    """Hold the live streams of a mock, or those that begin next."""
    hold = call.read_as(MockHold)
    mock = engine.streams.place_of(call.id, call.key)
    if hold.upcoming:
        engine.streams.take_in_hand().hold_upcoming(mock, call.key, hold)
        return await _connections(engine, call, [])
    hands = engine.streams.take_in_hand()
    return await _each(engine, call, lambda exchange: hands.hold(exchange, hold))


async def release_mock(engine: Engine, call: Call) -> Any:
    """Let the live streams of a mock go on, and hold none that begin later."""
    mock = engine.streams.place_of(call.id, call.key)
    hands = engine.streams.take_in_hand()
    hands.drop_upcoming(mock, call.key)
    return await _each(engine, call, hands.release)


async def step_mock(engine: Engine, call: Call) -> Any:
    """Let the next events of a mock's live streams out now, and hold them behind these."""
    step, hands = call.read_as(Step), engine.streams.take_in_hand()
    return await _each(engine, call, lambda exchange: hands.step(exchange, step.count))


async def push_into_mock(engine: Engine, call: Call) -> Any:
    """Push an event into the live streams of a mock, and into those to which clients can come back."""
    event = event_of(call.read_as(EventConfig))
    live, sessions = _live(engine, call), engine.streams.sessions_of(call.id, call.key)
    for each in sessions:
        await gone_through(each.ageing(), EVENTS_AT_ONCE)
    done = await engine.streams.take_in_hand().push_all(live, sessions, call.key, event)
    await asyncio.sleep(0)  # in which the streams send it
    return await _connections(engine, call, done)


async def cut_mock(engine: Engine, call: Call) -> Any:
    """Let a fault strike the live streams of a mock now."""
    fault, hands = fault_of(call.json(), engine.settings.max_fault_bytes), engine.streams.take_in_hand()
    return await _each(engine, call, lambda exchange: hands.cut(exchange, fault, engine.streams.plan_of(exchange)))


async def end_mock_connections(engine: Engine, call: Call) -> Any:
    """End a mock's live streams as it says."""
    return await _each(engine, call, lambda exchange: engine.connections.stop([exchange], "closed_by_admin"))


async def wait_for_mock(engine: Engine, call: Call) -> Any:
    """Wait until streams of a mock are as far as the query says."""
    conditions, timeout_s, opened = _conditions(call), _timeout_s(call), call.count("opened")
    if conditions == NOTHING and not opened:
        message = "a wait needs something to wait for"
        raise ConfigError(message, hint="give `opened` (1 or more), `reached`, `held` or `ended`")
    mock = engine.streams.place_of(call.id, call.key)
    is_so, found = await engine.streams.take_in_hand().wait_for(mock, call.key, conditions, opened or None, timeout_s)
    for exchange in found:
        exchange.look()
    return await engine.serving.apart(lambda: answer({"ok": is_so, "connections": [one.to_json() for one in found]}))


def _live(engine: Engine, call: Call) -> list[Exchange]:
    return [exchange for exchange in engine.streams.of(call.id, call.key) if exchange.status == "active"]


async def _each(engine: Engine, call: Call, work: Callable[[Exchange], object]) -> Any:
    """Do work on each live stream of a mock, in turns. Those on which it is not possible are left out; if it is
    possible on none, that is a conflict."""
    done: list[Exchange] = []
    refused: list[ConflictError] = []

    def steps() -> Iterator[None]:
        for exchange in _live(engine, call):
            if exchange.status == "active":  # one may have ended between two turns
                try:
                    work(exchange)
                    done.append(exchange)
                except ConflictError as error:
                    refused.append(error)
            yield

    await gone_through(steps(), STREAMS_AT_ONCE)
    if refused and not done:
        raise refused[0]
    await asyncio.sleep(0)  # in which the streams send what they may
    return await _connections(engine, call, done)


async def _connections(engine: Engine, call: Call, done: list[Exchange]) -> Any:
    for exchange in done:
        exchange.look()
    return await engine.serving.apart(
        lambda: answer(
            {"mockId": call.id, "count": len(done), "connections": [exchange.to_json() for exchange in done]}
        )
    )


# -- what the query says -----------------------------------------------------------------------------------------------


def _conditions(call: Call) -> Conditions:
    return Conditions(call.count("reached"), _must(call, "held"), _must(call, "ended"))


def _must(call: Call, name: str) -> bool:
    """Whether a condition is asked for."""
    given = call.flag(name)
    if given is False:
        raise ConfigError(f"query parameter `{name}`: a wait is for what comes to be so", hint="leave it out")
    return bool(given)


def _timeout_s(call: Call) -> float:
    text = call.text("timeoutSeconds")
    if text is None:
        return TIMEOUT_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise ConfigError(f"query parameter `timeoutSeconds`: {text!r} is no number from 0 to {LONGEST_WAIT_S}")
    return seconds
