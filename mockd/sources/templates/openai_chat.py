"""`openai-chat`: OpenAI's Chat Completions, streamed or in one piece, as the request asks.

The wire (role first, an empty delta with the finish reason, usage when asked for, `[DONE]`) is what OpenAI's own
clients read: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from mockd.config.models import Delay
from mockd.events import Event, Fill, Hole, Slot, Text
from mockd.jsontext import encode_json
from mockd.source import BaseSource, Opened, Reply, Script, Source, SourceContext
from mockd.sources.registry import SourceKind

DEFAULT_TOKENS = ("Hello", "!", " How", " can", " I", " help", " you", " today", "?")
DEFAULT_MODEL = "gpt-4-mock"
_ALPHANUMERIC = string.ascii_letters + string.digits


class Params(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Parameters of `openai-chat`."""

    tokens: Annotated[tuple[str, ...], Meta(description="What is said, one content event each.")] = DEFAULT_TOKENS
    model: Annotated[str | None, Meta(description="Model; by default the request's, else `gpt-4-mock`.")] = None
    finish_reason: Annotated[
        Literal["stop", "length", "tool_calls", "content_filter", "function_call"],
        Meta(description="Why it ends."),
    ] = "stop"
    include_done: Annotated[bool, Meta(description="End with `data: [DONE]`.")] = True
    delay_per_token: Annotated[
        Delay | None, Meta(description="Pause before each content event in milliseconds; wins over `timing`.")
    ] = None


class Shape(NamedTuple):
    """What of a request decides which events its stream has."""

    usage: bool
    obfuscation: bool


_PLAIN = Shape(usage=False, obfuscation=False)


@dataclass(frozen=True, slots=True)
class Padding(Hole):
    """Random letters, which hide the lengths of tokens from who watches the wire."""

    def text(self, fill: Fill) -> str:
        rng = fill.rng
        return "".join(rng.choices(_ALPHANUMERIC, k=rng.randrange(1, 17)))


class OpenAIChat(BaseSource):
    """One scripted reply of a chat model."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.default_delay_s = 0.0

    def open(self, context: SourceContext) -> Opened:
        request = context.request
        body: dict[str, Any] = request.json if isinstance(request.json, dict) else {"stream": True}
        model = self.params.model or _text(body.get("model")) or DEFAULT_MODEL
        id_ = f"chatcmpl-{context.rng.getrandbits(116):029x}"
        created = int(context.clock.wall())
        if not body.get("stream"):
            return Reply(self._completion(id_, created, model, _prompt_tokens(body)))
        options = body.get("stream_options")
        if isinstance(options, dict):
            shape = Shape(bool(options.get("include_usage")), bool(options.get("include_obfuscation")))
        else:
            shape = _PLAIN
        return Script(lambda: self._events(shape), key=shape, slots=self._slots(shape, id_, created, model, body))

    def _slots(self, shape: Shape, id_: str, created: int, model: str, body: dict[str, Any]) -> dict[str, bytes]:
        slots = {"id": f'"{id_}"'.encode(), "created": b"%d" % created, "model": encode_json(model)}
        if shape.usage:
            prompt = _prompt_tokens(body)
            slots["prompt"] = b"%d" % prompt
            slots["total"] = b"%d" % (prompt + len(self.params.tokens))
        return slots

    def _events(self, shape: Shape) -> Sequence[Event]:
        params = self.params
        token_delay = None if params.delay_per_token is None else params.delay_per_token / 1000
        events = [_chunk(shape, _choice({"role": "assistant", "content": "", "refusal": None}))]
        events += [_chunk(shape, _choice({"content": token}), token_delay) for token in params.tokens]
        events.append(_chunk(shape, _choice({}, params.finish_reason)))
        if shape.usage:
            usage = _usage(Slot("prompt"), len(params.tokens), Slot("total"))
            events.append(_chunk(shape, [], usage=usage))
        if params.include_done:
            events.append(Event("[DONE]", delay_s=0.0))
        return events

    def _completion(self, id_: str, created: int, model: str, prompt: int) -> dict[str, Any]:
        tokens = self.params.tokens
        message: dict[str, Any] = {"role": "assistant", "content": "".join(tokens), "refusal": None, "annotations": []}
        return {
            "id": id_,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": self.params.finish_reason}],
            "usage": _usage(prompt, len(tokens), prompt + len(tokens)),
            "service_tier": "default",
            "system_fingerprint": "fp_mockd",
        }


def _chunk(shape: Shape, choices: list[Any], delay_s: float | None = 0.0, usage: Any = None) -> Event:
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
        chunk["obfuscation"] = Text((Padding(),))
    return Event(chunk, delay_s=delay_s)


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]


def _usage(prompt: Any, completion: int, total: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _prompt_tokens(body: dict[str, Any]) -> int:
    """About how many tokens the request's messages have: their words."""
    messages = body.get("messages")
    count = 0
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [content]
        texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
        count += sum(len(text.split()) for text in texts if isinstance(text, str))
    return count


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def build(params: Params) -> Source:
    """The source of these parameters."""
    return OpenAIChat(params)


KIND = SourceKind("openai-chat", Params, build, "OpenAI Chat Completions, streamed and in one piece.")
