"""Whole answers, compiled: once for all requests if the source always gives the same one."""

from __future__ import annotations

from mockd.config.framing import FramingConfig
from mockd.events import Event, Fill
from mockd.expressions.expression import Expression
from mockd.framing import FRAMINGS, FrameTemplate, expressions_of
from mockd.headers import FixedHeaders, HeaderRules, Headers, first_of_each
from mockd.lines.line import BODILESS
from mockd.source import Answer

_RAW = FRAMINGS["raw"]


class CompiledAnswer:
    """A whole answer of a mock, with the mock's `rules` applied to its headers. The mock's `status`, if it has one,
    replaces the answer's, unless that is an error. `variation` is the mock's `framing`, of which head and encoding are
    for whole answers too.

    `headers` are those that are the same for every request, with the length if the body is the same too. `expressions`
    must be rendered before `body` and `own` are called.
    """

    __slots__ = ("_frame", "_rules", "encoding", "expressions", "headers", "status")

    def __init__(
        self,
        answer: Answer,
        rules: HeaderRules,
        status: int | None = None,
        variation: FramingConfig | None = None,
    ) -> None:
        self.status = answer.status if status is None or answer.status >= 400 else status
        self._rules = rules
        self._frame = _RAW.encode(Event(data=answer.body))
        self.expressions: list[Expression] = [*expressions_of(self._frame), *rules.expressions]
        given = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
        self.encoding: str | None = None
        if variation is not None:
            self._encode(variation, given)
        usual: Headers = [] if isinstance(self._frame, FrameTemplate) else self._length(self._frame)
        if not isinstance(answer.body, bytes):
            is_text = isinstance(answer.body, str | tuple)
            usual.append((b"content-type", b"text/plain; charset=utf-8" if is_text else b"application/json"))
        headers = first_of_each(given, usual)
        if variation is not None:
            from mockd.program.varying import with_head

            headers = with_head(headers, variation.charset, self.encoding)
        self.headers = FixedHeaders(headers, rules)

    def _encode(self, variation: FramingConfig, given: Headers) -> None:
        """Put the body into the encoding of the mock, unless there is none, or it is encoded already."""
        is_encoded = any(name == b"content-encoding" for name, _ in given)
        if variation.encoding is None or is_encoded or self.status in BODILESS:
            return
        self.encoding = variation.encoding
        given[:] = [header for header in given if header[0] != b"content-length"]
        if isinstance(self._frame, bytes):
            from mockd.framing.encodings import encoded

            self._frame = encoded(self.encoding, self._frame)

    def _length(self, body: bytes) -> Headers:
        return [] if self.status in BODILESS else [(b"content-length", b"%d" % len(body))]

    @property
    def constant(self) -> bytes | None:
        """The body, if it and all headers are the same for every request; otherwise None."""
        is_constant = isinstance(self._frame, bytes) and not self._rules.following
        return self._frame if is_constant else None  # type: ignore[return-value]  # it is bytes

    def body(self, fill: Fill) -> bytes:
        """The body for one request."""
        if not isinstance(self._frame, FrameTemplate):
            return self._frame
        body = self._frame.render(fill)
        if self.encoding is None:
            return body
        from mockd.framing.encodings import encoded

        return encoded(self.encoding, body)

    def own(self, body: bytes, fill: Fill, others: Headers) -> Headers:
        """The headers of one answer beyond `headers`: the length of its body, those of `others` that are not settled
        yet, and those that follow the request."""
        if isinstance(self._frame, FrameTemplate):
            others = self._length(body) + others
        if others:
            others = [header for header in others if header[0] not in self.headers.settled]
        return others + self._rules.followed(fill.rendered) if self._rules.following else others
