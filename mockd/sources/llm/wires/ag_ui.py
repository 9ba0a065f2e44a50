"""`ag-ui`: the Agent User Interaction Protocol, which `HttpAgent` reads.

The events are those of an agent's run on the thread that the request names:
https://docs.ag-ui.com/concepts/events. Clients since 1.0 send their protocol version. Only they get mockd's version and
the number of tokens.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.requests.options import Options, tools_in
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, UuidForm, Wire, call_id, signature

_RUN = {"threadId": Slot("thread"), "runId": Slot("run")}
_VERSION = "1.0"


class AgUIShape(NamedTuple):
    """The part of a request that decides which keys events have."""

    has_version: bool


class AgUI(Wire):
    """The Agent User Interaction Protocol."""

    name = "ag-ui"
    provider = "ag-ui"
    summary = "AG-UI: an agent's run, as `HttpAgent` reads it."
    default_model = ""
    expresses = frozenset({"reasoning", "toolCalls"})
    finish = {"stop": "RUN_FINISHED", "tool_calls": "RUN_FINISHED"}
    error_types = {
        400: "BAD_REQUEST",
        401: "UNAUTHORIZED",
        429: "RATE_LIMITED",
        500: "INTERNAL_ERROR",
        503: "UNAVAILABLE",
    }
    required = ("threadId", "runId", "messages")
    missing = "{} is required"
    not_json = "the request body is not JSON"
    ids = {"thread": UuidForm(), "run": UuidForm(), "message": UuidForm(), "thought": UuidForm()}
    headers = ((b"content-type", b"text/event-stream"),)

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        return True

    def model(self, ask: Ask) -> str | None:
        """Always None, as the page does not know which models an agent uses."""
        return None

    def options(self, ask: Ask) -> Options:
        """The tools of the page. The agent has others."""
        return Options(tools=tools_in(ask.body.get("tools")), has_others=True)

    def shape(self, ask: Ask) -> AgUIShape:
        return AgUIShape(ask.text("protocolVersion") is not None)

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        assert isinstance(shape, AgUIShape)
        return shape.has_version

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire; thread and run are the request's."""
        slots = super().slots(ask, reply, shape)
        for slot, name in (("thread", "threadId"), ("run", "runId")):
            if (given := ask.text(name)) is not None:
                slots[slot] = encode_json(given)
        return slots

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, AgUIShape)
        version = {"protocolVersion": _VERSION} if shape.has_version else {}
        yield _event("RUN_STARTED", {**_RUN, **version})
        yield from _reasoning(reply.reasoning)
        if reply.tokens:
            message = {"messageId": Slot("message")}
            yield _event("TEXT_MESSAGE_START", {**message, "role": "assistant"})
            yield from _deltas("TEXT_MESSAGE_CONTENT", message, reply.tokens)
            yield _event("TEXT_MESSAGE_END", message)
        for number, call in enumerate(reply.calls):
            yield from _call(number, call)
        usage = {"usage": [_usage(reply)]} if shape.has_version else {}
        yield _event("RUN_FINISHED", {**_RUN, **usage})

    def error_body(self, failure: Failure) -> Any:
        return {"message": failure.message, "code": self.error_type(failure.type, failure.status)}

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _event("RUN_ERROR", {"message": error.message, "code": self.error_type(error.type, 500)})


def _event(type: str, more: Mapping[str, Any], delay_s: float | None = STRUCTURE) -> Event:
    return Event({"type": type, **more}, delay_s=delay_s)


def _deltas(type: str, of: Mapping[str, Any], deltas: Sequence[str]) -> Iterator[Event]:
    """The events with the content of a message or a call. Clients refuse an empty delta."""
    for delta in filter(None, deltas):
        yield _event(type, {**of, "delta": delta}, delay_s=None)


def _reasoning(tokens: Sequence[str]) -> Iterator[Event]:
    if tokens:
        thought = {"messageId": Slot("thought")}
        yield _event("REASONING_START", thought)
        yield _event("REASONING_MESSAGE_START", {**thought, "role": "reasoning"})
        yield from _deltas("REASONING_MESSAGE_CONTENT", thought, tokens)
        yield _event("REASONING_MESSAGE_END", thought)
        proof = {"entityId": Slot("thought"), "encryptedValue": signature("".join(tokens))}
        yield _event("REASONING_ENCRYPTED_VALUE", {"subtype": "message", **proof})
        yield _event("REASONING_END", thought)


def _call(number: int, call: Call) -> Iterator[Event]:
    called = {"toolCallId": call_id(number, call)}
    start = {**called, "toolCallName": call.name, "parentMessageId": Slot("message")}
    yield _event("TOOL_CALL_START", start)
    yield from _deltas("TOOL_CALL_ARGS", called, call.fragments)
    yield _event("TOOL_CALL_END", called)


def _usage(reply: Reply) -> dict[str, Any]:
    tokens = {
        "inputTokens": Slot("prompt"),
        "outputTokens": reply.output_tokens,
        "totalTokens": Slot("total"),
        "reasoningTokens": reply.reasoning_tokens,
        "cachedInputTokens": reply.usage.cached_tokens,
    }
    return tokens if reply.model is None else {"model": reply.model, **tokens}
