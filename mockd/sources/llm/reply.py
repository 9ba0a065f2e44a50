"""A model's reply, described once: what is said, thought and called, whichever provider's wire it goes out on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mockd.config.models import Delay
from mockd.errors import ConfigError
from mockd.jsontext import encode_json

DEFAULT_TOKENS = ("Hello", "!", " How", " can", " I", " help", " you", " today", "?")
_WORD = re.compile(r"\s*\S+|\s+\Z")

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


def _doc(text: str) -> Meta:
    return Meta(description=text)


class Params(Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What every part of a template's parameters has in common: camelCase keys, and no unknown ones."""


class ToolCall(Params, frozen=True, kw_only=True):
    """One call of a tool."""

    name: Annotated[str, _doc("Name of the tool.")]
    arguments: Annotated[dict[str, Any], _doc("What it is called with.")] = {}
    id: Annotated[str | None, _doc("Id of the call; made up in the provider's form where absent.")] = None


class Citation(Params, frozen=True, kw_only=True):
    """A source that a part of the reply is taken from."""

    url: Annotated[str, _doc("Where the source is.")]
    title: Annotated[str, _doc("What it is called.")] = ""
    text: Annotated[str | None, _doc("The part of the reply; all of it where absent.")] = None


_Count = Annotated[int, Meta(ge=0)]


class Usage(Params, frozen=True, kw_only=True):
    """Tokens, as they are charged for."""

    input_tokens: Annotated[_Count | None, _doc("Of the request; its words where absent.")] = None
    output_tokens: Annotated[_Count | None, _doc("Of the reply; counted where absent.")] = None
    reasoning_tokens: Annotated[_Count | None, _doc("Those of them that are thought.")] = None
    cached_tokens: Annotated[int, Meta(ge=0, description="Those of the request that were cached.")] = 0


class Error(Params, frozen=True, kw_only=True):
    """The provider's error instead of the reply: with `status` as HTTP status, else in the stream."""

    type: Annotated[str | None, _doc("The provider's word for it; by default the one that goes with the status.")] = (
        None
    )
    message: Annotated[str, _doc("What it says.")] = "The server had an error while processing your request."
    status: Annotated[
        Annotated[int, Meta(ge=400, le=599)] | None, _doc("HTTP status of an error before the stream.")
    ] = None
    retry_after: Annotated[
        Annotated[float, Meta(ge=0)] | None, _doc("Seconds after which to try again; with `status`.")
    ] = None
    after_tokens: Annotated[int, Meta(ge=0, description="Content events before an error in the stream.")] = 0
    times: Annotated[
        Annotated[int, Meta(ge=1)] | None, _doc("Only for the first so many requests; the reply comes after that.")
    ] = None

    def __post_init__(self) -> None:
        if self.status is not None and self.after_tokens:
            raise ValueError("`afterTokens` does not go with `status`: that error comes before the stream")
        if self.status is None and self.retry_after is not None:
            raise ValueError("`retryAfter` goes with `status`: only an HTTP error has headers to say it")


class ReplyFields(Params, frozen=True, kw_only=True):
    """One reply."""

    text: Annotated[str | None, _doc("What is said; split into words, each with the space before it.")] = None
    tokens: Annotated[tuple[str, ...] | None, _doc("What is said, one content event each.")] = None
    reasoning: Annotated[str | None, _doc("What is thought first.")] = None
    tool_calls: Annotated[tuple[ToolCall, ...], _doc("Tools that are called; several are parallel calls.")] = ()
    refusal: Annotated[str | None, _doc("What is said instead, in refusing.")] = None
    citations: Annotated[tuple[Citation, ...], _doc("Sources of what is said.")] = ()
    finish_reason: Annotated[
        FinishReason | None, _doc("Why it ends; by default `tool_calls` where tools are called, else `stop`.")
    ] = None
    usage: Annotated[Usage, _doc("Tokens; counted where not given.")] = Usage()
    model: Annotated[str | None, _doc("Model; by default the request's.")] = None
    error: Annotated[Error | None, _doc("An error instead of the reply, or in the middle of it.")] = None
    argument_chunk: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        _doc("Characters of a tool's arguments in each fragment; by default as the provider sends them."),
    ] = None

    def __post_init__(self) -> None:
        if self.text is not None and self.tokens is not None:
            raise ValueError("give one of `text` and `tokens`")
        if self.refusal is not None and (self.text or self.tokens or self.tool_calls):
            raise ValueError("`refusal` does not go with `text`, `tokens` or `toolCalls`: it is said instead of them")

    @property
    def has_content(self) -> bool:
        """Whether it says what the reply is, so that no other text takes its place."""
        return bool(self.text is not None or self.tokens is not None or self.tool_calls or self.refusal is not None)


class When(Params, frozen=True, kw_only=True):
    """Which requests a scripted reply is for: all that is given must hold."""

    contains: Annotated[str | None, _doc("Text that the last user message has in it.")] = None
    regex: Annotated[str | None, _doc("Regular expression, searched in the last user message.")] = None
    model: Annotated[str | None, _doc("Model asked for; `*` stands for any characters.")] = None
    tool_result: Annotated[bool | None, _doc("Whether the last message brings the result of a tool.")] = None
    turn: Annotated[Annotated[int, Meta(ge=1)] | None, _doc("Number of the user's messages so far.")] = None

    def __post_init__(self) -> None:
        if self.regex is not None:
            try:
                re.compile(self.regex)
            except re.error as error:
                raise ValueError(f"regex: not a regular expression: {error}") from None


class Scripted(Params, frozen=True, kw_only=True):
    """A reply for some requests."""

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
    """A tool call, ready to be sent: its arguments as JSON text, whole and in fragments."""

    name: str
    arguments: str
    fragments: tuple[str, ...]
    id: str | None

    @property
    def input(self) -> Any:
        """The arguments as a JSON value."""
        return msgspec.json.decode(self.arguments)


class Reply(Struct, frozen=True):
    """A reply with everything that follows from its description worked out. Equal replies are sent as equal streams."""

    tokens: tuple[str, ...]
    reasoning: tuple[str, ...]
    calls: tuple[Call, ...]
    refusal: tuple[str, ...]
    citations: tuple[Citation, ...]
    finish: str
    usage: Usage
    model: str | None
    failure: Error | None = None
    """The error in its stream."""

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def reasoning_tokens(self) -> int:
        given = self.usage.reasoning_tokens
        return len(self.reasoning) if given is None else given

    @property
    def output_tokens(self) -> int:
        """Tokens of the whole reply, thought and calls among them."""
        if self.usage.output_tokens is not None:
            return self.usage.output_tokens
        arguments = sum(len(call.fragments) for call in self.calls)
        return len(self.tokens) + len(self.refusal) + self.reasoning_tokens + arguments


def tokens_of(text: str) -> tuple[str, ...]:
    """A text in words, each with the space before it; together they are the text."""
    return tuple(_WORD.findall(text))


def resolve(fields: ReplyFields, default: tuple[str, ...] = DEFAULT_TOKENS, argument_chunk: int | None = None) -> Reply:
    """The reply that is described; `default` is said where nothing is. The arguments of tools are in fragments of
    `argument_chunk` characters where it does not say otherwise; None: in one piece."""
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
    """Where in a text the part is that a citation is for: its start and its end."""
    start = text.find(citation.text) if citation.text else 0
    return (start, start + len(citation.text)) if citation.text and start >= 0 else (0, len(text))


def refuse_inexpressible(
    fields: ReplyFields, template: str, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str]
) -> None:
    """Raise `ConfigError` for what the wire of a template has no words for."""
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
"""Parameters that only some wires have something for, and their attributes."""


def inexpressible(
    fields: ReplyFields, expresses: frozenset[str], finish: Mapping[str, str], lacks: frozenset[str] = frozenset()
) -> list[str]:
    """The parameters that are given and that a wire has nothing for, which `expresses` those of the rarer ones, has
    those words for the reasons to `finish`, and `lacks` those that nearly every wire has."""
    usual = {
        "usage": fields.usage != Usage(),
        "model": fields.model,
        "error.type": fields.error and fields.error.type,
    }
    names = [name for name, attribute in RARE.items() if getattr(fields, attribute) and name not in expresses]
    names += [name for name, given in usual.items() if given and name in lacks]
    unknown = fields.finish_reason is not None and fields.finish_reason not in finish
    return [*names, "finishReason"] if unknown else names
