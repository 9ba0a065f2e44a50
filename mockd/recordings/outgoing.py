"""The lines of an exchange on their way into a file: redacted, in order, and with their gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec import structs

from mockd.recordings.bodies import Body, CodedBody
from mockd.recordings.codings import coding_of
from mockd.recordings.lines import (
    Begun,
    End,
    Head,
    Headers,
    Info,
    Input,
    Line,
    Other,
    Output,
    Piece,
    Trailers,
    encode,
    with_gap,
)
from mockd.recordings.ordering import InOrder, Place
from mockd.recordings.redaction import Redacted


class Whole(NamedTuple):
    """What is known beforehand of an exchange that is there as a whole: the content codings that were taken off the
    bodies of its answer and of its request."""

    decoded: str | None = None
    decoded_request: str | None = None


class Lines:
    """The lines of one exchange on their way into a file: redacted, with their gaps.

    `put` writes the bytes of a line. `begun` is redacted already. Times are in microseconds from the first
    line. `most_bytes` is the most that is written of both bodies together; None is all.

    While an exchange goes on, a piece that redaction holds back is written behind lines of what happened later. Of a
    `whole` exchange, these wait for it.
    """

    def __init__(
        self,
        put: Callable[[bytes], None],
        begun: Begun,
        redacted: Redacted,
        most_bytes: int | None = None,
        whole: Whole | None = None,
    ) -> None:
        self._put = put
        self._redacted = redacted
        self._whole = whole
        self._left = most_bytes
        self._dropped = 0
        self._count = 0
        self._at_us = 0
        self._said: list[str] = []
        self._order = InOrder(self._write)
        self._output: Body | CodedBody | None = None
        self._headers: Headers = []
        self._decoded = whole.decoded if whole is not None else None
        self._decoded_request = whole.decoded_request if whole is not None else None
        self._input: Body | CodedBody | None = self._body(Input, begun.headers, self._decoded_request)
        put(encode(begun))

    def input(self, at_us: int, data: bytes, beyond: Sequence[Any] = ()) -> None:
        if self._input is not None and (kept := self._within_bounds(data)) is not None:
            self._input.add(self._place(at_us, beyond), kept)

    def input_end(self) -> None:
        """The request is complete."""
        if self._input is not None:
            self._said += self._input.finish()
            self._decoded_request = self._input.decoded or self._decoded_request
            self._input = None
            self._release()

    def info(self, at_us: int, info: Info) -> None:
        self._add(self._place(at_us), self._redacted.answer(info, "info"))

    def head(self, at_us: int, head: Head) -> None:
        head = self._redacted.answer(head, "head")
        self._headers = head.headers
        self._add(self._place(at_us), head)

    def output(self, at_us: int, data: bytes, beyond: Sequence[Any] = ()) -> None:
        kept = self._within_bounds(data)
        if kept is None:
            return
        if self._output is None:
            self._output = self._body(Output, self._headers, self._decoded)
        self._output.add(self._place(at_us, beyond), kept)

    def trailers(self, at_us: int, trailers: Trailers) -> None:
        self._finish_output()
        self._add(self._place(at_us), self._redacted.trailers(trailers))

    def other(self, at_us: int, line: Other) -> None:
        """A line of a kind that is not known, in a file that is written anew."""
        self._add(self._place(at_us), line)

    def end_missing(self, at_us: int) -> None:
        """The exchange has no end, which is read as one that was cut off. It gets such an end if there is anything to
        say of it: without that, a body that was decoded could not be read, and a request with other secrets would not
        be like this one."""
        self._finish()
        if self._redacted.places or self._said or self._decoded or self._decoded_request:
            self.end(at_us, End(how="closed", text="the end was missing"))

    def end(self, at_us: int, end: End) -> None:
        self._finish()
        if self._dropped:
            self._said.append(f"{self._dropped:,} bytes more were not recorded")
        text = "; ".join([*([self._redacted.text(end.text, "end")] if end.text else []), *self._said])
        said = End(
            how=end.how,
            text=text or None,
            redacted=list(dict.fromkeys([*end.redacted, *self._redacted.places])),
            decoded=self._decoded,
            decoded_request=self._decoded_request,
            more=end.more,
            beyond=end.beyond,
        )
        self._add(self._place(at_us), said)

    def _body(self, kind: type[Piece], headers: Headers, decoded: str | None) -> Body | CodedBody:
        """A body of this kind, of which the content coding `decoded` was taken off already."""
        part = "input" if kind is Input else "output"
        body = Body(kind, self._redacted.stream(part), self._add)
        coding = coding_of(headers)
        if decoded or not (coding and self._redacted.is_searched):
            return body
        return CodedBody(body, coding, self._redacted.stream(part))

    def _finish(self) -> None:
        """Write what is held back of both bodies."""
        self._finish_output()
        self.input_end()

    def _finish_output(self) -> None:
        """Write what is left of the answer's body."""
        if self._output is not None:
            self._said += self._output.finish()
            self._decoded = self._output.decoded or self._decoded
            self._output = None
            self._release()

    def _within_bounds(self, data: bytes) -> bytes | None:
        """What is written of a piece; None if the piece is not."""
        if self._left is None:
            return data
        kept = data[: self._left]
        self._left -= len(kept)
        self._dropped += len(data) - len(kept)
        return kept or None

    def _place(self, at_us: int, beyond: Sequence[Any] = ()) -> Place:
        self._count += 1
        return Place(self._count, at_us, beyond)

    def _add(self, place: Place, line: Line) -> None:
        self._order.add(place, line)
        self._release()

    def _release(self) -> None:
        """Write the lines that wait for nothing."""
        bodies = [body for body in (self._input, self._output) if body is not None and self._whole is not None]
        self._order.release(min((body.held_from for body in bodies), default=math.inf))

    def _write(self, place: Place, line: Line) -> None:
        gap_us = max(0, place.at_us - self._at_us)
        self._at_us += gap_us
        if place.beyond:
            line = structs.replace(line, beyond=list(place.beyond))
        self._put(encode(with_gap(self._redacted.unknown(line), gap_us)))
