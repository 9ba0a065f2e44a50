"""The journal: what was asked, request by request, and what became of it. Whatever is read of it has no credentials."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from operator import attrgetter, itemgetter
from typing import NamedTuple
from urllib.parse import quote

from msgspec import Struct

from mockd.journal.exchange import Exchange
from mockd.request import IN_PATHS, Scope

RECORD_BYTES = 1024
"""Bytes that each request counts beside its head and its body."""
FIELD_BYTES = 800
"""Bytes that each criterion of a near miss counts, beside the sentence about the mock, which counts twice."""
LONG_HEAD = 4096
"""Bytes of a head above which what came with it, such as the body, is cut off. It would count twice."""
SMALL = 4096
"""Bytes of a request, its body twice, up to which it is only put down at first."""
LET_GO_AT_ONCE = 100
"""Number of requests that are let go of at once."""
TOLD_TOGETHER_S = 0.05
"""Least time, in seconds, between two times at which those who wait are told what came."""
KINDS_TOLD_APART = 20
"""Number of kinds of requests that came, up to which each who waits is woken only for those that may be meant."""
MOST_KEYS = 10_000
"""Most keys whose requests that were let go of are counted for each."""

_STOPPED = "mockd is stopping"

Parsed = tuple[bytes, bytes, list[tuple[bytes, bytes]]]
"""The raw path, the query and the headers of a request."""


class Asked(Struct):
    """One request, with what became of it. `head` is the head as it came, and perhaps bytes behind it; if it is not
    known, `parsed` has what the server has read. `body_bytes` is the length of the whole body, None as long as it is
    not there. `size` is the number of bytes that this counts in the journal."""

    exchange: Exchange
    head: bytes
    body: bytes
    body_bytes: int | None
    size: int
    parsed: Parsed | None = None


class News(NamedTuple):
    """What is known at once of a request that has come, or of which more is known now."""

    key: str
    method: str
    path: str


class Wait:
    """Somebody who waits for requests: for those that `may_be_meant`. The wait ends with one of `keys`. `news` is set
    as soon as such a request comes, or more is known of one; `ended` says why the wait was ended, if it was."""

    __slots__ = ("ended", "keys", "may_be_meant", "news")

    def __init__(self, keys: Iterable[str], may_be_meant: Callable[[News], bool]) -> None:
        self.keys = frozenset(keys)
        self.may_be_meant = may_be_meant
        self.news = asyncio.Event()
        self.ended: str | None = None


class Journal:
    """The last requests, oldest first: at most `most`, and about `most_bytes` of them. Of each body, `body_limit` bytes
    are kept.

    Entering a request is on the way of every request. So small ones are only put down, and weighed when the journal is
    read: under load, most are let go of before that, many at once. It belongs to the thread of the event loop.
    """

    def __init__(self, most: int, most_bytes: int, body_limit: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._body_limit = body_limit
        self._requests: deque[Asked] = deque()
        self._bytes = 0
        self._new: list[tuple[Exchange, bytes, bytes]] = []
        """Small requests that came behind the others, each with its head and body, and are not weighed yet."""
        self._most_new = min(most + LET_GO_AT_ONCE, most_bytes // (2 * SMALL))
        self.dropped = 0
        """Number of requests that had to be let go of."""
        self._dropped_of: Counter[str] = Counter()
        """Those among them that had a key, by their keys."""
        self._dropped_of_others = 0
        """Those of further keys."""
        self._news: set[News] = set()
        """What those who wait have not been told yet."""
        self._told_at = 0.0
        self._is_closed = False
        self.waits: set[Wait] = set()

    def enter(self, exchange: Exchange, head: bytes | None, scope: Scope, body: bytes | None) -> Asked | None:
        """Take note of a request that has come in. `head` is its head as it came, if that is known; `body` is None as
        long as it is on its way. Returns what it is to be added to."""
        if head is None or body is None or len(head) + len(body) > SMALL or self.waits:
            return self._enter_weighed(exchange, head, scope, body)
        new = self._new
        new.append((exchange, head, body))
        if len(new) > self._most_new:
            self._cut_new()
        return None

    def _enter_weighed(self, exchange: Exchange, head: bytes | None, scope: Scope, body: bytes | None) -> Asked:
        self._weigh()
        if head is None or body is None or len(head) > LONG_HEAD or len(body) > self._body_limit:
            asked = self._asked(exchange, head, scope, body)
        else:
            asked = _weighed(exchange, head, body)
        self._requests.append(asked)
        self._bytes += asked.size
        if self._bytes > self._most_bytes or len(self._requests) > self._most + LET_GO_AT_ONCE:
            self._let_go()
        self.wake(exchange)
        return asked

    def _weigh(self) -> None:
        """Weigh the requests that were only put down."""
        new, self._new = self._new, []
        for exchange, head, body in new:
            asked = _weighed(exchange, head, body[: self._body_limit], len(body))
            self._requests.append(asked)
            self._bytes += asked.size

    def _cut_new(self) -> None:
        """Let go of all but the newest ones, without weighing them if they are as many as there may be."""
        new, most = self._new, self._most
        if len(new) <= most:
            self._weigh()
            self._let_go()
            return
        gone = [asked.exchange for asked in self._requests]
        gone += map(itemgetter(0), new[:-most])
        self._requests.clear()
        self._bytes = 0
        del new[:-most]
        self.dropped += len(gone)
        for key, count in Counter(map(attrgetter("key"), gone)).items():
            if key:
                self._drop(key, count)

    def _asked(self, exchange: Exchange, head: bytes | None, scope: Scope, body: bytes | None) -> Asked:
        parsed, size = None, RECORD_BYTES
        if head is not None:
            head = head[: head.find(b"\r\n\r\n") + 4]
        else:
            path = scope.get("raw_path") or quote(scope["path"], safe=IN_PATHS).encode()
            head, parsed = b"", (path, scope["query_string"], scope["headers"])
            size += len(path) + len(parsed[1]) + sum([len(name) + len(value) for name, value in parsed[2]])
        asked = Asked(exchange, head, b"", None, size + len(head), parsed)
        if body is not None:
            self._set_body(asked, body)
        return asked

    def add_body(self, asked: Asked, body: bytes, size: int | None = None) -> None:
        """Take note of the body of a request, now that all of it is there: of its first bytes, if its `size` is
        given."""
        requests, before = self._requests, asked.size
        if before and requests and asked.exchange.number >= requests[0].exchange.number:  # it was not let go of
            self._set_body(asked, body, size)
            self._bytes += asked.size - before
            self.wake(asked.exchange)

    def missed(self, exchange: Exchange) -> None:
        """Take note of the near misses of a request, which may be larger than the request."""
        self._weigh()
        for asked in reversed(self._requests):
            if asked.exchange.number <= exchange.number:
                break
        else:
            return
        if asked.exchange is exchange and asked.size:
            misses = exchange.near_misses or ()
            size = sum([FIELD_BYTES * (1 + len(near["fields"])) + 2 * len(near["reason"]) for near in misses])
            asked.size += size
            self._bytes += size
            if self._bytes > self._most_bytes:
                self._let_go()

    def _set_body(self, asked: Asked, body: bytes, size: int | None = None) -> None:
        asked.body, asked.body_bytes = body[: self._body_limit], len(body) if size is None else size
        asked.size += len(asked.body)

    def _let_go(self) -> None:
        """Cut the journal to its size."""
        requests, most, most_bytes, size = self._requests, self._most, self._most_bytes, self._bytes
        before = len(requests)
        while requests and (size > most_bytes or len(requests) > most):
            asked = requests.popleft()
            size -= asked.size
            if asked.exchange.key:
                self._drop(asked.exchange.key, 1)
        self._bytes = size
        self.dropped += before - len(requests)

    def _drop(self, key: str, count: int) -> None:
        if key in self._dropped_of or len(self._dropped_of) < MOST_KEYS:
            self._dropped_of[key] += count
        else:
            self._dropped_of_others += count

    def dropped_of(self, key: str | None) -> int:
        """Number of requests of a key that had to be let go of, at most; of all keys without one."""
        if key is None:
            return self.dropped
        return self._known_dropped_of(key) + (self._dropped_of_others if key and key not in self._dropped_of else 0)

    def _known_dropped_of(self, key: str) -> int:
        return self._dropped_of[key] if key else self.dropped - self._dropped_of.total() - self._dropped_of_others

    def requests(self) -> list[Asked]:
        """All requests that are in the journal, oldest first."""
        self._weigh()
        self._let_go()
        return [asked for asked in self._requests if not asked.exchange.is_preflight]

    def find(self, number: int) -> Asked | None:
        """The request with this number, if it is there."""
        return next((asked for asked in self.requests() if asked.exchange.number == number), None)

    def forget(self, is_meant: Callable[[Exchange], bool]) -> int:
        """Forget requests. Returns their number."""
        requests = self.requests()
        self._requests = kept = deque[Asked]()
        for asked in requests:
            if is_meant(asked.exchange):
                asked.size = 0  # its body may be on its way
            else:
                kept.append(asked)
        self._bytes = sum([asked.size for asked in kept])
        return len(requests) - len(kept)

    def forget_key(self, key: str | None) -> int:
        """Forget the requests of a key or, without one, of all, and that some had to be let go of. Returns their number
        in the journal."""
        forgotten = self.forget(lambda exchange: key in (None, exchange.key))
        if key is None:
            self.dropped = self._dropped_of_others = 0
            self._dropped_of.clear()
        else:
            self.dropped -= self._known_dropped_of(key)
            self._dropped_of.pop(key, None)
        return forgotten

    # -- who waits for requests ------------------------------------------------------------------------------------

    def wake(self, exchange: Exchange) -> None:
        """Tell whoever waits for a request such as this that it came, or that more is known of it. They look later."""
        if not self.waits:
            return
        if not self._news:
            # What comes soon after is told together: otherwise each request would pay for all who wait.
            loop = asyncio.get_running_loop()
            loop.call_later(max(0.0, self._told_at + TOLD_TOGETHER_S - loop.time()), self._tell)
        self._news.add(News(exchange.key, exchange.method, exchange.path))

    def _tell(self) -> None:
        self._told_at = asyncio.get_running_loop().time()
        news, self._news = self._news, set()
        is_too_much = len(news) > KINDS_TOLD_APART
        for wait in self.waits:
            if not wait.news.is_set() and (is_too_much or any(map(wait.may_be_meant, news))):
                wait.news.set()

    def wait(self, keys: Iterable[str], may_be_meant: Callable[[News], bool]) -> Wait:
        """Begin to wait. Whoever does so ends it by `waits.discard`."""
        wait = Wait(keys, may_be_meant)
        self.waits.add(wait)
        if self._is_closed:
            wait.ended = _STOPPED
        return wait

    def end_waits(self, key: str) -> None:
        """End the waits for requests of a key, as it is deleted."""
        self._end([wait for wait in self.waits if key in wait.keys], f"the key {key!r} was deleted")

    def close(self) -> None:
        """End all waits, as the server stops."""
        self._is_closed = True
        self._end(self.waits, _STOPPED)

    def _end(self, waits: Iterable[Wait], why: str) -> None:
        for wait in waits:
            wait.ended = why
            wait.news.set()


def _weighed(exchange: Exchange, head: bytes, body: bytes, length: int | None = None) -> Asked:
    size = RECORD_BYTES + len(head) + len(body)
    return Asked(exchange, head, body, len(body) if length is None else length, size)
