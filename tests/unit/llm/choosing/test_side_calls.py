"""The table of side calls, on what agents sent when they were used in a terminal. The prompts are shortened."""

from __future__ import annotations

import pytest

from mockd.sources.llm.choosing.side_calls import side_call_in

CLAUDE_CODE = "You are Claude Code, Anthropic's official CLI for Claude."
CODEX = "You are a coding agent running in the Codex CLI, a terminal-based coding assistant. …"
SEEN = {
    # Claude Code 2.1.197
    "claude-code-title": (
        f"{CLAUDE_CODE}\nGenerate a concise, sentence-case title (3-7 words) that captures the main topic or goal of "
        "this coding session. The title should be clear enough that the user recognizes the session in a list.",
        "<session>\nHow is Rainville?\n</session>\n\nWrite the title in the language the user wrote in, …",
    ),
    "claude-code-compaction": (
        CLAUDE_CODE,
        "And Rainville again?\nCRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n…\n\nREMINDER: Do NOT call "
        "any tools. Respond with plain text only — an <analysis> block followed by a <summary> block. …",
    ),
    # Gemini CLI 0.61.0
    "gemini-cli-router": (
        "\nYou are a specialized Task Routing AI. Your sole function is to analyze the user's request and assign a "
        "**Complexity Score** from 1 to 100.\n\n# Complexity Rubric\n…",
        "And Rainville again",
    ),
    "gemini-cli-compression": (
        "You are a specialized system component responsible for distilling chat history into a structured XML "
        "<state_snapshot>.\n\n### CRITICAL SECURITY RULE\n…",
        "Critically evaluate the <state_snapshot> you just generated. Did you omit any specific technical details, …",
    ),
    # opencode 1.18.33
    "opencode-title": (
        "You are a title generator. You output ONLY a thread title. Nothing else.\n\n<task>\nGenerate a brief title …",
        "And Rainville again?",
    ),
    "opencode-compaction": (
        "You are a context summarization agent. You are given a conversation between a user and an agent. Your goal is "
        "to produce a structured summary matching the format specified …",
        "Here is the conversation so far:\n\n<conversation>\n[User]: And Rainville again?\n\n[Assistant]: First answer."
        "\n</conversation>\n\nCreate a new anchored summary from the conversation history …",
    ),
    # Codex 0.171.0
    "codex-title": (
        CODEX,
        "Generate a concise, single-line task title of at most 36 characters and under five words where possible. …\n\n"
        "User prompt:\nHow is Rainville?",
    ),
    "codex-compaction": (
        CODEX,
        "You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary for another LLM that will resume "
        "the task.\n\nInclude:\n- Current progress and key decisions made\n…",
    ),
    # aider 0.86.2
    "aider-commit": (
        "You are an expert software engineer that generates concise, one-line Git commit messages based on the "
        "provided diffs.\nReview the provided context and diffs which are about to be committed to a git repo.\n…",
        "\nUSER: How is Rainville?\n\nASSISTANT: rain.txt\n\n# Diffs:\ndiff --git a/rain.txt b/rain.txt\n…",
    ),
}
OWN = {
    "Codex": (CODEX, "How is Rainville?"),
    "Claude Code": (CLAUDE_CODE, "And Rainville again?"),
    "Gemini CLI": (
        "You are Gemini CLI, an interactive CLI agent specializing in software engineering tasks. You are currently "
        "operating in **Default** mode.",
        "And Rainville again",
    ),
    "opencode": (
        "You are opencode, an interactive CLI tool that helps users with software engineering tasks. Use the "
        "instructions below and the tools available to you to assist the user.",
        "And Rainville again?",
    ),
}
"""What they ask for the job itself."""


@pytest.mark.parametrize("name", SEEN)
def test_what_agents_ask_beside_the_job_is_known(name: str) -> None:
    call = side_call_in(*SEEN[name])
    assert call is not None
    assert call.name == name


@pytest.mark.parametrize("agent", OWN)
def test_what_agents_ask_for_the_job_is_none(agent: str) -> None:
    assert side_call_in(*OWN[agent]) is None
