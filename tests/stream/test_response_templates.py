"""`response.template` has the status and delay of its `response`; a template's errors keep their own status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockd.sources.llm import ENDPOINTS, WIRES, wire_of
from tests.stream.harness import Lab

pytestmark = pytest.mark.anyio

REPLY = "tests.stream.response_templates:WITH_STATUS"
STATUS = pytest.mark.parametrize("status", [{"status": 201}, {"statusCode": 201}, {"status": 503}], ids=str)


@STATUS
@pytest.mark.parametrize("template", ENDPOINTS)
async def test_a_status_that_is_given_is_that_of_success(lab: Lab, template: str, status: dict[str, int]) -> None:
    answer = await lab.stream("response", template=template, **status)
    assert [answer.status] == [*status.values()]
    assert answer.json


@pytest.mark.parametrize("template", ENDPOINTS)
async def test_without_one_it_is_the_template_s(lab: Lab, template: str) -> None:
    assert (await lab.stream("response", template=template)).status == 200


@STATUS
@pytest.mark.parametrize("error", [{"error": {"status": 429}}, {"strict": True}], ids=str)
@pytest.mark.parametrize("template", ENDPOINTS)
async def test_errors_keep_theirs(lab: Lab, template: str, error: dict[str, Any], status: dict[str, int]) -> None:
    lab.mock("response", template=template, templateParams=error, **status)
    assert (await lab.open(body=b"[]")).status == (429 if "error" in error else 400)


@pytest.mark.parametrize(
    ("own", "given", "sent"), [(202, None, 202), (202, 201, 201), (399, 201, 201), (400, 201, 400)]
)
@pytest.mark.parametrize("is_stream", [False, True])
async def test_the_same_of_templates_that_decide_a_status(
    lab: Lab, own: int, given: int | None, sent: int, is_stream: bool
) -> None:
    params = {"status": own, "isStream": is_stream}
    config = {} if given is None else {"status": given}
    assert (await lab.run("response", template=REPLY, templateParams=params, **config)).status == sent


@pytest.mark.parametrize("extra", [{}, {"error": {"status": 429}}, {"strict": True}], ids=str)
@pytest.mark.parametrize("template", ENDPOINTS)
async def test_the_delay_is_before_every_head(lab: Lab, template: str, extra: dict[str, Any]) -> None:
    lab.mock("response", template=template, templateParams=extra, delay=70)
    answer = await lab.open(body=b"[]")
    await lab.clock.advance(1)
    assert answer.messages[0][0] == answer.ended_at == 70


@pytest.mark.parametrize("is_stream", [False, True])
async def test_it_adds_to_that_of_an_answer(lab: Lab, is_stream: bool) -> None:
    params = {"delayMs": 30, "isStream": is_stream}
    answer = await lab.run("response", template=REPLY, templateParams=params, delay=70)
    assert answer.messages[0][0] == 100


async def test_one_that_is_drawn_is_drawn_anew(lab: Lab) -> None:
    lab.mock("response", template="openai-embeddings", delay={"dist": "uniform", "min": 50, "max": 100})
    moments = []
    for _ in range(5):
        begun = lab.clock.elapsed_ms
        answer = await lab.open()
        await lab.clock.advance(1)
        moments.append(answer.messages[0][0] - begun)
    assert len(set(moments)) > 1
    assert all(50 <= moment <= 101 for moment in moments)


@pytest.mark.parametrize("body", [{"body": {"a": 1}}, {"body": "text"}, {}], ids=str)
async def test_a_body_of_the_mock_has_them_as_well(lab: Lab, body: dict[str, Any]) -> None:
    answer = await lab.run("response", **body, status=503, delay=70)
    assert (answer.status, answer.messages[0][0]) == (503, 70)


@pytest.mark.parametrize("name", [name for name in WIRES if name not in ("vercel-ui", "ag-ui", "gemini")])
async def test_the_status_of_a_stream_is_that_of_the_reply_in_one_piece(lab: Lab, name: str) -> None:
    lab.mock(wire_of(name).part, template=name, templateParams={"strict": True}, status=203)
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "input": "hi",
        "prompt": "hi",
        "message": "hi",
        "max_tokens": 9,
        "anthropic_version": "vertex-2023-10-16",
    }
    assert [
        (await lab.open(body=json.dumps(asked).encode())).status
        for asked in ({**body, "stream": True}, {**body, "stream": False}, {})
    ] == [203, 203, 422 if name.startswith("mistral") else 400]


async def test_who_has_seen_everything_is_told_so_whatever_the_status(lab: Lab) -> None:
    lab.mock(events=[{"data": "1"}], status=203, resume={"enabled": True})
    assert (await lab.open()).status == 203
    assert (await lab.open(headers={"Last-Event-ID": "1"})).status == 204
