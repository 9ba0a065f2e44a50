"""A small chat client: it shows an answer while the model writes it, and the notices of a server as they come.

python client.py http://localhost:4280 "Why is the sky blue?"
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

ATTEMPTS = 3
MAY_PASS = (408, 429, 500, 502, 503, 504, 529)
"""Status codes of refusals that may be over a moment later."""


class ChatError(Exception):
    """An answer that did not come, or not all of it. `status` is a refusal's, and `retry_after` the pause in
    seconds that the server has asked for."""

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass
class Event:
    """An event of a stream, with what clients need to come back: its id, and the pause before that in seconds."""

    data: str = ""
    id: str | None = None
    retry: float | None = None


class ChatClient:
    """A client of the service at `url`. `patience` is the longest silence, in seconds, that it puts up with."""

    def __init__(self, url: str, patience: float = 30.0) -> None:
        self.url = url
        self.patience = patience

    def ask(self, question: str) -> Iterator[str]:
        """Yield the words of the answer as they come. Raises `ChatError` if it does not come whole."""
        for attempt in itertools.count(1):
            has_shown = False
            try:
                for word in self.answer(question):
                    has_shown = True
                    yield word
                return
            except ChatError as error:
                if attempt == ATTEMPTS or not self.may_ask_again(error, has_shown):
                    raise
                time.sleep(self.pause_before(attempt, error))

    def notices(self) -> Iterator[str]:
        """Yield the notices as they come, until the server has no more. Comes back if the connection breaks."""
        last_id, pause = "", 1.0
        while True:
            try:
                with self.open("GET", "/notices", headers=self.place_in_stream(last_id)) as response:
                    if response.status_code == httpx.codes.NO_CONTENT:
                        return
                    for event in self.events(response):
                        last_id, pause = event.id or last_id, event.retry or pause
                        yield event.data
            except ChatError as error:
                if not self.may_ask_again(error, has_shown=False):
                    raise
                pause = max(pause, error.retry_after or 0)
            time.sleep(pause)

    # -- decisions -----------------------------------------------------------------------------------------------------

    def may_ask_again(self, error: ChatError, has_shown: bool) -> bool:
        """Whether to ask again: not if the refusal would stay, and not if a user has begun to read the answer."""
        return not has_shown and (error.status is None or error.status in MAY_PASS)

    def pause_before(self, attempt: int, error: ChatError) -> float:
        """The pause in seconds before the next attempt: as the server says, or else twice as long each time."""
        return error.retry_after if error.retry_after is not None else 0.25 * 2**attempt

    def place_in_stream(self, last_id: str) -> dict[str, str]:
        """The header that tells the server what the client has already."""
        return {"Last-Event-ID": last_id} if last_id else {}

    def timeout(self) -> httpx.Timeout | None:
        """A stream may take as long as it likes, but it may not be silent for long."""
        return httpx.Timeout(self.patience)

    # -- reading -------------------------------------------------------------------------------------------------------

    def answer(self, question: str) -> Iterator[str]:
        """Ask once, and yield the words."""
        body = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": question}]}
        with self.open("POST", "/v1/chat/completions", json=body) as response:
            yield from self.words(self.events(response))

    def words(self, events: Iterable[Event]) -> Iterator[str]:
        """The words of an answer. It is whole if its last event says so, and not merely because nothing follows."""
        for event in events:
            if event.data == "[DONE]":
                return
            yield from self.words_in(json.loads(event.data))
        raise ChatError("the answer has no end")

    def words_in(self, message: dict[str, Any]) -> Iterator[str]:
        """The words in one message. It may be an error instead, although the status was 200."""
        if error := message.get("error"):
            raise ChatError(error["message"])
        for choice in message.get("choices", []):
            if word := choice["delta"].get("content"):
                yield word

    def events(self, response: httpx.Response) -> Iterator[Event]:
        """The events of a stream. One ends with a blank line; what has no blank line behind it is no event."""
        event, data = Event(), []
        for line in self.lines(response.iter_bytes()):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    event.data = "\n".join(data)
                    yield event
                event, data = Event(), []
            elif name == "data":
                data.append(value)
            elif name == "id":
                event.id = value
            elif name == "retry" and value.isdecimal():
                event.retry = int(value) / 1000

    def lines(self, chunks: Iterable[bytes]) -> Iterator[str]:
        """The lines of a body. A chunk may end anywhere, also inside a character; a line cannot."""
        rest = b""
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.removesuffix(b"\r").decode()

    @contextmanager
    def open(self, method: str, path: str, **content: Any) -> Iterator[httpx.Response]:
        """The response to a request. Raises `ChatError` if the server refuses, or if the connection breaks."""
        try:
            with httpx.stream(method, self.url + path, timeout=self.timeout(), **content) as response:
                if response.is_error:
                    response.read()
                    seconds = response.headers.get("Retry-After", "")
                    raise ChatError(
                        f"refused with {response.status_code}",
                        response.status_code,
                        float(seconds) if seconds.isdecimal() else None,
                    )
                yield response
        except httpx.TimeoutException:
            raise ChatError(f"nothing came for {self.patience:g} s") from None
        except httpx.TransportError:
            raise ChatError("the connection broke") from None


def main(url: str, question: str) -> None:
    try:
        for word in ChatClient(url).ask(question):
            print(word, end="", flush=True)
        print()
    except ChatError as error:
        sys.exit(f" [{error}]")


if __name__ == "__main__":
    main(*sys.argv[1:])
