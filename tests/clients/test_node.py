"""npm `openai`, `@anthropic-ai/sdk`, `ai` with its providers and its UI stream, `@ag-ui/client`, `@google/genai` and
`ollama`: each asked in every way that it has, for every reply."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.node_sdk import Outcomes, make_calls
from tests.clients.node_ways import BAD, SOURCE, WAYS, Way
from tests.clients.replies import REFUSED, SAID, THOUGHT, TIME, TOO_MANY, UNAVAILABLE, WEATHER

pytestmark = pytest.mark.clients(group="node")


OutcomesOf = Callable[[Way], Outcomes]


@pytest.fixture(scope="module")
def outcomes_of(node_clients: None) -> OutcomesOf:
    """How all calls of a way's SDK ended, each on a mock of its own. They are made only once, however that goes."""
    runs: dict[str, Future[Outcomes]] = {}

    def run(way: Way) -> Outcomes:
        if way.sdk not in runs:
            runs[way.sdk] = Future()
            try:
                runs[way.sdk].set_result(ask(way.sdk))
            except BaseException as error:
                runs[way.sdk].set_exception(error)
        return runs[way.sdk].result()

    return run


def ask(sdk: str) -> Outcomes:
    ways = [way for way in WAYS if way.sdk == sdk]
    mocks = [mock for way in ways for mock in way.mocks()]
    with running_mockd(*mocks) as mockd, running_mockd(settings=Settings(preset="llm")) as preset:
        return make_calls(sdk, [call for way in ways for call in way.calls(mockd.url, preset.url)])


def ways_for(reply: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", [way for way in WAYS if reply in way.given], ids=str)


def without_ids(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": call["name"], "arguments": call["arguments"]} for call in calls]


@ways_for("text")
def test_text(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("text"))
    assert reply["text"] == SAID
    assert reply["reasoning"] == ""
    assert reply["calls"] == []
    assert way.finish is None or reply["finish"] == way.finish["stop"]


@ways_for("tool")
def test_tool(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("tool"))
    assert without_ids(reply["calls"]) == [WEATHER]
    assert reply["text"] == ""
    assert way.finish is None or reply["finish"] == way.finish["tool_calls"]


@ways_for("tools")
def test_parallel_tools(way: Way, outcomes_of: OutcomesOf) -> None:
    calls = outcomes_of(way).reply(way.named("tools"))["calls"]
    assert without_ids(calls) == [WEATHER, TIME]
    ids = [call["id"] for call in calls if call["id"] is not None]
    assert len(set(ids)) == len(ids)


@ways_for("text_and_tool")
def test_text_and_tool(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("text_and_tool"))
    assert reply["text"] == SAID
    assert without_ids(reply["calls"]) == [WEATHER]


@ways_for("agent")
def test_tool_result_is_answered(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("agent"))
    assert (reply["text"], reply["steps"]) == (SAID, 2)


@ways_for("reasoning")
def test_reasoning(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("reasoning"))
    assert (reply["reasoning"], reply["text"]) == (THOUGHT, SAID)


@ways_for("refusal")
def test_refusal(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("refusal"))
    assert (reply["refusal"], reply["text"]) == (REFUSED, "")


@ways_for("usage")
def test_usage(way: Way, outcomes_of: OutcomesOf) -> None:
    assert outcomes_of(way).reply(way.named("usage"))["usage"] == {"input": 11, "output": 22}


@ways_for("length")
def test_finish_reason(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("length"))
    assert reply["text"] == SAID
    assert way.finish is None or reply["finish"] == way.finish["length"]


@pytest.mark.parametrize(
    ("reply", "status", "message"), [("too_many", 429, TOO_MANY), ("unavailable", 503, UNAVAILABLE)]
)
@ways_for("text")
def test_http_error_then_the_reply(way: Way, reply: str, status: int, message: str, outcomes_of: OutcomesOf) -> None:
    call = way.named(reply)
    assert outcomes_of(way).reply(call)["text"] == SAID
    assert outcomes_of(way).statuses[call] == [status, 200]
    if not way.retries:
        assert message in outcomes_of(way).error(call)["message"]


@ways_for("bad")
def test_http_error(way: Way, outcomes_of: OutcomesOf) -> None:
    call = way.named("bad")
    error = outcomes_of(way).error(call)
    assert BAD in error["message"]
    assert error["status"] in (400, None)
    assert set(outcomes_of(way).statuses[call]) == {400}


@ways_for("citations")
def test_citations(way: Way, outcomes_of: OutcomesOf) -> None:
    reply = outcomes_of(way).reply(way.named("citations"))
    (source,) = reply["sources"]
    assert reply["text"] == SAID
    assert source["title"] == SOURCE["title"]
    assert source.get("url", SOURCE["url"]) == SOURCE["url"]


@ways_for("object")
def test_structured_output(way: Way, outcomes_of: OutcomesOf) -> None:
    """The SDK itself validates it."""
    assert outcomes_of(way).reply(way.named("object")).keys() == {"city", "weather", "days"}


@ways_for("breaks")
def test_error_in_the_stream(way: Way, outcomes_of: OutcomesOf) -> None:
    call = way.named("breaks")
    if way.broken is None:
        message = outcomes_of(way).error(call)["message"]
        assert any(raised in message for raised in way.raised), message
    else:
        reply = outcomes_of(way).reply(call)
        assert (reply["text"], reply["finish"]) == ("Hello!", way.broken)


@pytest.mark.parametrize("place", ["prefix", "real"])
@ways_for("text")
def test_preset_says_the_question(way: Way, place: str, outcomes_of: OutcomesOf) -> None:
    assert outcomes_of(way).reply(way.named(place))["text"] == "Say hello, please"


@pytest.mark.parametrize("way", {way.sdk: way for way in WAYS}.values(), ids=lambda way: way.sdk)
def test_warns_of_nothing(way: Way, outcomes_of: OutcomesOf) -> None:
    assert outcomes_of(way).warnings == []
