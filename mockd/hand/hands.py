"""The hands of an engine: all that people do with live streams and with those that begin next."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from mockd.clock import Clock
from mockd.config.fault import Fault
from mockd.config.hand import Hold, MockHold
from mockd.errors import ConflictError, TooManyHoldsError, TooManyWaitsError
from mockd.events import Event
from mockd.hand.cut import cut
from mockd.hand.hand import Hand
from mockd.hand.push import check, push, session_of, why_not
from mockd.hand.upcoming import Mock, Upcoming
from mockd.hand.waits import Conditions, Wait
from mockd.hand.watching import Watches
from mockd.journal.exchange import Exchange
from mockd.journal.registry import Registry
from mockd.program.plan import StreamPlan
from mockd.settings import Settings
from mockd.streaming.program import Program
from mockd.streaming.sessions.resume import Sessions
from mockd.turns import gone_through

STREAMS_AT_ONCE = 50
"""Number of streams on which hands are laid in one turn of the event loop."""
_LEAST_S = 0.01
"""Shortest time, in seconds, between two looks at the keys for which streams are held."""


class Hands:
    """The hands of an engine, made when somebody first needs one. They belong to the thread of the event loop.

    `need` remembers a key, as something is kept for it. A key that nobody uses for `key_max_age` seconds loses its
    holds, so that nothing stays held if a test dies.
    """

    def __init__(self, settings: Settings, clock: Clock, registry: Registry, need: Callable[[str], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._registry = registry
        self._need = need
        self._upcoming = Upcoming()
        self._holding: dict[Hand, None] = {}
        """The hands of which a hold stands."""
        self._waits: dict[Wait, None] = {}
        self._of_stream: defaultdict[int, set[Wait]] = defaultdict(set)
        self._of_mock: defaultdict[Mock, set[Wait]] = defaultdict(set)
        self.watches = Watches(settings, clock, self.of)
        self._used: dict[str | None, float] = {None: clock.monotonic()}
        """The last use of each key that has holds, and of any key under None."""
        self._timer: asyncio.TimerHandle | None = None
        registry.observers.append(self._ended)

    # -- streams come and go ---------------------------------------------------------------------------------------

    def opening(self, exchange: Exchange, program: Program) -> Program:
        """The program of a stream that begins now, with what stands for it."""
        if not program.is_listed:
            return program
        self._use(exchange.key)
        hold = self._upcoming.take(exchange)
        is_awaited = bool(self._waits_for(exchange))
        watches = self.watches.waiting_for(exchange)
        if hold is None and not is_awaited and not watches:
            return program
        hand = self._hand_on(exchange)
        if is_awaited:
            asyncio.get_running_loop().call_soon(self._look, exchange)  # once it is listed
        self.watches.begin(watches, hand)
        if hold is not None:
            hand.standing = hold
            self._hold_on(hand)
        return hand.over(program) if hold is not None or watches else program

    def _ended(self, exchange: Exchange) -> None:
        if self._waits:
            self._look(exchange)
        hand = exchange.hand
        if isinstance(hand, Hand):
            self._tell(hand, is_held=False)
            self._holding.pop(hand, None)
            exchange.hand = None
            for watch in hand.watches:
                watch.end()

    def _hand_on(self, exchange: Exchange) -> Hand:
        """The hand on a stream, made if there is none. It is not laid on it yet."""
        if not isinstance(exchange.hand, Hand):
            exchange.hand = Hand(exchange, self._changed)
        return exchange.hand

    def _changed(self, hand: Hand) -> None:
        if self._waits:
            self._look(hand.exchange)
        for watch in hand.watches:
            watch.wake()
        self._tell(hand, is_held=hand.stands_still)
        if hand.standing is None:  # the stream has turned to its end
            self._holding.pop(hand, None)

    def _tell(self, hand: Hand, *, is_held: bool) -> None:
        """Tell those who follow the feed, if a stream is held now and was not, or the other way round."""
        if is_held is hand.was_held:
            return
        hand.was_held = is_held
        feed = self._registry.feed
        if not feed.is_on:
            return
        if not is_held:
            feed.released(hand.exchange)
            return
        if hand.standing is not None and isinstance(hand.standing.at, int):
            feed.reached(hand.exchange)
        feed.held(hand.exchange)

    # -- on one stream ---------------------------------------------------------------------------------------------

    def of(self, exchange: Exchange) -> Hand:
        """The hand on a live stream, laid on it now. Raises `ConflictError` if the stream has ended, or is ending."""
        if exchange.status != "active":
            how = f"has already ended: {exchange.outcome}" if exchange.outcome else "is about to end"
            raise ConflictError(f"Connection {how}")
        self._use(exchange.key)
        hand = self._hand_on(exchange)
        hand.lay_on()
        return hand

    def hold(self, exchange: Exchange, hold: Hold) -> None:
        """Hold a stream at a place. Raises `ConflictError`, `TooManyHoldsError`."""
        self._check_room(exchange)
        hand = self.of(exchange)
        hand.hold(hold)
        self._hold_on(hand)

    def step(self, exchange: Exchange, count: int) -> None:
        """Let so many events of a stream out now, and hold it behind them. Raises as `hold` does."""
        self._check_room(exchange)
        hand = self.of(exchange)
        hand.step(count)
        self._hold_on(hand)

    def release(self, exchange: Exchange) -> None:
        """Let a stream go on, if it is held or will be."""
        self._use(exchange.key)
        if isinstance(exchange.hand, Hand):
            exchange.hand.release()
            self._holding.pop(exchange.hand, None)

    def push(self, exchange: Exchange, event: Event) -> None:
        """Push an event into a stream. Raises `ConflictError`, `ConfigError`."""
        push(self.of(exchange), event)

    def cut(self, exchange: Exchange, fault: Fault, plan: StreamPlan | None) -> None:
        """Let a fault strike a stream now. `plan` is its mock's, if that is still there. Raises `ConflictError`."""
        cut(self.of(exchange), fault, plan, self._settings.fault_timeout)

    # -- on the streams of a mock ----------------------------------------------------------------------------------

    def hold_upcoming(self, mock: Mock, key: str | None, hold: MockHold) -> None:
        """Hold the next streams of a mock, those of one key or of all, each when it begins. Raises
        `TooManyHoldsError`, `TooManyKeysError`."""
        if not self._upcoming.has(mock, key):
            self._check_room()
        if key:
            self._need(key)
        count = math.inf if hold.upcoming == "all" else int(hold.upcoming)
        fields = {name: getattr(hold, name) for name in Hold.__struct_fields__}
        self._upcoming.put(mock, key, Hold(**fields), count)
        self._keep(key)

    async def push_all(
        self, exchanges: Sequence[Exchange], sessions: Sequence[Sessions], key: str | None, event: Event
    ) -> list[Exchange]:
        """Push an event into live streams, and into the sessions of a key, or of all keys, to which clients can come
        back; once into each session. Returns those streams. Raises `ConflictError` if there is nothing to push into,
        and `ConfigError`."""
        self._use(key)
        reasons = {exchange.number: why_not(self._hand_on(exchange)) for exchange in exchanges}
        live = [exchange for exchange in exchanges if reasons[exchange.number] is None]
        buffers = [(each, buffer) for each in sessions for buffer in each.of(key)]
        if not live and not buffers:
            why = next((f"a stream of the mock {why}" for why in reasons.values()), "the mock has no live stream")
            raise ConflictError(f"nothing can be pushed: {why}")
        framings = {self._hand_on(exchange).stream.program.framing for exchange in live}
        for framing in framings | {buffer.session.plan.framing for _, buffer in buffers}:
            check(event, framing)
        read: set[int] = set()

        def steps() -> Iterator[None]:
            for exchange in live:
                hand = self._hand_on(exchange)
                if exchange.status != "active" or why_not(hand) is not None:
                    continue  # it has ended between two turns
                session = session_of(hand)
                if session is None or id(session) not in read:
                    read.add(id(session))
                    push(self.of(exchange), event)
                yield
            for each, buffer in buffers:
                if id(buffer.session) not in read:
                    each.push(buffer, event)
                yield

        await gone_through(steps(), STREAMS_AT_ONCE)
        return live

    def drop_upcoming(self, mock: Mock, key: str | None) -> None:
        """Hold none of the next streams of a mock, those of one key or of all."""
        self._upcoming.drop(mock, key)

    @property
    def holds(self) -> int:
        """Number of holds that stand, of live streams and of those yet to begin."""
        return len(self._holding) + len(self._upcoming)

    @property
    def waiting(self) -> int:
        """Number of those who wait."""
        return len(self._waits)

    # -- waiting ---------------------------------------------------------------------------------------------------

    async def wait(self, exchange: Exchange, conditions: Conditions, timeout_s: float) -> bool:
        """Whether the conditions come to hold of a stream within that time. Raises `TooManyWaitsError`."""
        wait = Wait(exchange.key, conditions, [exchange], is_open=False)
        if not wait.is_over:
            self._hand_on(exchange)
        return await self._done(wait, self._of_stream, exchange.number, timeout_s)

    async def wait_for(
        self, mock: Mock, key: str | None, conditions: Conditions, opened: int | None, timeout_s: float
    ) -> tuple[bool, list[Exchange]]:
        """Whether the conditions come to hold of so many streams of a mock within that time, and those streams; if not,
        those that are live. Without a number it is one of those that are live or yet to come; with it, streams that
        have ended count too. Raises `TooManyWaitsError`."""
        owner, mock_id = mock
        known = self._registry.listed("active" if opened is None else "all", mock_id, key=key)
        known = [one for one in known if one.owner == owner and self._registry.is_current(one)]
        wait = Wait(key, conditions, known, opened or 1, is_open=True)
        if not wait.is_over:
            for exchange in known:
                if exchange.status != "closed":
                    self._hand_on(exchange)
        is_so = await self._done(wait, self._of_mock, mock, timeout_s)
        return is_so, wait.fulfilled if is_so else list(wait.found.values())

    async def _done(self, wait: Wait, index: defaultdict[Any, set[Wait]], place: Hashable, timeout_s: float) -> bool:
        self._use(wait.key)
        if not wait.is_over:
            if len(self._waits) >= self._settings.max_waits:
                most = self._settings.max_waits
                raise TooManyWaitsError(f"as many wait for streams as --max-waits allows ({most:,})")
            self._waits[wait] = None
            index[place].add(wait)
        try:
            return await wait.done(timeout_s)
        finally:
            self._use(wait.key)
            self._waits.pop(wait, None)
            if place in index:
                index[place].discard(wait)
                if not index[place]:
                    del index[place]

    def _waits_for(self, exchange: Exchange) -> list[Wait]:
        of_stream = self._of_stream.get(exchange.number, ())
        of_mock = self._of_mock.get((exchange.owner, exchange.mock_id or ""), ())
        return [*of_stream, *(wait for wait in of_mock if wait.key in (None, exchange.key))]

    def _look(self, exchange: Exchange) -> None:
        feed = self._registry.feed
        for wait in self._waits_for(exchange):
            if not wait.is_over:
                wait.look(exchange)
                if feed.is_on and wait.conditions.reached is not None and exchange in wait.fulfilled:
                    feed.reached(exchange)

    # -- keys ------------------------------------------------------------------------------------------------------

    def release_key(self, key: str | None) -> int:
        """Let all streams of a key go on, or those of all keys, and hold none that begin later. Returns the number of
        holds that stood."""
        found = [hand for hand in self._holding if key in (None, hand.exchange.key)]
        for hand in found:
            hand.release()
            del self._holding[hand]
        return len(found) + self._upcoming.forget(key)

    def forget(self, key: str) -> None:
        """Forget a key: nothing is held for it, and nobody waits for it any more."""
        self.release_key(key)
        self._end_waits([wait for wait in self._waits if wait.key == key])
        self.watches.give_up(lambda mock, asked: asked == key)

    def forget_mock(self, mock: Mock) -> None:
        """Forget a mock that is no longer there; from any thread."""
        self._upcoming.drop(mock, None)
        self._end_waits(list(self._of_mock.get(mock, ())))
        self.watches.give_up(lambda expected, _: expected == mock)

    def stop(self) -> None:
        """Wait for no more streams, and end the watches whose stream is yet to begin, as the server stops; from any
        thread. What streams that end fulfil is so."""
        for wait in list(self._waits):
            wait.expect_no_more()
        self.watches.give_up(lambda mock, key: True)

    def _end_waits(self, waits: list[Wait]) -> None:
        for wait in waits:
            wait.give_up()

    # -- bounds ----------------------------------------------------------------------------------------------------

    def _check_room(self, exchange: Exchange | None = None) -> None:
        """Raise `TooManyHoldsError` if no more holds may stand. That of an exchange may be one of them."""
        most = self._settings.max_holds
        is_known = exchange is not None and exchange.hand in self._holding
        if not is_known and self.holds >= most:
            raise TooManyHoldsError(f"as many holds stand as --max-holds allows ({most:,})")

    def _hold_on(self, hand: Hand) -> None:
        self._holding[hand] = None
        self._keep(hand.exchange.key)

    def _keep(self, key: str | None) -> None:
        """Look after a key that has holds."""
        self._used[key] = self._used[None] = self._clock.monotonic()
        if self._timer is None:
            self._look_again_in(self._settings.key_max_age)

    def _use(self, key: str | None) -> None:
        """Take note that a key is used, or all of them."""
        now = self._used[None] = self._clock.monotonic()
        if key is None:
            self._used = dict.fromkeys(self._used, now)
        elif key in self._used:
            self._used[key] = now

    def _age(self) -> None:
        """Release what is held for keys that nobody has used for so long."""
        self._timer, now, max_age_s = None, self._clock.monotonic(), self._settings.key_max_age
        for one in (*self._waits, *self.watches):
            self._use(one.key)
        held = {hand.exchange.key for hand in self._holding} | self._upcoming.keys()
        for key in held:
            if now - self._used.get(key, 0.0) < max_age_s:
                continue
            if key is None:
                self._upcoming.drop_for_all_keys()
            else:
                self.release_key(key)
        self._used = {
            key: at for key, at in self._used.items() if key is None or (key in held and at + max_age_s > now)
        }
        if self._holding or self._upcoming:
            oldest = min(self._used[key] for key in self._used)
            self._look_again_in(oldest + max_age_s - now)

    def _look_again_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(max(_LEAST_S, seconds), self._age)
