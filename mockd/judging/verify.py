"""Verifying which requests came, at once or by waiting for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

from mockd.errors import TooManyWaitsError
from mockd.journal.journal import Journal
from mockd.judging.claims import Claim, Judgement, Look, Steps
from mockd.judging.expected import Expected
from mockd.judging.kept import Doubt, KeptRequest
from mockd.matching.predicates import Note, Predicate
from mockd.request import RequestView

T = TypeVar("T")

PAUSE_S = 0.05
"""Least time, in seconds, from one look at the journal to the next, however many requests come."""
AT_ONCE_S = 0.02
"""Time, in seconds, in which requests are looked into before others have their turn."""


class Apart(Protocol):
    """A way to do work in another thread, as `Serving.apart` does."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class Verifier:
    """Verifies claims about the requests in a journal. `is_open` says whether credentials may be searched, and
    `max_waits` is the number of those who may wait at once."""

    def __init__(self, journal: Journal, apart: Apart, *, is_open: bool, max_waits: int) -> None:
        self._journal = journal
        self._apart = apart
        self._is_open = is_open
        self._max_waits = max_waits

    async def verify(self, claim: Claim, within_s: float) -> dict[str, Any]:
        """Whether a claim holds, as the answer to `POST /verify`. Wait until it does, or until requests that are yet to
        come cannot change the answer, but no longer than so many seconds. Raises `TooManyWaitsError`."""
        if not within_s:
            return await self._answer(*await self._look(claim))
        if len(self._journal.waits) >= self._max_waits:
            raise TooManyWaitsError(f"as many wait as --max-waits allows ({self._max_waits:,})")
        keys = [expected.key for expected in claim.expected if expected.key]
        wait = self._journal.wait(keys, lambda news: any(expected.may_be(news) for expected in claim.expected))
        try:
            end = monotonic() + within_s
            while True:
                wait.news.clear()
                next_look = monotonic() + PAUSE_S
                look, judgement = await self._look(claim)
                if judgement.is_final or (monotonic() >= end and wait.ended is None):
                    return await self._answer(look, judgement)
                if wait.ended is not None:
                    return _ended(judgement, wait.ended)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(end - monotonic()):
                        await wait.news.wait()
                        if wait.ended is None:
                            await asyncio.sleep(next_look - monotonic())
        finally:
            self._journal.waits.discard(wait)

    async def _look(self, claim: Claim) -> tuple[Look, Judgement]:
        requests = self._journal.requests()
        keys = {None, *(expected.key for expected in claim.expected)}
        look = Look(requests, {key: self._journal.dropped_of(key) for key in keys}, is_open=self._is_open)
        return look, await self._in_steps(_judged(claim, look))

    async def _answer(self, look: Look, judgement: Judgement) -> dict[str, Any]:
        nearest: list[dict[str, Any]] = []
        message = judgement.message
        if judgement.missing is not None and not look.requests:
            message += "; no request is in the journal"
        elif judgement.missing is not None:
            nearest = await self._in_steps(_nearest(look, judgement.missing))
            if nearest:
                message += f"; the nearest request: {nearest[0]['reason']}"
        return {"ok": judgement.ok, "count": judgement.count, "message": message, "nearest": nearest}

    async def _in_steps(self, steps: Generator[None, None, T]) -> T:
        """What steps come to. They are gone through in the other thread, where other work is done between them."""

        def go_on() -> tuple[T, ...]:
            end = monotonic() + AT_ONCE_S
            try:
                while monotonic() < end:
                    next(steps)
            except StopIteration as done:
                return (done.value,)
            return ()

        while not (found := await self._apart(go_on)):
            pass
        return found[0]


def _judged(claim: Claim, look: Look) -> Steps:
    for expected in claim.expected:
        expected.forget_all_but(look.requests)
        yield
    return (yield from claim.judge(look))


def _ended(judgement: Judgement, why: str) -> dict[str, Any]:
    message = f"{judgement.message}; this was not waited for to the end, as {why}"
    return {"ok": False, "count": judgement.count, "message": message, "nearest": []}


def _nearest(look: Look, expected: Expected) -> Generator[None, None, list[dict[str, Any]]]:
    """The requests that nearly are those that are expected, the newest of those that are equally near."""
    from mockd.matching.nearmiss import Nearest

    nearest = Nearest(expected.rule, lambda predicate, request: _told(expected, predicate, request))
    for asked in reversed(look.requests):
        if not look.fits(asked, expected):
            look.searched(asked, partial(nearest.add, asked.exchange.request_id))
        yield
    return nearest.reports()


def _told(expected: Expected, predicate: Predicate, request: RequestView) -> bool | Note:
    assert isinstance(request, KeptRequest)
    told = expected.criteria[predicate.field].told_by(request)
    return Note(f"(not tested, as {told.value})") if isinstance(told, Doubt) else told
