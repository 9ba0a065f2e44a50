"""Fields that have no effect together with others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mockd.errors import Path, Problem
from mockd.events import Event
from mockd.lines.line import BODILESS
from mockd.mocks.checks.answer import CheckedAnswer

# -- what is sent ------------------------------------------------------------------------------------------------------


def body(answer: CheckedAnswer) -> Iterator[Problem]:
    """A body with a status that has none."""
    if answer.plan.status not in BODILESS:
        return
    kind = answer.kind
    names = ("body", "bodyFile", "template") if kind == "response" else ("status",)
    if any(answer.given((kind, name)) not in (None, "") for name in names):
        key = "statusCode" if answer.given((kind, "statusCode")) is not None else "status"
        message = f"an answer with status {answer.plan.status} has no body, so nothing else of it is sent"
        yield Problem(message, (kind, key), "choose another status, or a `response` without a body")


def chunk_size(answer: CheckedAnswer) -> Iterator[Problem]:
    """A chunk size for what has chunks of its own."""
    if answer.given(("chunked", "chunkSize")) is None:
        return
    if answer.given(("chunked", "eventsFile")) is not None:
        message = "the chunks of a file of events are its events, whatever their size"
    elif answer.plan.framing.name == "ndjson":
        message = "the chunks of NDJSON are its lines, whatever their size"
    else:
        return
    yield Problem(message, ("chunked", "chunkSize"), "leave it out")


# -- when it is sent ---------------------------------------------------------------------------------------------------

_TOKEN_MODES = ("itl", "tokensPerSecond")
_MODES = ("perEventDelays", "burst", "randomDelay", "fixedDelay")


def timing(answer: CheckedAnswer) -> Iterator[Problem]:
    """A mode of timing beside one that comes before it and leaves it no event."""
    kind = answer.kind
    if answer.stream is None:
        return
    places: dict[str, Path] = {mode: (kind, "timing", mode) for mode in (*_TOKEN_MODES, *_MODES)}
    places["delayPerToken"] = (kind, "templateParams", "delayPerToken")
    places["chunkDelay"] = (kind, "chunkDelay")
    order = (*_TOKEN_MODES, "delayPerToken", *_MODES, "chunkDelay")
    given = [mode for mode in order if answer.given(places[mode]) is not None]
    # Delays by position leave the events behind them to the other modes.
    first = next((mode for mode in given if mode != "perEventDelays"), None)
    for mode in given[given.index(first) + 1 :] if first else []:
        yield Problem(f"`{first}` decides instead, for every event", places[mode], f"give `{mode}` or `{first}`")


def burst(answer: CheckedAnswer) -> Iterator[Problem]:
    """The interval inside groups of one event."""
    path = (answer.kind, "timing", "burst")
    if answer.given((*path, "count")) == 1 and answer.given((*path, "interval")):
        message = "a group of one event has no interval"
        yield Problem(message, (*path, "interval"), "leave it out, or raise `count`")


def delays_by_position(answer: CheckedAnswer) -> Iterator[Problem]:
    """Delays for events that do not exist, or that have a delay of their own: those of a template's format."""
    path = (answer.kind, "timing", "perEventDelays")
    delays = answer.given(path)
    if not delays:
        return
    script = answer.script
    events: Sequence[Event]
    if script is not None:
        count = script.length if script.position_of(script.length) == 0 else script.total
        if len(delays) > count:
            yield Problem(f"there are only {count} events", (*path, int(count)), "leave out the delays behind them")
        events = script.events
    else:
        from mockd.mocks.checks.sample import sample_events

        events = sample_events(answer.plan.source)
    content = [position for position, event in enumerate(events) if event.delay_s is None]
    for position, event in enumerate(events[: len(delays)]):
        if event.delay_s is not None and delays[position]:
            if script is not None:
                message, hint = "this event has a delay of its own", "leave out one of them"
            else:
                message = "this event belongs to the format of the template, and goes without a pause"
                hint = f"events with content: {', '.join(map(str, content))}, counted from 0"
            yield Problem(message, (*path, position), hint)


# -- how long, and how it ends -----------------------------------------------------------------------------------------


def limits(answer: CheckedAnswer) -> Iterator[Problem]:
    """A time limit that another one comes before."""
    stream = answer.stream
    if stream is None:
        return
    life, path = stream.lifecycle, (answer.kind, "lifecycle")
    most = life.connection_timeout
    if 0 < most <= life.timeout:
        yield Problem("`connectionTimeout` ends the stream before", (*path, "timeout"), "make it shorter")
    end = min([limit for limit in (most, life.timeout) if limit], default=math.inf)
    if end <= getattr(life, "keepalive_interval", 0.0):
        name = "connectionTimeout" if end == most else "timeout"
        yield Problem(f"`{name}` ends the stream before", (*path, "keepaliveInterval"), "make it shorter")


def last_event(answer: CheckedAnswer) -> Iterator[Problem]:
    """Numbers of events that are never reached, and `keepOpen` for a stream that ends before."""
    stream = answer.stream
    if stream is None:
        return
    life, path = stream.lifecycle, (answer.kind, "lifecycle")
    if not (life.max_events or life.keep_open or life.simulate_disconnect is not None):
        return
    script = answer.script
    if script is None or not script.length:
        return
    drops = answer.plan.rate_limit is not None and answer.plan.rate_limit.strategy == "drop"
    count, reason = script.stop
    comes_back = answer.plan.resume is not None and reason == "aborted"
    if life.simulate_disconnect is not None and reason != "aborted" and not drops:
        message = f"the stream ends before its connection breaks, after {script.counted_before(int(count))} events"
        yield Problem(message, (*path, "simulateDisconnect"), "make it smaller")
    if life.max_events and reason == "aborted" and not comes_back:
        message = f"the connection breaks before, after {life.simulate_disconnect} events"
        yield Problem(message, (*path, "maxEvents"), "leave it out, or raise `simulateDisconnect`")
    if life.keep_open and reason != "completed" and not comes_back:
        name = "maxEvents" if reason == "max_events" else "simulateDisconnect"
        yield Problem(f"`{name}` ends the stream all the same", (*path, "keepOpen"), "leave it out")


def ending(answer: CheckedAnswer) -> Iterator[Problem]:
    """Parts of a termination that its type does not use, and fields of its events that are not sent."""
    stream = answer.stream
    if stream is None:
        return
    path: Path = (answer.kind, "lifecycle", "termination")
    termination, breaks = stream.lifecycle.termination, stream.lifecycle.simulate_disconnect is not None
    limit = answer.plan.rate_limit
    cannot_fail = answer.plan.source.script is not None and (limit is None or limit.strategy != "error")
    unused = {
        "closeDelay": termination.type == "error" and not breaks and bool(termination.close_delay),
        "finalEvent": termination.type != "graceful" and termination.final_event is not None,
        "errorEvent": termination.error_event is not None
        and (termination.type == "abrupt" or (termination.type == "graceful" and cannot_fail)),
    }
    for name, is_unused in unused.items():
        if is_unused:
            hint = f"leave it out, or choose another `type` than `{termination.type}`"
            yield Problem(f"a termination of type `{termination.type}` has no `{name}`", (*path, name), hint)
    for name in ("finalEvent", "errorEvent"):
        if answer.given((*path, name, "delay")) is not None:
            yield Problem("`delay` has no effect in the last event", (*path, name, "delay"), "it goes at once")
        yield from _not_sent(answer, (*path, name), "the last event")


def heartbeat(answer: CheckedAnswer) -> Iterator[Problem]:
    """Fields of a heartbeat's event that are not sent, and a keepalive or heartbeat that another one forestalls."""
    stream = answer.stream
    if stream is None or stream.lifecycle.heartbeat is None:
        return
    path: Path = (answer.kind, "lifecycle")
    yield from _not_sent(answer, (*path, "heartbeat", "event"), "a heartbeat")
    every, keepalive = stream.lifecycle.heartbeat.every / 1000, getattr(stream.lifecycle, "keepalive_interval", 0.0)
    if not keepalive:
        return
    longer, shorter = ("keepaliveInterval", "heartbeat") if every <= keepalive else ("heartbeat", "keepaliveInterval")
    yield Problem(f"`{shorter}` breaks each silence before", (*path, longer), "leave it out, or make it shorter")


def _not_sent(answer: CheckedAnswer, path: Path, where: str) -> Iterator[Problem]:
    """The fields of an event outside the list that the framing does not send."""
    for field in () if answer.plan.framing.sends_ids else ("type", "id", "retry", "comment"):
        if answer.given((*path, field)) is not None:
            yield Problem(f"`{field}` has no effect in {where}", (*path, field), "only `data` is sent")


def resume(answer: CheckedAnswer) -> Iterator[Problem]:
    """Settings of `resume` that is not enabled."""
    path = ("sse", "resume")
    given = answer.given(path)
    if given and answer.plan.resume is None and "enabled" not in given:
        yield Problem("`resume` is not enabled, so this has no effect", path, 'add `"enabled": true`')
