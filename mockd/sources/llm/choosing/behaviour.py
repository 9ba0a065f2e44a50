"""What a reply must be like for a request: which calls it may have, whether its text is what the request demands.

A mock with `obey` has it; any other says exactly what was written for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from mockd.jsontext import encode_json
from mockd.sources.llm.budget import Budget, Refused
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.replies.params import ReplyFields, ToolCall
from mockd.sources.llm.requests.options import InputForm, Options, Tool
from mockd.sources.llm.schemas.check import is_valid
from mockd.sources.llm.schemas.example import example
from mockd.sources.llm.schemas.grammar import grammatical_text

THOUGHT = "Let me think."
"""Reasoning for a request that asks for it, if nothing else is written."""


def accepted(fields: ReplyFields, asked: Asked) -> ReplyFields | None:
    """The reply in the form that a request allows, or None if it has none. Content is made for a reply without any."""
    if not fields.has_content or fields.refusal is not None:
        return fields
    options = asked.options
    calls = tuple(_as_declared(call, options) for call in fields.tool_calls if options.allows(call.name))
    calls = calls if options.is_parallel else calls[:1]
    if not calls and not _may_speak(fields, asked):
        # The error in a reply holds, whatever the reply is.
        return None if fields.error is None else without_content(fields)
    if calls == fields.tool_calls:
        return fields
    finish = None if fields.finish_reason == "tool_calls" and not calls else fields.finish_reason
    return replace(fields, tool_calls=calls, finish_reason=finish)


def _as_declared(call: ToolCall, options: Options) -> ToolCall:
    """A call in the form in which its tool is declared: with a text if it is a custom one, otherwise with arguments."""
    tool = next((tool for tool in options.tools if tool.name == call.name), None)
    if tool is None or (tool.form is None) == (call.input is None):
        return call
    if call.input is not None:
        return replace(call, arguments={"input": call.input}, input=None)
    given = call.arguments
    only = given.get("input") if len(given) == 1 else None
    text = only if isinstance(only, str) else encode_json(given).decode() if given else ""
    return replace(call, arguments={}, input=text)


def without_content(fields: ReplyFields) -> ReplyFields:
    """The same reply with nothing said, so that content is made for it."""
    finish = None if fields.finish_reason == "tool_calls" else fields.finish_reason
    return replace(fields, text=None, tokens=None, tool_calls=(), citations=(), finish_reason=finish)


def _may_speak(fields: ReplyFields, asked: Asked) -> bool:
    """Whether a reply has a text that may stand without a call."""
    text = "".join(fields.tokens) if fields.tokens is not None else fields.text
    return text is not None and not asked.options.must_call and is_fitting(text, asked)


def is_fitting(text: str, asked: Asked) -> bool:
    """Whether a text is valid against the schema that a request demands, if it does. Raises as `Effort.left` does."""
    if asked.schema is None:
        return True
    value: Any = text
    if asked.wire.writes_json(asked.ask):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return False
    return is_valid(value, asked.schema, asked.effort)


def forced_call(asked: Asked) -> tuple[ToolCall, ...]:
    """A call with example arguments if a request demands one: of a tool that was not called yet, as long as there is
    one, otherwise of the last. Raises `Refused` if none of them can have arguments."""
    if not asked.options.must_call:
        return ()
    tools = asked.options.callable
    fresh = [tool for tool in tools if tool.name not in asked.called]
    others = [tool for tool in reversed(tools) if tool.name in asked.called]
    in_order = [*fresh, *others]
    return _example_calls(in_order, asked, 1) or (_example_call(in_order[0], asked, Budget()),)


def offered_calls(asked: Asked) -> tuple[ToolCall, ...]:
    """A call with example arguments of each tool that is still offered, or of the first if there may be only one."""
    return _example_calls(offered(asked), asked, None if asked.options.is_parallel else 1)


def _example_calls(tools: Iterable[Tool], asked: Asked, most: int | None) -> tuple[ToolCall, ...]:
    """Calls of at most so many of the tools. Those for which no arguments can be made are passed over, as nobody
    demands a call of them and of no other."""
    budget = Budget()

    def made() -> Iterator[ToolCall]:
        for tool in tools:
            with suppress(Refused, RecursionError):
                yield _example_call(tool, asked, budget)

    return tuple(islice(made(), most))


def offered(asked: Asked) -> list[Tool]:
    """The tools that may be called and were not since the user's last message. Those whose arguments the request does
    not describe are not among them."""
    return [tool for tool in asked.options.callable if tool.name not in asked.called and _is_described(tool)]


def _is_described(tool: Tool) -> bool:
    return tool.schema is not None or tool.form is not None


def _example_call(tool: Tool, asked: Asked, budget: Budget) -> ToolCall:
    if tool.form is not None:
        return ToolCall(name=tool.name, input=_example_input(tool.form, budget))
    schema = asked.wire.tool_schema(tool)
    # Arguments are an object, even if the schema does not say so.
    made = example({**schema, "type": "object"} if isinstance(schema, dict) else {"type": "object"}, budget)
    return ToolCall(name=tool.name, arguments=made if isinstance(made, dict) else {})


def _example_input(form: InputForm, budget: Budget) -> str:
    return "text" if form.syntax is None else grammatical_text(form.syntax, form.grammar, budget)
