"""`cohere-chat`: Cohere's Chat, version 2, streamed or in one piece.

A message has several parts. Each part is started, filled by deltas and ended:
https://docs.cohere.com/v2/docs/streaming.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from mockd.events import Event, Slot
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply, place_of
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.requests.options import Options, choice_in, is_asked, most_tokens, stops_in, tools_in
from mockd.sources.llm.wires.access import COHERE
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, UuidForm, Wire, call_id


class CohereShape(NamedTuple):
    """The part of a request that decides which keys events have."""

    logprobs: bool = False


_PLAIN = CohereShape()


class CohereChat(Wire):
    """Cohere's Chat."""

    name = "cohere-chat"
    provider = "cohere"
    summary = "Cohere Chat v2, streamed and in one piece."
    default_model = "command-mock"
    expresses = frozenset({"reasoning", "toolCalls", "citations"})
    lacks = frozenset({"model", "error.type"})
    finish = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}
    error_types = {}
    missing = "invalid request: {} is required"
    missing_words: ClassVar[Mapping[str, str]] = {
        "model": "a model parameter is required for this endpoint.",
        "query": "invalid request: query must not be empty or be only whitespace",
        "documents": "invalid request: list of documents must not be empty",
        "message": "invalid request: message must be at least 1 token long or tool results must be specified.",
    }
    not_json = "invalid request: the body is not valid JSON"
    ids = {"id": UuidForm()}
    access = COHERE
    request_id = (b"x-debug-trace-id", IdForm("", 32))
    headers = ((b"content-type", b"text/event-stream"),)
    common_headers = (
        ("x-endpoint-monthly-call-limit", "1000"),
        ("x-trial-endpoint-call-limit", "40"),
        ("x-trial-endpoint-call-remaining", "39"),
    )

    # -- what a request asks ---------------------------------------------------------------------------------------

    def shape(self, ask: Ask) -> CohereShape:
        return CohereShape(ask.body.get("logprobs") is True)

    def copies(self, shape: Hashable) -> tuple[int, int]:
        assert isinstance(shape, CohereShape)
        return 1, int(shape.logprobs)

    def options(self, ask: Ask) -> Options:
        body = ask.body
        calling, only = choice_in(body.get("tool_choice"))
        return Options(
            tools=tools_in(body.get("tools")),
            calling=calling,
            only=only,
            max_tokens=most_tokens(body.get("max_tokens")),
            stops=stops_in(body.get("stop_sequences")),
            thinks=is_asked(ask.part("thinking").get("type")),
        )

    def json_schema(self, ask: Ask) -> Any:
        form = ask.part("response_format")
        if form.get("type") != "json_object":
            return None
        return form.get("json_schema") or form.get("schema") or {"type": "object"}

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        slots = super().slots(ask, reply, shape)
        for number, call in enumerate(reply.calls):
            if call.id is None:
                slots[f"call{number}"] = IdForm(f"{_word(call.name)}_", 12).make(ask)
        return slots

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, CohereShape)
        opening = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield _event("message-start", opening, id=Slot("id"))
        if reply.calls:
            for token in reply.reasoning:
                yield _event("tool-plan-delta", {"tool_plan": token}, delay_s=None)
        elif reply.reasoning:
            yield from _block(0, "thinking", reply.reasoning)
        if reply.tokens:
            yield from _block(_blocks_before(reply), "text", reply.tokens, shape)
        for number, citation in enumerate(_citations(reply)):
            yield _event("citation-start", {"citations": citation}, index=number)
            yield _event("citation-end", index=number)
        for number, call in enumerate(reply.calls):
            yield _event("tool-call-start", {"tool_calls": _call(number, call, "")}, index=number)
            for fragment in call.fragments if call.input else ():
                delta = {"tool_calls": {"function": {"arguments": fragment}}}
                yield _event("tool-call-delta", delta, index=number, delay_s=None)
            yield _event("tool-call-end", index=number)
        yield from _ending({"finish_reason": self.finish_reason(reply), "usage": _usage(reply)})

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield from _ending({"error": error.message, "finish_reason": "ERROR", "usage": _usage(reply)})

    def finish_reason(self, reply: Reply) -> str:
        return self.finish[reply.finish] if reply.stop is None else "STOP_SEQUENCE"

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, CohereShape)
        answer = {
            "id": Slot("id"),
            "message": self.message(reply),
            "finish_reason": self.finish_reason(reply),
            "usage": _usage(reply),
        }
        return {**answer, "logprobs": list(map(_logprobs, reply.tokens))} if shape.logprobs else answer

    def message(self, reply: Reply) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant"}
        thought = "".join(reply.reasoning)
        content = [{"type": "thinking", "thinking": thought}] if thought and not reply.calls else []
        content += [{"type": "text", "text": reply.text}] if reply.tokens else []
        if content:
            message["content"] = content
        if reply.calls:
            message["tool_plan"] = thought
            message["tool_calls"] = [_call(number, call, call.arguments) for number, call in enumerate(reply.calls)]
        if reply.citations:
            message["citations"] = _citations(reply)
        return message

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        return {"id": Slot("id"), "message": failure.message}


def _event(type: str, message: Any = None, *, delay_s: float | None = STRUCTURE, **more: Any) -> Event:
    """An event with a piece of the message. It has its type both in its event line and in its data."""
    delta = {} if message is None else {"delta": {"message": message}}
    return Event({"type": type, **more, **delta}, type=type, delay_s=delay_s)


def _block(index: int, kind: str, tokens: Sequence[str], shape: CohereShape = _PLAIN) -> Iterator[Event]:
    """A part of the message's content: `text` or `thinking`."""
    yield _event("content-start", {"content": {"type": kind, kind: ""}}, index=index)
    for token in tokens:
        logprobs = {"logprobs": _logprobs(token)} if shape.logprobs else {}
        yield _event("content-delta", {"content": {kind: token}}, index=index, delay_s=None, **logprobs)
    yield _event("content-end", index=index)


def _ending(delta: dict[str, Any]) -> Iterator[Event]:
    yield Event({"type": "message-end", "delta": delta}, type="message-end", delay_s=STRUCTURE)
    yield Event("[DONE]", delay_s=STRUCTURE)


def _call(number: int, call: Call, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call_id(number, call), "type": "function", "function": function}


def _word(name: str) -> str:
    """The name of a tool as IDs begin with it: only letters, digits and `_`, which need no escaping."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)


def _citations(reply: Reply) -> list[dict[str, Any]]:
    found = []
    for number, citation in enumerate(reply.citations):
        start, end = place_of(citation, reply.text)
        text = reply.text[start:end]
        document = {"id": f"doc_{number}", "title": citation.title, "url": citation.url, "text": text}
        source = {"type": "document", "id": f"doc_{number}", "document": document}
        place = {"start": start, "end": end, "text": text, "content_index": _blocks_before(reply)}
        found.append({**place, "sources": [source], "type": "TEXT_CONTENT"})
    return found


def _blocks_before(reply: Reply) -> int:
    """The number of content blocks before the text."""
    return int(bool(reply.reasoning) and not reply.calls)


def _logprobs(token: str) -> dict[str, Any]:
    """The log probabilities of a token, with its bytes in place of token IDs."""
    ids = list(token.encode())
    return {"text": token, "token_ids": ids, "logprobs": [-0.01] * len(ids)}


def _usage(reply: Reply) -> dict[str, Any]:
    tokens = {"input_tokens": Slot("prompt"), "output_tokens": reply.output_tokens}
    return {"billed_units": tokens, "tokens": tokens, "cached_tokens": reply.usage.cached_tokens}
