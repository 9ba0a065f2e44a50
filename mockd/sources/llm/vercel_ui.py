"""`vercel-ui`: the UI message stream of Vercel's AI SDK, which `useChat` and its transports read.

The stream sends the parts of a message to a page: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.ask import Ask, Turn, text_in
from mockd.sources.llm.reply import Call, Error, Reply
from mockd.sources.llm.wire import STRUCTURE, Failure, IdForm, Wire, call_id

_STATES_WITH_RESULT = ("output-available", "output-error")


class VercelUI(Wire):
    """The AI SDK's UI message stream."""

    name = "vercel-ui"
    summary = "Vercel AI SDK's UI message stream, as `useChat` reads it."
    default_model = ""
    expresses = frozenset({"reasoning", "toolCalls", "citations"})
    lacks = frozenset({"usage", "model", "error.type"})
    finish = {"stop": "stop", "length": "length", "tool_calls": "tool-calls", "content_filter": "content-filter"}
    error_types = {}
    required = ("messages",)
    missing = "{} is required"
    not_json = "the request body is not JSON"
    ids = {"message": IdForm("msg-", 16)}
    headers = (
        (b"content-type", b"text/event-stream"),
        (b"x-vercel-ai-ui-message-stream", b"v1"),
    )

    # -- what a request asks ---------------------------------------------------------------------------------------

    def streams(self, ask: Ask) -> bool:
        return True

    def model(self, ask: Ask) -> str | None:
        """Always None, as the page does not know which models its server uses."""
        return None

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        return False

    def turns(self, ask: Ask) -> Iterator[Turn]:
        for message in _messages(ask):
            role = message.get("role")
            is_answered = any(part.get("state") in _STATES_WITH_RESULT for part in _parts(message))
            yield Turn(role if isinstance(role, str) else "user", text_in(message), is_answered)

    def slots(self, ask: Ask, reply: Reply, shape: Hashable) -> dict[str, bytes]:
        """The slots of every wire. If a request ends with a message of the assistant, that message is continued."""
        slots = super().slots(ask, reply, shape)
        messages = _messages(ask)
        if messages and messages[-1].get("role") == "assistant" and isinstance(messages[-1].get("id"), str):
            slots["message"] = encode_json(messages[-1]["id"])
        return slots

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _part("start", messageId=Slot("message"))
        yield _part("start-step")
        yield from _text("reasoning", reply.reasoning)
        yield from _text("text", reply.tokens)
        for number, citation in enumerate(reply.citations):
            title: dict[str, Any] = {"title": citation.title} if citation.title else {}
            yield _part("source-url", sourceId=f"source-{number}", url=citation.url, **title)
        for number, call in enumerate(reply.calls):
            yield from _call(number, call)
        yield from _ending(self.finish[reply.finish])

    def error_body(self, failure: Failure) -> Any:
        return {"error": failure.message}

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield _part("error", errorText=error.message)
        yield from _ending("error")


def _part(type: str, *, delay_s: float | None = STRUCTURE, **more: Any) -> Event:
    return Event({"type": type, **more}, delay_s=delay_s)


def _text(kind: str, tokens: Sequence[str]) -> Iterator[Event]:
    if tokens:
        id = f"{kind}-0"
        yield _part(f"{kind}-start", id=id)
        for token in tokens:
            yield _part(f"{kind}-delta", id=id, delta=token, delay_s=None)
        yield _part(f"{kind}-end", id=id)


def _call(number: int, call: Call) -> Iterator[Event]:
    id = call_id(number, call)
    yield _part("tool-input-start", toolCallId=id, toolName=call.name)
    for fragment in call.fragments:
        yield _part("tool-input-delta", toolCallId=id, inputTextDelta=fragment, delay_s=None)
    yield _part("tool-input-available", toolCallId=id, toolName=call.name, input=call.input)


def _ending(finish: str) -> Iterator[Event]:
    yield _part("finish-step")
    yield _part("finish", finishReason=finish)
    yield Event("[DONE]", delay_s=STRUCTURE)


def _messages(ask: Ask) -> list[dict[str, Any]]:
    return _objects(ask.body.get("messages"))


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return _objects(message.get("parts"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
