"""`mistral-fim`: Mistral's Fill in the Middle, streamed or in one piece. It answers as a chat does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockd.sources.llm.requests.ask import Ask, Turn
from mockd.sources.llm.wires.mistral_chat import MistralChat


class MistralFim(MistralChat):
    """Mistral's Fill in the Middle."""

    name = "mistral-fim"
    summary = "Mistral's Fill in the Middle, streamed and in one piece."
    default_model = "codestral-latest"
    expresses = frozenset()
    finish = {word: word for word in ("stop", "length")}
    required = ("model", "prompt")

    def turns(self, ask: Ask) -> Iterator[Turn]:
        """The prompt as the user's message; the text behind it counts too."""
        if suffix := ask.text("suffix"):
            yield Turn("system", suffix)
        yield Turn("user", ask.text("prompt") or "")

    def json_schema(self, ask: Ask) -> Any:
        """None, as these requests have no format of a response."""
        return None
