from __future__ import annotations

import pytest

from tests.stream.harness import Lab


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def lab() -> Lab:
    return Lab()
