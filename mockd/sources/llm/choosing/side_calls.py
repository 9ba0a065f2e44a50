"""The side calls of agents: what they ask a model beside their job, such as a title for a conversation.

A side call often has the user's words in it, so that a reply that is meant for the job would answer it, and be used up.
Each is told by a sentence of the agent's own prompt, which it has on every provider's wire.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

SHORTEST = 300
"""Bytes that the body of every known side call has at least, as its prompt is long."""


class SideCall(Struct, frozen=True, kw_only=True):
    """A side call. `system` is a sentence in its system prompt, `said` one in the last message of the user; `text` is
    what answers it, unless it demands JSON."""

    name: str
    what: str
    text: str
    system: str | None = None
    said: str | None = None


SIDE_CALLS: Sequence[SideCall] = (
    SideCall(
        name="claude-code-title",
        what="Claude Code wants a title for the session, as JSON",
        system="Generate a concise, sentence-case title (3-7 words) that captures the main topic or goal",
        text="Mock session",
    ),
    SideCall(
        name="claude-code-compaction",
        what="Claude Code compacts the conversation: `/compact`, or its context is full",
        said="Respond with plain text only — an <analysis> block followed by a <summary> block.",
        text="<analysis>A mock has no more to say.</analysis>\n<summary>The conversation goes on as before.</summary>",
    ),
    SideCall(
        name="gemini-cli-router",
        what="Gemini CLI wants to know how hard a prompt is, as JSON",
        system="You are a specialized Task Routing AI.",
        text='{"complexity_reasoning": "It is a mock.", "complexity_score": 50}',
    ),
    SideCall(
        name="gemini-cli-compression",
        what="Gemini CLI compresses the conversation: `/compress`, or its context is full",
        system="distilling chat history into a structured XML <state_snapshot>",
        text="<state_snapshot>The conversation goes on as before.</state_snapshot>",
    ),
    SideCall(
        name="opencode-title",
        what="opencode wants a title for the conversation",
        system="You are a title generator. You output ONLY a thread title.",
        text="Mock conversation",
    ),
    SideCall(
        name="opencode-compaction",
        what="opencode compacts the conversation: `/compact`, or its context is full",
        system="You are a context summarization agent.",
        text="The conversation goes on as before.",
    ),
    SideCall(
        name="opencode-older-compaction",
        what="older versions of opencode compact the conversation, and so may Claude Code",
        system="You are a helpful AI assistant tasked with summarizing conversations.",
        text="The conversation goes on as before.",
    ),
    SideCall(
        name="codex-title",
        what="Codex wants a title for the task, as JSON",
        said="Generate a concise, single-line task title",
        text="Mock task",
    ),
    SideCall(
        name="codex-compaction",
        what="Codex compacts the conversation: `/compact`, or its context is full",
        said="You are performing a CONTEXT CHECKPOINT COMPACTION.",
        text="The conversation goes on as before.",
    ),
    SideCall(
        name="aider-commit",
        what="aider wants the message of a commit",
        system="generates concise, one-line Git commit messages based on the provided diffs.",
        text="chore: change what was asked",
    ),
    SideCall(
        name="aider-summary",
        what="aider sums up the older part of the conversation",
        system="*Briefly* summarize this partial conversation about programming.",
        text="I asked you to go on as before.",
    ),
)


def side_call_in(system: str, said: str) -> SideCall | None:
    """The side call with this system prompt and this last message of the user; None if it is none that is known."""
    for call in SIDE_CALLS:
        if (call.system is None or call.system in system) and (call.said is None or call.said in said):
            return call
    return None
