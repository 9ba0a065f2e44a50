"""The response object of OpenAI's Responses, which repeats the request's fields and has the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mockd.events import Slot
from mockd.jsontext import encode_json

ASKED: dict[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
"""Fields of a request that its response repeats, with their defaults."""

_ALL = {*ASKED, "conversation"}
"""These fields, and the one that is only in the response if the request has it."""
_DEFAULTS = {name: encode_json(value) for name, value in ASKED.items()}
_TOOL = {"description": None, "strict": True}


def asked_slots(body: Mapping[str, Any]) -> dict[str, bytes]:
    """The values of the slots for the request's fields."""
    given = {name: body[name] for name in body.keys() & _ALL if body[name] is not None}
    return {**_DEFAULTS, **{name: encode_json(_completed(name, value)) for name, value in given.items()}}


def _completed(name: str, value: Any) -> Any:
    """A field of a request, with the parts that the service adds to it."""
    if name == "conversation":
        return {"id": value} if isinstance(value, str) else value
    default = ASKED[name]
    if isinstance(default, dict) and isinstance(value, dict):
        return {**default, **value}
    if name == "tools" and isinstance(value, list):
        return [
            {**_TOOL, **tool} if isinstance(tool, dict) and tool.get("type") == "function" else tool for tool in value
        ]
    return value


def response(
    status: str,
    output: Sequence[Any] = (),
    *,
    usage: Any = None,
    error: Mapping[str, Any] | None = None,
    incomplete: str | None = None,
    tier: str = "default",
    in_conversation: bool = False,
) -> dict[str, Any]:
    """The response object. `incomplete` is the reason for which the output was cut off, `tier` the one in which the
    request was served; `in_conversation` is true if the request names a conversation."""
    repeated = [*ASKED, "conversation"] if in_conversation else ASKED
    is_over = status in ("completed", "incomplete")
    return {
        "id": Slot("id"),
        "object": "response",
        "created_at": Slot("created"),
        "status": status,
        "completed_at": Slot("created") if status == "completed" else None,
        "error": error,
        "incomplete_details": None if incomplete is None else {"reason": incomplete},
        "model": Slot("model"),
        "output": list(output),
        "service_tier": tier if is_over else "auto",
        "usage": usage,
        **{name: Slot(name) for name in repeated},
    }
