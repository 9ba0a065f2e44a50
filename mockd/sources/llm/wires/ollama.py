"""`ollama-chat` and `ollama-generate`: Ollama's two endpoints for replies, as NDJSON or in one piece.

Every line has the same keys. The last line is `done`, with the reason and the numbers and durations of tokens:
https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mockd.events import Event, Slot
from mockd.source import Headers
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Reply
from mockd.sources.llm.requests.ask import Ask, Turn
from mockd.sources.llm.requests.options import Options, is_asked, most_tokens, stops_in, tools_in
from mockd.sources.llm.wires.access import OLLAMA
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, Wire, call_id

_LOAD_NS = 20_000_000
_PROMPT_NS = 30_000_000
_TOKEN_NS = 10_000_000
_MOST_ALTERNATIVES = 20
"""The limit of the real service."""
CONTEXT = (128006, 882, 128007, 271)
"""Stand-in for the tokens of the conversation so far."""


class OllamaShape(NamedTuple):
    """The part of a request that decides which lines the reply has, and which keys they have."""

    logprobs: int | None = None
    """Number of alternatives for each token, or None without log probabilities."""
    has_context: bool = True
    loads: str | None = None
    """`load` or `unload` if the request has no prompt, otherwise None."""


class Ollama(Wire):
    """Base class of both wires."""

    provider = "ollama"
    part = "chunked"
    default_model = "llama-mock"
    lacks = frozenset({"error.type"})
    finish = {"stop": "stop", "length": "length", "tool_calls": "stop"}
    error_types = {}
    required = ("model",)
    missing = "{} is required"
    not_json = "invalid character looking for beginning of value"
    call_id = IdForm("call_", 8)
    access = OLLAMA
    headers = ((b"content-type", b"application/x-ndjson"),)
    asked: str
    """The key of the prompt or messages in a request. A request without it only loads the model."""

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        return ask.body.get("stream") is not False and self._loads(ask) is None

    def shape(self, ask: Ask) -> OllamaShape:
        top = ask.body.get("top_logprobs")
        alternatives = top if isinstance(top, int) and 0 <= top <= _MOST_ALTERNATIVES else 0
        return OllamaShape(
            alternatives if ask.body.get("logprobs") is True else None, not ask.body.get("raw"), self._loads(ask)
        )

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, OllamaShape)
        return 1, 0 if shape.logprobs is None else 1 + bool(shape.logprobs)

    def _loads(self, ask: Ask) -> str | None:
        if not self.params.strict or ask.body.get(self.asked):
            return None
        return "unload" if ask.body.get("keep_alive") in (0, "0", "0s") else "load"

    def json_schema(self, ask: Ask) -> Any:
        form = ask.body.get("format")
        return {"type": "object"} if form == "json" else form if isinstance(form, dict) else None

    def options(self, ask: Ask) -> Options:
        asked, thinks = ask.part("options"), ask.body.get("think")
        return Options(
            tools=tools_in(ask.body.get("tools")),
            max_tokens=most_tokens(asked.get("num_predict")),
            stops=stops_in(asked.get("stop")),
            thinks=thinks is True or is_asked(thinks),
        )

    def complaint(self, ask: Ask) -> Failure | None:
        return super().complaint(ask) if ask.request.body else Failure(400, "missing request body")

    # -- what differs from stream to stream ------------------------------------------------------------------------

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        slots = super().slots(ask, reply, shape)
        now = datetime.fromtimestamp(ask.context.clock.wall(), UTC).replace(tzinfo=None)
        slots["created_at"] = f'"{now.isoformat(timespec="microseconds")}Z"'.encode()
        return slots

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        return () if is_stream else ((b"content-type", b"application/json; charset=utf-8"),)

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, OllamaShape)
        for token in reply.reasoning:
            yield Event(line(self.piece(thinking=token)))
        for token in reply.tokens:
            yield Event(line(self.piece(token), **_logprobs([token], shape)))
        for call in _calls(reply):
            yield Event(line(self.piece(calls=[call])))
        yield Event(self.last(self.piece(), reply, shape), delay_s=STRUCTURE)

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, OllamaShape)
        if shape.loads is not None:
            return line(self.piece(), done=True, done_reason=shape.loads)
        piece = self.piece(reply.text, "".join(reply.reasoning), _calls(reply))
        return {**self.last(piece, reply, shape), **_logprobs(reply.tokens, shape)}

    def piece(self, text: str = "", thinking: str = "", calls: Sequence[Any] = ()) -> dict[str, Any]:
        """A piece of a reply, under the keys of this wire."""
        raise NotImplementedError

    def last(self, piece: dict[str, Any], reply: Reply, shape: OllamaShape) -> dict[str, Any]:
        """The last line of a reply."""
        tokens = reply.output_tokens
        return line(
            piece,
            done=True,
            done_reason=self.finish[reply.finish],
            total_duration=_LOAD_NS + _PROMPT_NS + tokens * _TOKEN_NS,
            load_duration=_LOAD_NS,
            prompt_eval_count=Slot("prompt"),
            prompt_eval_duration=_PROMPT_NS,
            eval_count=tokens,
            eval_duration=tokens * _TOKEN_NS,
        )

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        return {"error": failure.message}

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield Event({"error": error.message}, delay_s=STRUCTURE)


class OllamaChat(Ollama):
    """`/api/chat`: a conversation, with tools."""

    name = "ollama-chat"
    summary = "Ollama chat, as NDJSON and in one piece."
    expresses = frozenset({"reasoning", "toolCalls"})
    asked = "messages"

    def piece(self, text: str = "", thinking: str = "", calls: Sequence[Any] = ()) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if calls:
            message["tool_calls"] = list(calls)
        return {"message": message}


class OllamaGenerate(Ollama):
    """`/api/generate`: a text that continues a prompt."""

    name = "ollama-generate"
    summary = "Ollama generate, as NDJSON and in one piece."
    expresses = frozenset({"reasoning"})
    asked = "prompt"

    def turns(self, ask: Ask) -> Iterable[Turn]:
        for role, key in (("system", "system"), ("user", "prompt")):
            if (text := ask.text(key)) is not None:
                yield Turn(role, text)

    def piece(self, text: str = "", thinking: str = "", calls: Sequence[Any] = ()) -> dict[str, Any]:
        return {"response": text, "thinking": thinking} if thinking else {"response": text}

    def last(self, piece: dict[str, Any], reply: Reply, shape: OllamaShape) -> dict[str, Any]:
        last = super().last(piece, reply, shape)
        return {**last, "context": list(CONTEXT)} if shape.has_context else last


def line(piece: dict[str, Any], done: bool = False, **more: Any) -> dict[str, Any]:
    """One line: a piece with the keys that all lines have."""
    return {"model": Slot("model"), "created_at": Slot("created_at"), **piece, "done": done, **more}


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"id": call_id(number, call), "function": {"index": number, "name": call.name, "arguments": call.input}}
        for number, call in enumerate(reply.calls)
    ]


def _logprobs(tokens: Sequence[str], shape: OllamaShape) -> dict[str, Any]:
    top = shape.logprobs
    if top is None:
        return {}

    def one(token: str) -> dict[str, Any]:
        return {"token": token, "logprob": -0.01, "bytes": list(token.encode())}

    return {"logprobs": [{**one(token), **({"top_logprobs": [one(token)]} if top else {})} for token in tokens]}
