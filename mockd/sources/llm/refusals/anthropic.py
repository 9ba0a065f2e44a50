"""What Anthropic's service refuses."""

from __future__ import annotations

from typing import Any

from mockd.sources.llm.refusals.predicates import (
    below,
    choice_of_unknown_tool,
    is_number,
    no_content,
    objects_in,
    outside,
    role_not_in,
    shown,
    text,
    value_at,
)
from mockd.sources.llm.refusals.rule import Found, Rule, Rules
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words

_MESSAGES = "https://docs.claude.com/en/api/messages"
_DEMANDING = ("any", "tool")
"""Choices of tools that demand a call."""
_THINKING = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


def _large_budget(ask: Ask) -> Found | None:
    """A budget for thinking that leaves no room for anything else, unless it is for several thoughts."""
    budget, most = value_at(ask.body, ("thinking", "budget_tokens")), ask.body.get("max_tokens")
    is_interleaved = "interleaved-thinking" in (ask.request.header("anthropic-beta") or "")
    return {} if not is_interleaved and is_number(budget) and is_number(most) and budget >= most else None


def _result_without_use(ask: Ask) -> Found | None:
    """The result of a tool whose use is not in the message before."""
    used: set[Any] = set()
    for index, message in objects_in(ask, "messages"):
        content = message.get("content")
        blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        for place, block in enumerate(blocks):
            if block.get("type") == "tool_result" and shown(block.get("tool_use_id")) not in used:
                return {"index": index, "place": place, "id": shown(block.get("tool_use_id"))}
        used = {shown(block.get("id")) for block in blocks if block.get("type") == "tool_use"}
    return None


def _system_first(ask: Ask) -> Found | None:
    """A conversation that begins with instructions, which may only come later in it."""
    _, first = next(objects_in(ask, "messages"), (0, {}))
    return {} if first.get("role") == "system" else None


ANTHROPIC: Rules = (
    Rule(
        "messages",
        _system_first,
        Words(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" '
            "as an input message role."
        ),
        "https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages",
    ),
    Rule(
        "messages",
        role_not_in("messages", "user", "assistant", "system"),
        Words("messages.{index}.role: Input should be 'user' or 'assistant'"),
        _MESSAGES,
    ),
    Rule("messages", no_content("messages", "content"), Words("messages.{index}.content: Field required"), _MESSAGES),
    Rule(
        "messages",
        _result_without_use,
        Words(
            "messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous message."
        ),
        "https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use",
    ),
    Rule("temperature", outside("temperature", least=0, most=1), Words("temperature: range: 0..1"), _MESSAGES),
    Rule("max_tokens", text("max_tokens"), Words("max_tokens: Input should be a valid integer"), _MESSAGES),
    Rule(
        "max_tokens",
        below("max_tokens", least=1),
        Words("max_tokens: Input should be greater than or equal to 1"),
        _MESSAGES,
    ),
    Rule(
        "tool_choice",
        lambda ask: {} if ask.part("tool_choice").get("type") in _DEMANDING and not ask.body.get("tools") else None,
        Words("tool_choice: tool_choice may only be specified while providing tools."),
        _MESSAGES,
    ),
    Rule("tool_choice", choice_of_unknown_tool, Words("Tool '{name}' not found in provided tools"), _MESSAGES),
    Rule(
        "thinking",
        below("thinking", "budget_tokens", least=1024),
        Words("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
        _THINKING,
    ),
    Rule(
        "thinking",
        _large_budget,
        Words(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            f"{_THINKING}#max-tokens-and-context-window-size"
        ),
        _THINKING,
    ),
)
