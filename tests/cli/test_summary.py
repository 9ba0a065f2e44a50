"""A mock in one line."""

from __future__ import annotations

from typing import Any

import pytest

from mockd.cli.summary import summary


@pytest.mark.parametrize(
    ("delay", "said"),
    [
        (500, "1 event, every 500 ms"),
        (0.5, "1 event, every 0.5 ms"),
        (0, "1 event"),
        ("${DELAY:-5}", "1 event, every ${DELAY:-5} ms"),
        ({"dist": "normal", "mean": 40, "stddev": 10}, "1 event, every 40±10 ms"),
        ({"dist": "lognormal", "mean": "${MEAN}", "stddev": 10}, "1 event, every ${MEAN}±10 ms"),
        ({"dist": "uniform", "max": 30}, "1 event, every 0 to 30 ms"),
        ({"dist": "uniform", "min": 10, "max": 30}, "1 event, every 10 to 30 ms"),
    ],
    ids=str,
)
def test_the_delay_between_events(delay: Any, said: str) -> None:
    assert summary({"sse": {"events": [{"data": "x"}], "timing": {"fixedDelay": delay}}}) == f"SSE: {said}"


def test_a_mock_that_relays() -> None:
    assert summary({"proxy": {"target": "https://a.test"}}) == "relayed to https://a.test"
    assert summary({"proxy": {"target": "https://a.test", "record": True}}) == "relayed to https://a.test, recorded"
