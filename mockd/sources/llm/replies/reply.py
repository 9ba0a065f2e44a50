"""A model's reply (text, reasoning, tool calls and more), described once for the wires of all providers."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from mockd.jsontext import encode_json
from mockd.sources.llm.replies.params import Citation, Error, ReplyFields, ToolCall, Usage

DEFAULT_TOKENS = ("Hello", "!", " How", " can", " I", " help", " you", " today", "?")
LONGEST_WORD = 1000
"""Most characters of a word, and of the space before it. More are several tokens, so that no event is long."""
_WORD = re.compile(rf"\s{{0,{LONGEST_WORD}}}\S{{1,{LONGEST_WORD}}}|\s{{1,{LONGEST_WORD}}}")


class Call(Struct, frozen=True):
    """A tool call ready to send: its arguments as JSON text, whole and in fragments. Those of a custom tool are any
    text."""

    name: str
    arguments: str
    fragments: tuple[str, ...]
    id: str | None
    is_custom: bool = False

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
    stop: str | None = None
    """The text of the request at which the reply ended, or None."""

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


def resolve(
    fields: ReplyFields,
    default: tuple[str, ...] = DEFAULT_TOKENS,
    argument_chunk: int | None = None,
    *,
    has_custom_tools: bool = False,
) -> Reply:
    """The reply that the fields describe. Its text is `default` if they have no content. The arguments of tool calls
    are in fragments of `argument_chunk` characters (None: in one piece), unless the fields have their own size. The
    input of a custom tool is an argument if the provider has no custom tools."""
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
        tuple(_call(call, fields.argument_chunk or argument_chunk, has_custom_tools) for call in fields.tool_calls),
        tokens_of(fields.refusal or ""),
        fields.citations,
        fields.finish_reason or finish,
        fields.usage,
        fields.model,
    )


def _call(call: ToolCall, size: int | None, has_custom_tools: bool) -> Call:
    is_custom = call.input is not None and has_custom_tools
    given = call.arguments if call.input is None else {"input": call.input}
    arguments = call.input if call.input is not None and has_custom_tools else encode_json(given).decode()
    size = size or len(arguments) or 1
    fragments = tuple(arguments[start : start + size] for start in range(0, len(arguments), size))
    return Call(call.name, arguments, fragments, call.id, is_custom)


def place_of(citation: Citation, text: str) -> tuple[int, int]:
    """The start and the end of the part of a text that a citation is for."""
    start = text.find(citation.text) if citation.text else 0
    return (start, start + len(citation.text)) if citation.text and start >= 0 else (0, len(text))
