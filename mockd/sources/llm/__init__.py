"""Templates of language models' replies: one description of a reply, and every provider's wire for it."""

from __future__ import annotations

from mockd.sources.llm.anthropic import Anthropic
from mockd.sources.llm.openai_chat import OpenAIChat
from mockd.sources.llm.source import kind_of

WIRES = (OpenAIChat, Anthropic)
KINDS = tuple(map(kind_of, WIRES))
