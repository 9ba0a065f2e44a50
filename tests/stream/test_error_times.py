"""`error.times` is counted for each mock and each place in its parameters, whatever its requests say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.sources.llm import ENDPOINTS, WIRES, wire_of
from tests.stream.harness import PATH, Lab

pytestmark = pytest.mark.anyio

ERROR = {"status": 429, "times": 2}
TEXT = "You said {{ request.body.say }} to {{ request.headers['x-who'][0] | default('me') }}"


def mock(lab: Lab, template: str, **params: Any) -> None:
    part = "response" if template in ENDPOINTS else wire_of(template).part
    lab.mock(part, template=template, templateParams=params)


async def statuses(lab: Lab, *said: str) -> list[int]:
    """The statuses of requests that say this, one after another."""
    found = []
    for number, text in enumerate(said):
        body = {"say": text, "stream": bool(number % 2), "messages": [{"role": "user", "content": text}], "input": text}
        found.append((await lab.open(body=json.dumps(body).encode())).status)
    return found


@pytest.mark.parametrize("template", WIRES)
async def test_every_template_of_a_reply(lab: Lab, template: str) -> None:
    mock(lab, template, text="Hi", error=ERROR)
    assert await statuses(lab, "a", "a", "a", "a") == [429, 429, 200, 200]


@pytest.mark.parametrize("template", ENDPOINTS)
async def test_every_endpoint(lab: Lab, template: str) -> None:
    mock(lab, template, error=ERROR)
    assert await statuses(lab, "a", "b", "c", "d") == [429, 429, 200, 200]


@pytest.mark.parametrize("template", WIRES)
async def test_replies_that_follow_the_request_have_one_count(lab: Lab, template: str) -> None:
    mock(lab, template, text=TEXT, error=ERROR)
    assert await statuses(lab, "a", "b", "c", "a") == [429, 429, 200, 200]


async def test_nothing_is_forgotten_after_many_others(lab: Lab) -> None:
    mock(lab, "openai-chat", text=TEXT, error=ERROR)
    assert await statuses(lab, *map(str, range(200)), "0") == [429, 429] + [200] * 199


@pytest.mark.parametrize("text", ["Hi", TEXT])
async def test_each_place_has_a_count_of_its_own(lab: Lab, text: str) -> None:
    reply = {"text": text, "error": {"status": 503, "times": 1}}
    script = [{"when": {"contains": word}, "reply": reply} for word in ("one", "two")]
    mock(lab, "openai-chat", text=text, script=script, error={"status": 429, "times": 1})
    said = ("one", "two", "three", "one", "two", "three")
    assert await statuses(lab, *said) == [503, 503, 429, 200, 200, 200]


@pytest.mark.parametrize("text", ["Hi", TEXT])
async def test_errors_in_the_stream_are_counted_alike(lab: Lab, text: str) -> None:
    mock(lab, "openai-chat", text=text, error={"message": "It broke.", "times": 1})
    bodies = [json.dumps({"say": word, "stream": True}).encode() for word in ("a", "b", "a")]
    assert ["It broke." in (await lab.open(body=body)).text for body in bodies] == [True, False, False]


async def test_requests_that_get_no_error_of_that_place_are_not_counted(lab: Lab) -> None:
    mock(lab, "openai-chat", strict=True, error=ERROR)
    refused = (await lab.open(body=b"{}")).status
    assert refused == 400
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    assert [(await lab.open(body=body)).status for _ in range(3)] == [429, 429, 200]


@pytest.mark.parametrize("text", ["Hi", TEXT])
async def test_a_changed_mock_begins_anew_and_another_has_its_own(lab: Lab, text: str) -> None:
    mock(lab, "openai-chat", text=text, error=ERROR)
    assert await statuses(lab, "a", "b", "c") == [429, 429, 200]
    params = {"text": text + "!", "error": ERROR}
    doc = {"matcher": {"path": PATH}, "sse": {"template": "openai-chat", "templateParams": params}}
    lab.engine.replace("mock", doc)
    assert await statuses(lab, "a", "b", "c") == [429, 429, 200]
    lab.engine.create({**doc, "id": "other", "priority": 1})
    assert await statuses(lab, "a", "b", "c") == [429, 429, 200]


async def test_a_mock_that_stays_the_same_goes_on_counting(lab: Lab) -> None:
    mock(lab, "openai-chat", text="Hi", error=ERROR)
    assert await statuses(lab, "a") == [429]
    spec = lab.engine.get("mock")
    lab.engine.import_specs([spec], replace=True, dry_run=False)
    lab.engine.replace("mock", {**spec.doc, "name": "Renamed"})
    assert await statuses(lab, "a", "b") == [429, 200]


async def test_a_head_is_told_of_the_error_and_counts_for_nothing(lab: Lab) -> None:
    mock(lab, "openai-chat", text="Hi", error=ERROR)
    asked = [(await lab.open(method=method)).status for method in ("HEAD", "GET", "HEAD", "GET", "HEAD", "GET")]
    assert asked == [429, 429, 429, 429, 200, 200]
