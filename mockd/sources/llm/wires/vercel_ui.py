"""`vercel-ui`: the UI message stream of Vercel's AI SDK, which `useChat` and its transports read.

The stream sends the parts of a message to a page: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from mockd.events import Event, Slot
from mockd.jsontext import encode_json
from mockd.sources.llm.replies.params import Error
from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn, text_in, text_of
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, Wire, call_id

_STATES_WITH_RESULT = ("output-available", "output-error")


class VercelUI(Wire):
    """The AI SDK's UI message stream."""

    name = "vercel-ui"
    provider = "vercel"
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
        """The conversation. A message of the assistant has all steps of its answer, with the results of tools."""
        for message in _messages(ask):
            role = message.get("role")
            if role != "assistant":
                yield Turn(role if isinstance(role, str) else "user", text_in(message))
                continue
            for parts in _steps_of(message):
                calls = [_call_in(part) for part in parts if "toolCallId" in part]
                yield Turn(role, text_in(parts), calls=tuple(use for use, _ in calls))
                results = tuple(
                    ToolResult(_output(part), use.id, use.name)
                    for use, part in calls
                    if part.get("state") in _STATES_WITH_RESULT
                )
                if results:
                    yield Turn("tool", "", results)

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


def _steps_of(message: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The parts of a message by steps. A message without parts is one empty step."""
    steps: list[list[dict[str, Any]]] = [[]]
    for part in _parts(message):
        if part.get("type") == "step-start" and steps[-1]:
            steps.append([])
        steps[-1].append(part)
    return steps


def _call_in(part: dict[str, Any]) -> tuple[ToolUse, dict[str, Any]]:
    """The call that a part of a message is, which has its name in its type if the page knows the tool."""
    name = text_of(part, "toolName") or (text_of(part, "type") or "").removeprefix("tool-")
    return ToolUse(name, text_of(part, "toolCallId")), part


def _output(part: dict[str, Any]) -> str:
    output = part.get("output", part.get("errorText"))
    return output if isinstance(output, str) else encode_json(output).decode()


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return _objects(message.get("parts"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
