from __future__ import annotations

import pytest

from tests.stream.harness import Lab


@pytest.fixture(params=["messages", "memory"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """An engine whose streams have nothing but ASGI's messages, and one whose streams have a line in memory."""
    return Lab(in_memory=request.param == "memory")
