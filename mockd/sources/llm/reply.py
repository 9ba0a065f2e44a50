"""A model's reply (text, reasoning, tool calls and more), described once for the wires of all providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mockd.config.base import Seconds, read_seconds
from mockd.config.models import Delay
from mockd.errors import ConfigError
from mockd.jsontext import encode_json
from mockd.patterns import check_pattern

DEFAULT_TOKENS = ("Hello", "!", " How", " can", " I", " help", " you", " today", "?")
LONGEST_WORD = 1000
"""Most characters of a word, and of the space before it. More are several tokens, so that no event is long."""
_WORD = re.compile(rf"\s{{0,{LONGEST_WORD}}}\S{{1,{LONGEST_WORD}}}|\s{{1,{LONGEST_WORD}}}")

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Params(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base class of every part of a template's parameters: keys are in camelCase, and unknown keys are refused."""


class ToolCall(Params, frozen=True, kw_only=True):
    """One tool call."""

    name: Annotated[str, _doc("Name of the tool.")]
    arguments: Annotated[dict[str, Any], _doc("Arguments of the call.")] = {}
    id: Annotated[str | None, _doc("ID of the call; by default a random one in the provider's form.")] = None


class Citation(Params, frozen=True, kw_only=True):
    """A source of a part of the reply."""

    url: Annotated[str, _doc("URL of the source.")]
    title: Annotated[str, _doc("Title of the source.")] = ""
    text: Annotated[str | None, _doc("The part of the reply; by default all of it.")] = None


_Count = Annotated[int, Meta(ge=0)]


class Usage(Params, frozen=True, kw_only=True):
    """The numbers of tokens in the reply's usage."""

    input_tokens: Annotated[_Count | None, _doc("Tokens of the request; by default the number of its words.")] = None
    output_tokens: Annotated[_Count | None, _doc("Tokens of the reply; by default they are counted.")] = None
    reasoning_tokens: Annotated[_Count | None, _doc("Reasoning tokens among the output tokens.")] = None
    cached_tokens: Annotated[int, Meta(ge=0, description="Cached tokens among the input tokens.")] = 0


class Error(Params, frozen=True, kw_only=True):
    """The provider's error instead of the reply: an HTTP error if it has `status`, otherwise an error in the stream."""

    type: Annotated[str | None, _doc("The provider's error type; by default that of the status.")] = None
    message: Annotated[str, _doc("Message of the error.")] = "The server had an error while processing your request."
    status: Annotated[
        Annotated[int, Meta(ge=400, le=599)] | None, _doc("HTTP status of an error before the stream.")
    ] = None
    retry_after: Annotated[Seconds | None, _doc("`Retry-After`, in seconds; only with `status`.")] = None
    after_tokens: Annotated[int, Meta(ge=0, description="Number of content events before an error in the stream.")] = 0
    times: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _doc("Number of requests that get the error; later ones get the reply. By default all."),
    ] = None

    def __post_init__(self) -> None:
        read_seconds(self, "retry_after")
        if self.status is not None and self.after_tokens:
            raise ValueError("`afterTokens` does not go with `status`: that error comes before the stream")
        if self.status is None and self.retry_after is not None:
            raise ValueError("`retryAfter` goes with `status`: only an HTTP error has headers to say it")


class ReplyFields(Params, frozen=True, kw_only=True):
    """One reply."""

    text: Annotated[str | None, _doc("Text of the reply; split into words, each with the space before it.")] = None
    tokens: Annotated[tuple[str, ...] | None, _doc("Text of the reply in tokens, one for each content event.")] = None
    reasoning: Annotated[str | None, _doc("Reasoning before the text.")] = None
    tool_calls: Annotated[tuple[ToolCall, ...], _doc("Tool calls; several are parallel calls.")] = ()
    refusal: Annotated[str | None, _doc("Text of a refusal, instead of the reply's text.")] = None
    citations: Annotated[tuple[Citation, ...], _doc("Sources of the text.")] = ()
    finish_reason: Annotated[
        FinishReason | None, _doc("Reason of the end; by default `tool_calls` if tools are called, else `stop`.")
    ] = None
    usage: Annotated[Usage, _doc("Numbers of tokens; by default they are counted.")] = Usage()
    model: Annotated[str | None, _doc("Model; by default the request's.")] = None
    error: Annotated[Error | None, _doc("An error instead of the reply, or in the middle of it.")] = None
    argument_chunk: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _doc("Characters of a call's arguments in each fragment; by default as the provider sends them."),
    ] = None

    def __post_init__(self) -> None:
        if self.text is not None and self.tokens is not None:
            raise ValueError("give one of `text` and `tokens`")
        if self.refusal is not None and (self.text or self.tokens or self.tool_calls):
            raise ValueError("`refusal` does not go with `text`, `tokens` or `toolCalls`: it is said instead of them")

    @property
    def has_content(self) -> bool:
        """Whether the fields have any content; if not, a default text is sent."""
        return bool(self.text is not None or self.tokens is not None or self.tool_calls or self.refusal is not None)


class When(Params, frozen=True, kw_only=True):
    """The requests that a scripted reply answers: every criterion that is given must match."""

    contains: Annotated[str | None, _doc("Text that the last user message contains.")] = None
    regex: Annotated[str | None, _doc("Regular expression that is searched for in the last user message.")] = None
    model: Annotated[str | None, _doc("Model in the request; `*` stands for any characters.")] = None
    tool_result: Annotated[bool | None, _doc("Whether the last message has the result of a tool.")] = None
    turn: Annotated[Annotated[int, Meta(ge=1)] | None, _doc("Number of the user's messages so far.")] = None

    def __post_init__(self) -> None:
        if self.regex is not None:
            check_pattern(self.regex, "regex")


class Scripted(Params, frozen=True, kw_only=True):
    """A reply for certain requests."""

    when: Annotated[When, _doc("Which requests it is for; empty: every request.")] = When()
    reply: Annotated[ReplyFields, _doc("The reply.")]


class ReplyParams(ReplyFields, frozen=True, kw_only=True):
    """Parameters of every template of a model's replies."""

    echo: Annotated[bool, _doc("Say the last user message, where the reply has no content of its own.")] = False
    script: Annotated[tuple[Scripted, ...], _doc("Replies for some requests; the first that fits wins.")] = ()
    strict: Annotated[bool, _doc("Answer a request that the real service would refuse with its own 400.")] = False
    delay_per_token: Annotated[
        Delay | None, _doc("Pause before each content event in milliseconds, where `timing` has no `itl`.")
    ] = None


class Call(Struct, frozen=True):
    """A tool call ready to send: its arguments as JSON text, whole and in fragments."""

    name: str
    arguments: str
    fragments: tuple[str, ...]
    id: str | None

    @property
    def input(self) -> Any:
        """The arguments as a JSON value."""
        return msgspec.json.decode(self.arguments)


class Reply(Struct, frozen=True):
    """A reply with all defaults and derived values computed. Equal replies are sent as equal streams."""

    tokens: tuple[str, ...]
    reasoning: tuple[str, ...]
    calls: tuple[Call, ...]
    refusal: tuple[str, ...]
    citations: tuple[Citation, ...]
    finish: str
    usage: Usage
    model: str | None
    failure: Error | None = None
    """The error in the reply's stream, or None."""

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def pieces(self) -> int:
        """About the number of events with content that the reply has as a stream."""
        arguments = sum(len(call.fragments) for call in self.calls)
        return len(self.tokens) + len(self.reasoning) + len(self.refusal) + arguments

    @property
    def characters(self) -> int:
        """The number of characters of all that is said."""
        said = sum(map(len, self.tokens)) + sum(map(len, self.reasoning)) + sum(map(len, self.refusal))
        return said + sum(len(call.arguments) for call in self.calls)

    @property
    def longest(self) -> int:
        """The number of characters of the longest token."""
        return max(map(len, (*self.tokens, *self.refusal)), default=0)

    @property
    def reasoning_tokens(self) -> int:
        given = self.usage.reasoning_tokens
        return len(self.reasoning) if given is None else given

    @property
    def output_tokens(self) -> int:
        """Number of tokens of the whole reply, including reasoning and calls."""
        if self.usage.output_tokens is not None:
            return self.usage.output_tokens
        arguments = sum(len(call.fragments) for call in self.calls)
        return len(self.tokens) + len(self.refusal) + self.reasoning_tokens + arguments


def tokens_of(text: str) -> tuple[str, ...]:
    """The words of a text, each with the space before it. Joined, they are the text."""
    return tuple(_WORD.findall(text))


def resolve(fields: ReplyFields, default: tuple[str, ...] = DEFAULT_TOKENS, argument_chunk: int | None = None) -> Reply:
    """The reply that the fields describe. Its text is `default` if they have no content. The arguments of tool calls
    are in fragments of `argument_chunk` characters (None: in one piece), unless the fields have their own size."""
    if fields.tokens is not None:
        tokens = fields.tokens
    elif fields.text is not None:
        tokens = tokens_of(fields.text)
    else:
        tokens = () if fields.has_content else default
    finish = "tool_calls" if fields.tool_calls else "stop"
    return Reply(
        tokens,
        tokens_of(fields.reasoning or ""),
        tuple(_call(call, fields.argument_chunk or argument_chunk) for call in fields.tool_calls),
        tokens_of(fields.refusal or ""),
        fields.citations,
        fields.finish_reason or finish,
        fields.usage,
        fields.model,
    )


def _call(call: ToolCall, size: int | None) -> Call:
    arguments = encode_json(call.arguments).decode()
    size = size or len(arguments)
    fragments = tuple(arguments[start : start + size] for start in range(0, len(arguments), size))
    return Call(call.name, arguments, fragments, call.id)


def place_of(citation: Citation, text: str) -> tuple[int, int]:
    """The start and the end of the part of a text that a citation is for."""
    start = text.find(citation.text) if citation.text else 0
    return (start, start + len(citation.text)) if citation.text and start >= 0 else (0, len(text))


def refuse_inexpressible(
    fields: ReplyFields, template: str, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str]
) -> None:
    """Raise `ConfigError` for a parameter that the wire of a template cannot express."""
    for name in inexpressible(fields, expresses, finish, lacks):
        what = f"the {name} `{fields.finish_reason}`" if name == "finishReason" else f"`{name}`"
        raise ConfigError(
            f"template `{template}` cannot express {what}: its wire has nothing for it",
            path=tuple(name.split(".")),
            hint="leave it out, or use another template",
        )


RARE = {
    "reasoning": "reasoning",
    "toolCalls": "tool_calls",
    "refusal": "refusal",
    "citations": "citations",
}
"""Parameters that only some wires can express, and their attributes."""


def inexpressible(
    fields: ReplyFields, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str] = frozenset()
) -> list[str]:
    """The given parameters that a wire cannot express. The wire `expresses` certain rare parameters, has words for
    certain reasons to `finish`, and `lacks` certain common parameters."""
    usual = {
        "usage": fields.usage != Usage(),
        "model": fields.model,
        "error.type": fields.error and fields.error.type,
    }
    names = [name for name, attribute in RARE.items() if getattr(fields, attribute) and name not in expresses]
    names += [name for name, given in usual.items() if given and name in lacks]
    unknown = fields.finish_reason is not None and fields.finish_reason not in finish
    return [*names, "finishReason"] if unknown else names
