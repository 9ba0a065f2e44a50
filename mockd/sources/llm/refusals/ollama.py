"""What Ollama refuses."""

from __future__ import annotations

from mockd.sources.llm.refusals.predicates import (
    text,
)
from mockd.sources.llm.refusals.rule import Rule, Rules
from mockd.sources.llm.wires.access import Words

OLLAMA: Rules = (
    Rule(
        "options",
        text("options", "num_predict"),
        Words('option "num_predict" must be of type integer'),
        "https://github.com/ollama/ollama/blob/main/api/types.go",
    ),
)
