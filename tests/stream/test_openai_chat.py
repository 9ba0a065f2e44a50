"""`openai-chat`: the order of its chunks, their times, and which requests get which form."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mockd.errors import ConfigError
from tests.stream.harness import Exchange, Lab

pytestmark = pytest.mark.anyio

TOKENS = ["Hello", " World"]
CHUNK_KEYS = ["id", "object", "created", "model", "service_tier", "system_fingerprint", "choices"]


async def ask(lab: Lab, body: Any = None, *, params: dict[str, Any] | None = None, **sse: Any) -> Exchange:
    lab.mock("sse", template="openai-chat", templateParams=params or {}, **sse)
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = await lab.open(method="POST", body=raw)
    await lab.clock.advance(3600)
    return answer


def chunks(answer: Exchange) -> list[dict[str, Any]]:
    return [json.loads(data) for _, data in answer.events if data != "[DONE]"]


async def test_order_of_the_chunks(lab: Lab) -> None:
    answer = await ask(lab, {"stream": True}, params={"tokens": TOKENS, "model": "gpt-4"})
    assert answer.text.endswith("data: [DONE]\n\n")
    found = chunks(answer)
    assert [chunk["choices"] for chunk in found] == [
        [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        for delta, finish in [
            ({"role": "assistant", "content": "", "refusal": None}, None),
            ({"content": "Hello"}, None),
            ({"content": " World"}, None),
            ({}, "stop"),
        ]
    ]
    assert all(list(chunk) == CHUNK_KEYS for chunk in found)
    assert {(chunk["object"], chunk["model"], chunk["created"]) for chunk in found} == {
        ("chat.completion.chunk", "gpt-4", 1705312800)
    }
    assert len({chunk["id"] for chunk in found}) == 1


async def test_framing_is_the_templates_own(lab: Lab) -> None:
    answer = await ask(lab)
    assert all(re.fullmatch(r"data: .*", block) for _, block in answer.blocks)
    assert len(answer.blocks) == 1 + 9 + 1 + 1


async def test_every_stream_has_an_id_of_its_own(lab: Lab) -> None:
    first = await ask(lab)
    second = await lab.open(method="POST")
    assert chunks(first)[0]["id"] != chunks(second)[0]["id"]
    assert re.fullmatch("chatcmpl-[A-Za-z0-9]{29}", chunks(first)[0]["id"])


@pytest.mark.parametrize(
    ("options", "usage"),
    [({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True), (None, False), ("x", False)],
)
async def test_usage_only_where_it_is_asked_for(lab: Lab, options: Any, usage: bool) -> None:
    body = {"stream": True, "stream_options": options, "messages": [{"role": "user", "content": "one two three"}]}
    found = chunks(await ask(lab, body, params={"tokens": TOKENS}))
    if not usage:
        assert all("usage" not in chunk for chunk in found)
        return
    assert [chunk["usage"] for chunk in found[:-1]] == [None] * 4
    assert found[-1]["choices"] == []
    assert found[-1]["usage"]["prompt_tokens"] == 3
    assert found[-1]["usage"]["completion_tokens"] == 2
    assert found[-1]["usage"]["total_tokens"] == 5


async def test_obfuscation_only_where_it_is_asked_for(lab: Lab) -> None:
    answer = await ask(lab, {"stream": True, "stream_options": {"include_obfuscation": True}})
    assert all(re.fullmatch("[A-Za-z0-9]{1,16}", chunk["obfuscation"]) for chunk in chunks(answer))
    again = await lab.open(method="POST", body=b'{"stream": true}')
    assert all("obfuscation" not in chunk for chunk in chunks(again))


@pytest.mark.parametrize(
    ("body", "streams"),
    [
        (None, True),
        (b"not JSON", True),
        (b"{", True),
        (b"\xff\xfe", True),
        ({"stream": True}, True),
        ({"stream": False}, False),
        ({}, False),
        ({"model": "x", "messages": []}, False),
        ({"messages": "not a list"}, False),
        ({"messages": [1, None, {"content": None}, {"content": [{"text": 1}, "x", None]}]}, False),
        ({"stream": True, "messages": {"a": 1}, "model": 7, "stream_options": [1]}, True),
    ],
    ids=str,
)
async def test_who_gets_a_stream_and_who_one_completion(lab: Lab, body: Any, streams: bool) -> None:
    answer = await ask(lab, body)
    assert answer.status == 200
    assert answer.headers["content-type"] == ("text/event-stream; charset=utf-8" if streams else "application/json")
    assert (answer.text[-14:] == "data: [DONE]\n\n") == streams


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*"])
async def test_accept_decides_nothing(lab: Lab, accept: str) -> None:
    lab.mock("sse", template="openai-chat")
    streamed = await lab.open(method="POST", headers={"Accept": accept}, body=b'{"stream": true}')
    whole = await lab.open(method="POST", headers={"Accept": accept}, body=b"{}")
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert whole.json["object"] == "chat.completion"


async def test_one_completion(lab: Lab) -> None:
    body = {"model": "mine", "messages": [{"role": "user", "content": [{"type": "text", "text": "a b"}]}]}
    answer = await ask(lab, body, params={"tokens": TOKENS, "finishReason": "length"})
    value = answer.json
    assert value["object"] == "chat.completion"
    assert value["model"] == "mine"
    assert value["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello World", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "length",
        }
    ]
    assert value["usage"]["prompt_tokens"] == 2
    assert value["usage"]["total_tokens"] == 4
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize(
    ("params", "body", "model"),
    [
        ({"model": "set"}, {"stream": True, "model": "asked"}, "set"),
        ({}, {"stream": True, "model": "asked"}, "asked"),
        ({}, {"stream": True}, "gpt-4-mock"),
        ({}, {"stream": True, "model": 7}, "gpt-4-mock"),
        ({}, {"stream": True, "model": 'é\u2028"\\\n'}, 'é\u2028"\\\n'),
        ({}, None, "gpt-4-mock"),
    ],
)
async def test_model(lab: Lab, params: dict[str, Any], body: Any, model: str) -> None:
    answer = await ask(lab, body, params=params)
    assert {chunk["model"] for chunk in chunks(answer)} == {model}
    assert "\u2028" not in answer.text


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_is_no_text_breaks_nothing(lab: Lab, stream: bool) -> None:
    answer = await ask(lab, b'{"stream": %s, "model": "\\ud800"}' % (b"true" if stream else b"false"))
    assert answer.status == 200


async def test_parameters(lab: Lab) -> None:
    params = {"tokens": ["$uuid", "\u2028", ""], "finishReason": "length", "includeDone": False}
    answer = await ask(lab, params=params)
    found = chunks(answer)
    assert [chunk["choices"][0]["delta"].get("content") for chunk in found] == ["", "$uuid", "\u2028", "", None]
    assert found[-1]["choices"][0]["finish_reason"] == "length"
    assert "[DONE]" not in answer.text
    assert "\u2028" not in answer.text


async def test_no_tokens_is_an_empty_reply(lab: Lab) -> None:
    found = chunks(await ask(lab, params={"tokens": []}))
    assert [chunk["choices"][0]["delta"] for chunk in found] == [
        {"role": "assistant", "content": "", "refusal": None}, {},
    ]  # fmt: skip


# -- timing ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "timing", "moments"),
    [
        ({}, {}, [0, 0, 0, 0, 0]),
        ({"delayPerToken": 50}, {}, [0, 50, 100, 100, 100]),
        ({"delayPerToken": 50}, {"fixedDelay": 500}, [0, 50, 100, 100, 100]),
        ({"delayPerToken": 0}, {"fixedDelay": 500}, [0, 0, 0, 0, 0]),
        ({}, {"fixedDelay": 500}, [0, 500, 1000, 1000, 1000]),
        ({"delayPerToken": 50}, {"initialDelay": 300}, [300, 350, 400, 400, 400]),
        ({}, {"randomDelay": {"min": 7, "max": 7}}, [0, 7, 14, 14, 14]),
    ],
    ids=str,
)
async def test_delays_are_before_content_and_nothing_else(
    lab: Lab, params: dict[str, Any], timing: dict[str, Any], moments: list[int]
) -> None:
    answer = await ask(lab, {"stream": True}, params={"tokens": TOKENS, **params}, timing=timing)
    assert answer.times == moments


async def test_usage_has_no_delay_of_its_own(lab: Lab) -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}}
    answer = await ask(lab, body, params={"tokens": TOKENS, "delayPerToken": 50})
    assert answer.times == [0, 50, 100, 100, 100, 100]


async def test_it_ends_promptly(lab: Lab) -> None:
    answer = await ask(lab, {"stream": True}, params={"tokens": TOKENS, "delayPerToken": 50})
    assert answer.ended_at == 100


async def test_what_was_asked_for_is_added(lab: Lab) -> None:
    answer = await ask(lab, params={"tokens": TOKENS}, retry=5, resume={"enabled": True})
    ids = re.findall("^id: (.*)$", answer.text, re.MULTILINE)
    assert len(ids) == len(set(ids)) == 5
    assert answer.text.count("retry: 5") == 1


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "path", "hint"),
    [
        ({"token": ["x"]}, "$.sse.templateParams.token", "did you mean `tokens`?"),
        ({"delay": 5}, "$.sse.templateParams.delay", "known: text, tokens, reasoning"),
        ({"tokens": [1]}, "$.sse.templateParams.tokens[0]", ""),
        ({"tokens": "Hello"}, "$.sse.templateParams.tokens", ""),
        ({"delayPerToken": -1}, "$.sse.templateParams.delayPerToken", ""),
        ({"finishReason": "bored"}, "$.sse.templateParams.finishReason", ""),
        ({"includeDone": "yes"}, "$.sse.templateParams.includeDone", ""),
    ],
    ids=str,
)
async def test_wrong_parameters_are_refused_with_their_place(params: dict[str, Any], path: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Lab().mock("sse", template="openai-chat", templateParams=params)
    assert path in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize("name", ["openai", "open-ai-chat", ""])
async def test_an_unknown_template_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Lab().mock("sse", template=name)
    assert "known: ag-ui, anthropic-count-tokens, anthropic-messages" in str(caught.value)


@pytest.mark.parametrize("more", [{"repeat": 2}, {"events": [{"data": "x"}]}, {"generator": {"type": "sequence"}}])
async def test_what_does_not_go_with_a_template(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Lab().mock("sse", template="openai-chat", **more)
