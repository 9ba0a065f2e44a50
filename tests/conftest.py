"""What tests of several folders need."""

from __future__ import annotations

import sys

import pytest

from tests.environments import Say


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Says what takes a while, past the capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(message: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{message}", file=sys.stderr, flush=True)

    return say
