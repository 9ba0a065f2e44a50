"""What an OpenAI chat stream has to be, checked event by event."""

from __future__ import annotations

import json
from typing import Any


def chat_parts(events: list[dict[str, str]]) -> list[Any]:
    """A stream in short: "role", each piece of text, ("finish", reason), "[DONE]". All else is asserted."""
    parts: list[Any] = []
    heads = set()
    for event in events:
        assert event.keys() == {"data"}
        if event["data"] == "[DONE]":
            parts.append("[DONE]")
            continue
        chunk = json.loads(event["data"])
        assert chunk["object"] == "chat.completion.chunk"
        heads.add((chunk["id"], chunk["created"], chunk["model"]))
        [choice] = chunk["choices"]
        assert choice["index"] == 0
        parts.append(_part(choice))
    assert len(heads) == 1
    return parts


def _part(choice: dict[str, Any]) -> Any:
    delta = choice["delta"]
    if choice["finish_reason"] is not None:
        assert delta == {}
        return ("finish", choice["finish_reason"])
    if "role" in delta:
        assert delta == {"role": "assistant", "content": "", "refusal": None}
        return "role"
    assert delta.keys() == {"content"}
    return delta["content"]
