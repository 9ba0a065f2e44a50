"""What a reply must be like for a request: which calls it may have, whether its text is what the request demands.

A mock with `obey` has it; any other says exactly what was written for it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from mockd.sources.llm.budget import Budget
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.replies.params import ReplyFields, ToolCall
from mockd.sources.llm.requests.options import Tool
from mockd.sources.llm.schemas.check import is_valid
from mockd.sources.llm.schemas.example import example

THOUGHT = "Let me think."
"""Reasoning for a request that asks for it, if nothing else is written."""


def accepted(fields: ReplyFields, asked: Asked) -> ReplyFields | None:
    """The reply in the form that a request allows, or None if it has none. Content is made for a reply without any."""
    if not fields.has_content or fields.refusal is not None:
        return fields
    options = asked.options
    calls = tuple(call for call in fields.tool_calls if options.allows(call.name))
    calls = calls if options.is_parallel else calls[:1]
    if not calls and not _may_speak(fields, asked):
        # The error in a reply holds, whatever the reply is.
        return None if fields.error is None else without_content(fields)
    if calls == fields.tool_calls:
        return fields
    finish = None if fields.finish_reason == "tool_calls" and not calls else fields.finish_reason
    return replace(fields, tool_calls=calls, finish_reason=finish)


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
    one, otherwise of the last."""
    if not asked.options.must_call:
        return ()
    tools = asked.options.callable
    tool = next((tool for tool in tools if tool.name not in asked.called), tools[-1])
    return (_example_call(tool, asked, Budget()),)


def offered_calls(asked: Asked) -> tuple[ToolCall, ...]:
    """A call with example arguments of each tool that is still offered, or of the first if there may be only one."""
    tools, budget = offered(asked), Budget()
    return tuple(_example_call(tool, asked, budget) for tool in tools[: None if asked.options.is_parallel else 1])


def offered(asked: Asked) -> list[Tool]:
    """The tools that may be called and were not since the user's last message. Those whose arguments the request does
    not describe are not among them."""
    return [tool for tool in asked.options.callable if tool.name not in asked.called and tool.schema is not None]


def _example_call(tool: Tool, asked: Asked, budget: Budget) -> ToolCall:
    schema = asked.wire.tool_schema(tool)
    # Arguments are an object, even if the schema does not say so.
    made = example({**schema, "type": "object"} if isinstance(schema, dict) else {"type": "object"}, budget)
    return ToolCall(name=tool.name, arguments=made if isinstance(made, dict) else {})
