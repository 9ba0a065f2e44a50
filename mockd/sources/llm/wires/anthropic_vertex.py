"""`anthropic-vertex`: Anthropic's Messages as Vertex AI serves them, with the model in the path:
https://docs.anthropic.com/en/api/claude-on-vertex-ai.
"""

from __future__ import annotations

import re

from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.anthropic import Anthropic

_MODEL = re.compile(r"/models/([^/:]+):")


class AnthropicVertex(Anthropic):
    """Anthropic's Messages on Vertex AI."""

    name = "anthropic-vertex"
    summary = "Anthropic Messages as Vertex AI serves them."
    required = ("anthropic_version", "messages", "max_tokens")

    def model(self, ask: Ask) -> str | None:
        """The model in the path. The body has none."""
        found = _MODEL.search(ask.request.path)
        return found[1] if found else super().model(ask)
