"""Delays as they are written: what is refused, in which words and where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from mockd.config.load import load_paths, parse_mock
from mockd.config.models import Timing
from mockd.config.schema import json_schema
from mockd.errors import ConfigError

NORMAL = {"dist": "normal", "mean": 40, "stddev": 10}
UNIFORM = {"dist": "uniform", "min": 10, "max": 30}


def mock(**sse: Any) -> dict[str, Any]:
    return {"matcher": {"path": "/a"}, "sse": {"events": [{"data": 1}], **sse}}


def problem_of(document: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_mock(document, root=None)
    return str(caught.value)


@pytest.mark.parametrize(
    ("delay", "problem"),
    [
        ({"dist": "normal"}, ": `normal` needs `mean` and `stddev`"),
        ({"dist": "normal", "mean": 5}, ": `normal` needs `mean` and `stddev`"),
        ({"dist": "lognormal", "stddev": 5}, ": `lognormal` needs `mean` and `stddev`"),
        ({"dist": "lognormal", "mean": 0, "stddev": 5}, ".mean: `mean` of a `lognormal` must be above 0"),
        ({"dist": "uniform"}, ": `uniform` needs `max`"),
        ({"dist": "uniform", "min": 5}, ": `uniform` needs `max`"),
        ({**UNIFORM, "mean": 5}, ".mean: `mean` does not go with `uniform`: give `min` and `max`"),
        ({**UNIFORM, "stddev": 5}, ".stddev: `stddev` does not go with `uniform`: give `min` and `max`"),
        ({**UNIFORM, "min": 31}, ".max: `max` must not be less than `min`"),
        ({**NORMAL, "max": 39}, ".mean: `mean` must lie between `min` and `max`"),
        ({**NORMAL, "min": 41}, ".mean: `mean` must lie between `min` and `max`"),
        ({**NORMAL, "stddev": -1}, ".stddev: expected a number >= 0"),
        ({**NORMAL, "max": 1e12}, ".max: expected a number <= 31622400000"),
        (
            {**NORMAL, "mean": "5"},
            ".mean: '5' is neither a number nor a duration such as `500ms` (write it without quotes)",
        ),
        (
            {**NORMAL, "dist": "gaussian"},
            ".dist: 'gaussian' is not one of `lognormal`, `normal`, `uniform`",
        ),
        ({"mean": 5, "stddev": 1}, ": missing `dist`"),
        ({**NORMAL, "sigma": 1}, ".sigma: unknown key `sigma` (did you mean `stddev`?)"),
        ({**NORMAL, "maxx": 1}, ".maxx: unknown key `maxx` (did you mean `max`?)"),
        (-1, ": expected a number >= 0"),
        ("fast", ": 'fast' is neither a number nor a duration such as `500ms`"),
        (
            "5",
            ": '5' is neither a number nor a duration such as `500ms` (write it without quotes)",
        ),
    ],
    ids=str,
)
def test_wrong_delays_are_explained_at_their_place(delay: Any, problem: str) -> None:
    assert problem_of(mock(timing={"itl": delay})) == f"$.sse.timing.itl{problem}"


WRONG = {**NORMAL, "max": 5}
COMPLAINT = ".mean: `mean` must lie between `min` and `max`"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (mock(timing={"initialDelay": WRONG}), "$.sse.timing.initialDelay"),
        (mock(timing={"ttft": WRONG}), "$.sse.timing.ttft"),
        (mock(timing={"fixedDelay": WRONG}), "$.sse.timing.fixedDelay"),
        (mock(timing={"perEventDelays": [1, WRONG]}), "$.sse.timing.perEventDelays[1]"),
        (mock(timing={"burst": {"count": 1, "pause": WRONG}}), "$.sse.timing.burst.pause"),
        (mock(events=[{"data": 1, "delay": WRONG}]), "$.sse.events[0].delay"),
        (mock(lifecycle={"termination": {"closeDelay": WRONG}}), "$.sse.lifecycle.termination.closeDelay"),
        ({"matcher": {"path": "/a"}, "chunked": {"data": "", "chunkDelay": WRONG}}, "$.chunked.chunkDelay"),
        ({"matcher": {"path": "/a"}, "chunked": {"data": "", "timing": {"itl": WRONG}}}, "$.chunked.timing.itl"),
        ({"matcher": {"path": "/a"}, "response": {"delay": WRONG}}, "$.response.delay"),
    ],
    ids=str,
)
def test_every_delay_may_be_a_distribution(document: Any, path: str) -> None:
    assert problem_of(document) == path + COMPLAINT
    right = msgspec.json.decode(msgspec.json.encode(document).replace(b',"max":5', b',"max":50'))
    assert parse_mock(right, root=None).mock
    Draft202012Validator(json_schema()).validate(right)


@pytest.mark.parametrize(
    ("timing", "problem"),
    [
        ({"tokensPerSecond": 0}, "tokensPerSecond: expected a number > 0"),
        ({"tokensPerSecond": -5}, "tokensPerSecond: expected a number > 0"),
        ({"tokensPerSecond": NORMAL}, "tokensPerSecond: expected a number, got an object"),
        ({"ttft": -1}, "ttft: expected a number >= 0"),
        ({"tps": 5}, "tps: unknown key `tps` (did you mean `tokensPerSecond`?)"),
        ({"timeToFirstToken": 5}, "timeToFirstToken: unknown key `timeToFirstToken` (did you mean `ttft`?)"),
    ],
    ids=str,
)
def test_wrong_timing_is_explained(timing: dict[str, Any], problem: str) -> None:
    assert problem_of(mock(timing=timing)) == f"$.sse.timing.{problem}"


@pytest.mark.parametrize("delay", [NORMAL, UNIFORM, 40, {**NORMAL, "min": 40, "max": 40}], ids=str)
def test_a_delay_is_written_as_it_was_read(delay: Any) -> None:
    read = msgspec.convert({"itl": delay}, Timing)
    assert msgspec.convert(msgspec.to_builtins(read), Timing) == read


def test_environment_values_are_read_as_the_numbers_of_a_distribution(tmp_path: Any) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text(
        "matcher: {path: /a}\n"
        "sse: {events: [{data: 1}], timing: {ttft: '${TTFT}', itl: {dist: normal, mean: '${ITL}', stddev: 5}}}\n"
    )
    (spec,) = load_paths([str(file)], {"TTFT": "200", "ITL": "40"})
    assert spec.mock.sse is not None
    timing = spec.mock.sse.timing
    assert timing == msgspec.convert({"ttft": 200, "itl": {"dist": "normal", "mean": 40, "stddev": 5}}, Timing)
