"""A plug-in that runs each test of a suite again and again, to find what fails now and then."""

from __future__ import annotations

import pytest

TIMES = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.fixturenames.append("time")
    metafunc.parametrize("time", range(TIMES))
