"""`openai-chat`: OpenAI's Chat Completions, streamed or in one piece.

The wire (role first, an empty delta with the finish reason, usage when asked for, `[DONE]`) is what OpenAI's own
clients read: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import string
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from mockd.events import Event, Fill, Hole, Slot, Text
from mockd.sources.llm.ask import Ask
from mockd.sources.llm.reply import Call, Error, Reply, ReplyParams, place_of
from mockd.sources.llm.wire import STRUCTURE, Failure, IdForm, Wire, call_id

_ALPHANUMERIC = string.ascii_letters + string.digits
_MOST_CHOICES = 128
"""As the real service has it."""


class OpenAIChatParams(ReplyParams, frozen=True, kw_only=True):
    """Parameters of `openai-chat`."""

    finish_reason: Annotated[  # type: ignore[assignment]  # one more word than everyone has
        Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None,
        Meta(description="Why it ends; by default `tool_calls` where tools are called, else `stop`."),
    ] = None
    include_done: Annotated[bool, Meta(description="End with `data: [DONE]`.")] = True


class Shape(NamedTuple):
    """What of a request decides which events its stream has."""

    usage: bool = False
    obfuscation: bool = False
    choices: int = 1
    logprobs: int | None = None
    """How many alternatives to each token; None where there is nothing about probabilities."""


_PLAIN = Shape()


@dataclass(frozen=True, slots=True)
class Padding(Hole):
    """Random letters, which hide the lengths of tokens from who watches the wire."""

    def text(self, fill: Fill) -> str:
        rng = fill.rng
        return "".join(rng.choices(_ALPHANUMERIC, k=rng.randrange(1, 17)))


PADDING = Text((Padding(),))


class OpenAIChat(Wire):
    """OpenAI's Chat Completions."""

    name = "openai-chat"
    summary = "OpenAI Chat Completions, streamed and in one piece."
    params = OpenAIChatParams
    default_model = "gpt-4-mock"
    expresses = frozenset({"reasoning", "toolCalls", "refusal", "citations"})
    finish = {word: word for word in ("stop", "length", "tool_calls", "content_filter", "function_call")}
    error_types = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        409: "conflict_error",
        422: "unprocessable_entity_error",
        429: "rate_limit_exceeded",
        500: "server_error",
        503: "overloaded_error",
    }
    ids = {"id": IdForm("chatcmpl-", 29)}
    request_id = (b"x-request-id", IdForm("req_", 32))
    common_headers = (
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "12"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999900"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "3ms"),
    )
    retry_in_ms = True

    # -- what a request asks ---------------------------------------------------------------------------------------

    def shape(self, ask: Ask) -> Shape:
        body = ask.body
        options = ask.part("stream_options")
        choices, logprobs = body.get("n"), body.get("logprobs")
        if not options and choices is None and not logprobs:
            return _PLAIN
        top = body.get("top_logprobs")
        return Shape(
            bool(options.get("include_usage")),
            bool(options.get("include_obfuscation")),
            min(choices, _MOST_CHOICES) if isinstance(choices, int) and choices > 0 else 1,
            (top if isinstance(top, int) and 0 <= top <= 20 else 0) if logprobs is True else None,
        )

    def counts(self, ask: Ask, shape: Hashable) -> bool:
        assert isinstance(shape, Shape)
        return shape.usage or not self.streams(ask)

    def output_tokens(self, reply: Reply, shape: Hashable) -> int:
        assert isinstance(shape, Shape)
        return reply.output_tokens * shape.choices

    def json_schema(self, ask: Ask) -> Any:
        form = ask.part("response_format")
        if form.get("type") == "json_object":
            return {"type": "object"}
        schema = form.get("json_schema")
        return schema.get("schema") if isinstance(schema, dict) else None

    # -- the stream ------------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        assert isinstance(shape, Shape)
        deltas = list(self.deltas(reply))
        for delta, is_content in deltas:
            for index in range(shape.choices):
                logprobs = _logprobs([delta["content"]], shape.logprobs) if is_content and "content" in delta else None
                choice = self.choice(index, delta, logprobs=logprobs)
                yield self.chunk(shape, [choice], None if is_content and index == 0 else STRUCTURE)
        for index in range(shape.choices):
            yield self.chunk(shape, [self.choice(index, {}, self.finish[reply.finish])])
        if shape.usage:
            yield self.chunk(shape, [], usage=usage_of(reply, shape))
        if not isinstance(self.params, OpenAIChatParams) or self.params.include_done:
            yield Event("[DONE]", delay_s=STRUCTURE)

    def deltas(self, reply: Reply) -> Iterator[tuple[dict[str, Any], bool]]:
        """What each choice is told, and whether it is content."""
        opening: dict[str, Any] = {"role": "assistant", "content": "" if reply.tokens else None, "refusal": None}
        if not reply.tokens and not reply.refusal and not reply.calls:
            opening["content"] = ""
        calls = list(enumerate(reply.calls))
        if len(calls) == 1 and not reply.tokens and not reply.reasoning:
            # A single call opens together with the message.
            yield {**opening, "tool_calls": [_call_start(*calls[0])]}, False
        else:
            yield opening, False
        for token in reply.reasoning:
            yield {"reasoning_content": token}, True
        for token in reply.tokens:
            yield {"content": token}, True
        if reply.citations:
            yield {"annotations": _annotations(reply)}, False
        for token in reply.refusal:
            yield {"refusal": token}, True
        for number, call in calls:
            if len(calls) > 1 or reply.tokens or reply.reasoning:
                yield {"tool_calls": [_call_start(number, call)]}, False
            for fragment in call.fragments:
                yield {"tool_calls": [{"index": number, "function": {"arguments": fragment}}]}, True

    def choice(
        self, index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None
    ) -> dict[str, Any]:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    def chunk(
        self, shape: Shape, choices: list[Any], delay_s: float | None = STRUCTURE, usage: Any = None
    ) -> Event:
        chunk: dict[str, Any] = {
            "id": Slot("id"),
            "object": "chat.completion.chunk",
            "created": Slot("created"),
            "model": Slot("model"),
            "service_tier": "default",
            "system_fingerprint": "fp_mockd",
            "choices": choices,
        }
        if shape.usage:
            chunk["usage"] = usage
        if shape.obfuscation:
            chunk["obfuscation"] = PADDING
        return Event(chunk, delay_s=delay_s)

    # -- in one piece ----------------------------------------------------------------------------------------------

    def whole(self, reply: Reply, shape: Hashable) -> Any:
        assert isinstance(shape, Shape)
        message = self.message(reply)
        choices = [
            {
                "index": index,
                "message": message,
                "logprobs": _logprobs(reply.tokens, shape.logprobs),
                "finish_reason": self.finish[reply.finish],
            }
            for index in range(shape.choices)
        ]
        return {
            "id": Slot("id"),
            "object": "chat.completion",
            "created": Slot("created"),
            "model": Slot("model"),
            "choices": choices,
            "usage": usage_of(reply, shape),
            "service_tier": "default",
            "system_fingerprint": "fp_mockd",
        }

    def message(self, reply: Reply) -> dict[str, Any]:
        content = reply.text if reply.tokens or not (reply.calls or reply.refusal) else None
        message: dict[str, Any] = {
            "role": "assistant",
            "content": content,
            "refusal": "".join(reply.refusal) or None,
            "annotations": _annotations(reply),
        }
        if reply.reasoning:
            message["reasoning_content"] = "".join(reply.reasoning)
        if reply.calls:
            message["tool_calls"] = [
                {
                    "id": call_id(number, call),
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for number, call in enumerate(reply.calls)
            ]
        return message

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        return {
            "error": {
                "message": failure.message,
                "type": self.error_type(failure.type, failure.status),
                "param": failure.param,
                "code": "missing_required_parameter" if failure.param else None,
            }
        }

    def error_events(self, error: Error, sent: Sequence[Event], reply: Reply, shape: Hashable) -> Iterator[Event]:
        yield Event(self.error_body(Failure(500, error.message, error.type)), delay_s=STRUCTURE)


def _call_start(number: int, call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": ""}
    return {"index": number, "id": call_id(number, call), "type": "function", "function": function}


def _annotations(reply: Reply) -> list[dict[str, Any]]:
    found = []
    for citation in reply.citations:
        start, end = place_of(citation, reply.text)
        place = {"start_index": start, "end_index": end, "url": citation.url, "title": citation.title}
        found.append({"type": "url_citation", "url_citation": place})
    return found


def _logprobs(tokens: Sequence[str], top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None

    def one(token: str) -> dict[str, Any]:
        return {"token": token, "logprob": -0.01, "bytes": list(token.encode())}

    return {"content": [{**one(token), "top_logprobs": [one(token)] * min(top, 1)} for token in tokens], "refusal": None}


def usage_of(reply: Reply, shape: Shape) -> dict[str, Any]:
    """Tokens as OpenAI counts them; those of every choice are charged for."""
    return {
        "prompt_tokens": Slot("prompt"),
        "completion_tokens": reply.output_tokens * shape.choices,
        "total_tokens": Slot("total"),
        "prompt_tokens_details": {"cached_tokens": reply.usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reply.reasoning_tokens * shape.choices,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
