"""npm `openai`, `@anthropic-ai/sdk`, `ai` with its providers and its UI stream, `@ag-ui/client`, `@google/genai` and
`ollama`: each asked in every way that it has, for each of the replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mockd.testing import running_mockd
from tests.clients import node_packages
from tests.clients.node_sdk import Outcomes, make_calls
from tests.clients.replies import (
    ARGUMENTS,
    BROKEN,
    REFUSED,
    REPLIES,
    SAID,
    THOUGHT,
    TIME,
    TOO_MANY,
    UNAVAILABLE,
    Replies,
    mocks,
)

pytestmark = pytest.mark.clients(group="node")


@dataclass(frozen=True)
class Way:
    """One way to ask a model: a function of `node/<sdk>.mjs`, and the mocks it meets."""

    sdk: str
    call: str
    template: str
    path: str
    finish: Mapping[str, str]
    lacks: frozenset[str] = frozenset()
    """Replies that its wire, or the SDK, has nothing for."""
    part: str = "sse"

    def __str__(self) -> str:
        return f"{self.sdk}-{self.call}"

    @property
    def is_streamed(self) -> bool:
        return not self.call.endswith("Whole")
