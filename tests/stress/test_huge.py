"""What `tests/stress/huge.py` does with huge recordings, done with small ones."""

from __future__ import annotations

import pytest

from tests.stress import huge


@pytest.mark.parametrize("name", huge.KINDS)
def test_an_exchange_is_recorded_and_replayed_as_it_was(name: str) -> None:
    huge.check(name, huge.KINDS[name].small)
