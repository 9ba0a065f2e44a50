"""Faults before the head: another head or answer, bytes that are no HTTP, or nothing at all."""

from __future__ import annotations

import math
import random
from email.utils import formatdate
from typing import Any

from msgspec.structs import replace

from mockd.config import faults as config
from mockd.config.timing import in_seconds
from mockd.events import drawn
from mockd.faults.armed import Armed
from mockd.faults.site import Site
from mockd.faults.strikes import UNREAD, Struck, Trapped, pause
from mockd.headers import FixedHeaders
from mockd.journal.exchange import Outcome
from mockd.source import Answer, SourceContext
from mockd.streaming.cursors.around import Around
from mockd.streaming.ops import FINISH, Op, Stage, gone, shut
from mockd.streaming.stream import SLICE

_OUTCOME: Outcome = "aborted"
_OF_SERVER = frozenset({b"date", b"server"})
"""Names of the headers that a server adds by itself."""
_PIECE = SLICE // 2
"""Bytes that a server takes at once, however small its buffer is."""
_HIGH = bytes([byte | 0x80 for byte in range(256)])
"""The table that makes bytes of no text of any bytes."""


class Noted:
    """The record, at the head, of a fault that has changed the answer."""

    def __init__(self, armed: Armed, site: Site, fidelity: str, as_: str | None = None) -> None:
        self._armed = armed
        self._site = site
        self._fidelity = fidelity
        self._as = as_

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        self._site.note(self._armed, stage, 0, self._fidelity, self._as)


class ChangedHead:
    """The record of a fault that has changed the head. `names` are those of the headers before it."""

    def __init__(self, armed: Armed, site: Site, names: frozenset[bytes]) -> None:
        self._armed = armed
        self._site = site
        self._names = names

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        fault: config.HeaderFault = self._armed.fault
        known = self._names | (_OF_SERVER if stage.line.decides_head else frozenset())
        left = [name for name in fault.remove if name.lower().encode() not in known]
        if not left:
            self._site.note(self._armed, stage, 0, "exact")
            return
        own = {name for name in left if name.lower().encode() in _OF_SERVER}
        reasons = [f"the server itself adds {', '.join(sorted(own))}"] if own else []
        reasons += [f"there is no {', '.join(sorted(set(left) - own))}"] if set(left) - own else []
        does_nothing = len(left) == len(fault.remove) and not fault.set
        fidelity = "unsupported" if does_nothing else "emulated"
        self._site.note(self._armed, stage, 0, fidelity, " and ".join(reasons))


class Late:
    """A wait before the head, whose record is there while it lasts."""

    def __init__(self, armed: Armed, site: Site, seconds: float) -> None:
        self._armed = armed
        self._site = site
        self._seconds = seconds

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        self._site.note(self._armed, stage, 0, "exact")
        await pause(stage, self._seconds)


def wait_of(fault: config.DelayFault | config.Stall, site: Site) -> float:
    """The length of a wait, in seconds."""
    return math.inf if fault.ms is None else drawn(in_seconds(fault.ms), site.rng)


class BeforeHead:
    """An op before the head, for a fault whose strike ends the connection there. If only the server can do that, the
    head is sent, and the body left without its end."""

    def __init__(self, armed: Armed, site: Site, strike: Any) -> None:
        self.armed = armed
        self._site = site
        self._strike = strike
        self.held: list[bytes] = []
        self.events_sent = 0

    async def perform(self, stage: Any, outcome: Outcome) -> None:
        line, program = stage.line, stage.program
        if line.breaks_off:
            await self._strike(stage, self)
            return
        self._site.note(self.armed, stage, 0, "emulated", "a head without its body; the server ends the connection")
        line.head(program.status, program.headers, program.own)
        line.flush()
        await stage.drain()
        stage.exchange.http_status, stage.outcome = program.status, _OUTCOME


class Empty(Struck):
    """The end of the connection without a byte, or with bytes that are no HTTP before it."""

    async def __call__(self, stage: Stage, trap: Trapped) -> None:
        line, fault, is_read = stage.line, trap.armed.fault, True
        if isinstance(fault, config.Garbage):
            data = garbage(fault.bytes, self.site.rng)
            for begin in range(0, len(data), _PIECE):
                line.raw(data[begin : begin + _PIECE])
                if not (is_read := await self.is_read(stage)):
                    break
        self.note(stage, trap, *(("exact",) if is_read else UNREAD))
        await shut(stage)
        stage.outcome = _OUTCOME


class Closing(Around):
    """An answer behind whose end the connection is closed, under TLS also if the client keeps its side open."""

    @property
    def op(self) -> Op | None:
        return self if self.inner.op is FINISH else self.inner.op

    async def perform(self, stage: Stage, outcome: Outcome) -> None:
        stage.finish()
        if stage.line.is_secure:
            await gone(stage)
            stage.line.abort()


def garbage(size: int, rng: random.Random) -> bytes:
    """Bytes that begin no HTTP response."""
    return rng.randbytes(size).translate(_HIGH)


def changed_head(headers: FixedHeaders, fault: config.HeaderFault) -> FixedHeaders:
    """Headers as a fault changes them. What is set or removed is settled: nothing else adds to it."""
    set_ = {name.lower().encode(): value.encode("latin-1") for name, value in fault.set.items()}
    gone = {name.lower().encode() for name in fault.remove} | set_.keys()
    changed = FixedHeaders([header for header in headers if header[0] not in gone] + list(set_.items()))
    changed.settled |= headers.settled | gone
    # After a length that may be untrue, nobody knows where the next answer begins.
    changed.closes = changed.closes or b"content-length" in set_
    return changed


def refusal(fault: config.StatusFault, source: Any, context: SourceContext, now: float) -> Answer:
    """The answer of a `status` fault: the provider's own, if the mock stands for one. `now` is Unix time."""
    make = getattr(source, "refusal", None)  # which sources need not have
    answer: Answer | None = None if make is None else make(context, fault.status, _seconds(fault.retry_after))
    retry = retry_headers(fault, now)
    if answer is None:
        name = f"status_{fault.status}"
        body: Any = {"error": {"message": f"mockd was told to answer {fault.status}", "type": name, "code": name}}
        answer = Answer(status=fault.status, body=body)
    headers = {name: value for name, value in answer.headers if name not in retry} | retry
    if fault.body is None:
        return replace(answer, headers=tuple(headers.items()))
    headers.pop("content-type", None)  # the type of its own body follows from the body
    return replace(answer, headers=tuple(headers.items()), body=fault.body)


def _seconds(retry_after: float | str | None) -> float | None:
    """The seconds after which to come again; None for a date, which stands alone."""
    if not isinstance(retry_after, str):
        return retry_after
    return None if retry_after.startswith("date:") else int(retry_after.removesuffix("ms")) / 1000


def retry_headers(fault: config.StatusFault, now: float) -> dict[str, str]:
    """The headers that say when to come again. `now` is Unix time."""
    after = fault.retry_after
    if after is None:
        return {}
    if isinstance(after, int | float):
        return {"retry-after": str(int(after) if after == int(after) else after)}
    if after.startswith("date:"):
        return {"retry-after": formatdate(now + int(after[5:]), usegmt=True)}
    milliseconds = int(after.removesuffix("ms"))
    return {"retry-after": str(math.ceil(milliseconds / 1000)), "retry-after-ms": str(milliseconds)}
