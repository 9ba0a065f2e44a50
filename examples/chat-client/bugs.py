"""Eight bugs, each in place of one right part of the client. `pytest --bug NAME` puts one in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
from client import MAY_PASS, ChatClient, ChatError, Event


class DecodesEachChunk(ChatClient):
    """A client that takes each chunk for whole characters. It goes well until one ends inside an umlaut or an emoji:
    now and then, and in languages that its developers do not write."""

    def lines(self, chunks: Iterable[bytes]) -> Iterator[str]:
        rest = ""
        for chunk in chunks:
            *whole, rest = (rest + chunk.decode(errors="replace")).split("\n")
            for line in whole:
                yield line.removesuffix("\r")


class IgnoresTheError(ChatClient):
    """A client that skips whatever has no words. It was written to get past the usage and the filters that some
    services send between the words, and it gets past errors too."""

    def words_in(self, message: dict[str, Any]) -> Iterator[str]:
        for choice in message.get("choices", []):
            if word := choice["delta"].get("content"):
                yield word


class TakesTheEndForWhole(ChatClient):
    """A client that is content when nothing follows. A proxy that ends a response after a minute, or a service that is
    restarted, ends it just as cleanly."""

    def words(self, events: Iterable[Event]) -> Iterator[str]:
        for event in events:
            if event.data != "[DONE]":
                yield from self.words_in(json.loads(event.data))


class WaitsForEver(ChatClient):
    """A client without a time-out. Long answers had run into one for the whole answer, and so somebody took it out;
    what was needed is one for silence."""

    def timeout(self) -> httpx.Timeout | None:
        return None


class RetriesWhatCannotPass(ChatClient):
    """A client that tries again whatever the refusal says. A question that is too long is too long the third time too,
    and a key that is wrong may be locked for it."""

    def may_ask_again(self, error: ChatError, has_shown: bool) -> bool:
        return not has_shown


class DoesNotWait(ChatClient):
    """A client that has its own idea of a pause, and does not read `Retry-After`. All attempts are used up while the
    server is still busy, and each of them makes it busier."""

    def pause_before(self, attempt: int, error: ChatError) -> float:
        return 0.01 * 2**attempt


class BeginsAgain(ChatClient):
    """A client that asks again when the connection breaks, also if half of the answer is on the screen. The second
    answer follows the first half, and is paid for as well."""

    def may_ask_again(self, error: ChatError, has_shown: bool) -> bool:
        return error.status is None or error.status in MAY_PASS


class ForgetsItsPlace(ChatClient):
    """A client that comes back without `Last-Event-ID`. Browsers send it by themselves, so that it is easily forgotten
    by those who read streams with anything else."""

    def place_in_stream(self, last_id: str) -> dict[str, str]:
        return {}


BUGS = {
    "split-character": DecodesEachChunk,
    "ignored-error": IgnoresTheError,
    "cut-is-whole": TakesTheEndForWhole,
    "no-timeout": WaitsForEver,
    "retried-400": RetriesWhatCannotPass,
    "hammering": DoesNotWait,
    "asked-again": BeginsAgain,
    "forgotten-place": ForgetsItsPlace,
}
