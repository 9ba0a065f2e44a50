"""`ollama-chat` and `ollama-generate`: their lines, their whole answers and their errors, key by key."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import httpx2
import pytest

from mockd.errors import ConfigError, format_path
from mockd.testing import running_mockd
from tests.unit.llm.asking import ask

chat = partial(ask, "ollama-chat", part="chunked")
generate = partial(ask, "ollama-generate", part="chunked")

BODY = {"model": "llama3.2", "messages": [{"role": "user", "content": "Say hello to me"}]}
WHOLE = BODY | {"stream": False}
PROMPT = {"model": "llama3.2", "system": "Be kind.", "prompt": "Say hello"}
HELLO = ["Hello", "!"]
WEATHER = {"name": "get_weather", "arguments": {"city": "Paris", "days": [1, 2]}}
TIME = {"name": "get_time", "id": "call_time"}
CREATED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
CALL_ID = re.compile(r"call_[0-9a-f]{8}")
NDJSON = "application/x-ndjson"
JSON = "application/json; charset=utf-8"
DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


def lines(response: httpx2.Response) -> list[dict[str, Any]]:
    """The lines of a stream, without what every line has: that is checked here."""
    assert (response.status_code, response.headers["content-type"]) == (200, NDJSON)
    *texts, rest = response.text.split("\n")
    assert rest == ""
    found = list(map(json.loads, texts))
    common = {(line.pop("model"), line.pop("created_at")) for line in found}
    assert len(common) == 1
    [(model, created_at)] = common
    assert model == "llama3.2"
    assert CREATED_AT.fullmatch(created_at)
    return found


def said(content: str = "", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "done": False}


def counted(last: dict[str, Any], prompt: int, output: int) -> dict[str, Any]:
    """The last line without its tokens and their durations, which are checked here."""
    counts = {name: last[name] for name in ("prompt_eval_count", "eval_count")}
    assert counts == {"prompt_eval_count": prompt, "eval_count": output}
    times = {name: last[name] for name in DURATIONS}
    assert all(type(time) is int for time in times.values())
    assert times["total_duration"] == sum(times.values()) - times["total_duration"]
    return {name: value for name, value in last.items() if name not in counts and name not in times}


def ended(reason: str = "stop") -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}


# -- chat ----------------------------------------------------------------------------------------------------------


def test_chat_streams_unless_it_is_told_not_to() -> None:
    for body in (BODY, BODY | {"stream": True}, BODY | {"stream": None}):
        *tokens, last = lines(chat(body, tokens=HELLO))
        assert tokens == [said("Hello"), said("!")]
        assert counted(last, prompt=4, output=2) == ended()
        assert list(last) == [
            "message",
            "done",
            "done_reason",
            "total_duration",
            "load_duration",
            "prompt_eval_count",
            "prompt_eval_duration",
            "eval_count",
            "eval_duration",
        ]


def test_chat_in_one_piece() -> None:
    response = chat(WHOLE, tokens=HELLO, reasoning="A greeting.")
    assert (response.status_code, response.headers["content-type"]) == (200, JSON)
    body = response.json()
    assert body["model"] == "llama3.2"
    assert CREATED_AT.fullmatch(body["created_at"])
    assert body["message"] == {"role": "assistant", "content": "Hello!", "thinking": "A greeting."}
    assert (body["done"], body["done_reason"]) == (True, "stop")
    counted(body, prompt=4, output=4)


def test_thinking_comes_first() -> None:
    thoughts = lines(chat(BODY, tokens=HELLO, reasoning="A greeting."))[:2]
    assert thoughts == [said(thinking="A"), said(thinking=" greeting.")]


def test_tools_are_called_whole_and_end_with_stop() -> None:
    first, second, last = lines(chat(BODY, toolCalls=[WEATHER, TIME], argumentChunk=1))
    [call] = first["message"].pop("tool_calls")
    assert CALL_ID.fullmatch(call.pop("id"))
    assert call == {"function": {"index": 0, **WEATHER}}
    assert first == said()
    assert second == said(
        tool_calls=[{"id": "call_time", "function": {"index": 1, "name": "get_time", "arguments": {}}}]
    )
    assert last["done_reason"] == "stop"


def test_tools_in_one_piece() -> None:
    message = chat(WHOLE, toolCalls=[WEATHER, TIME]).json()["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["get_weather", "get_time"]
    assert message["tool_calls"][0]["function"]["arguments"] == WEATHER["arguments"]
    assert message["content"] == ""


def test_length() -> None:
    assert lines(chat(BODY, tokens=HELLO, finishReason="length"))[-1]["done_reason"] == "length"
    assert chat(WHOLE, tokens=HELLO, finishReason="length").json()["done_reason"] == "length"


def test_usage_that_is_given() -> None:
    counted(lines(chat(BODY, tokens=HELLO, usage={"inputTokens": 11, "outputTokens": 22}))[-1], 11, 22)


def test_logprobs_where_the_request_asks() -> None:
    first = lines(chat(BODY | {"logprobs": True}, tokens=HELLO))[0]
    assert first["logprobs"] == [{"token": "Hello", "logprob": -0.01, "bytes": list(b"Hello")}]
    whole = chat(WHOLE | {"logprobs": True, "top_logprobs": 2}, tokens=HELLO).json()
    assert [one["token"] for one in whole["logprobs"]] == HELLO
    assert whole["logprobs"][0]["top_logprobs"] == [{"token": "Hello", "logprob": -0.01, "bytes": list(b"Hello")}]
    assert "logprobs" not in lines(chat(BODY, tokens=HELLO))[0]


def test_line_breaks_of_unicode_stay_inside_their_line() -> None:
    text = "a\u2028b\u2029c\x85d"
    response = chat(BODY, tokens=[text])
    assert len(response.text.splitlines()) == 2
    assert lines(response)[0] == said(text)
    assert len(chat(WHOLE, tokens=[text]).text.splitlines()) == 1


def test_a_schema_is_followed() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    said_ = json.loads(chat(WHOLE | {"format": schema}).json()["message"]["content"])
    assert type(said_["age"]) is int
    assert isinstance(json.loads(chat(WHOLE | {"format": "json"}).json()["message"]["content"]), dict)
    assert chat(WHOLE | {"format": schema}, text="No.").json()["message"]["content"] == "No."


# -- generate ------------------------------------------------------------------------------------------------------


def test_generate() -> None:
    thought, *tokens, last = lines(generate(PROMPT, tokens=HELLO, reasoning="Hm."))
    assert thought == {"response": "", "thinking": "Hm.", "done": False}
    assert tokens == [{"response": "Hello", "done": False}, {"response": "!", "done": False}]
    context = last.pop("context")
    assert context
    assert all(type(number) is int for number in context)
    assert counted(last, prompt=4, output=3) == {"response": "", "done": True, "done_reason": "stop"}


def test_generate_in_one_piece() -> None:
    response = generate(PROMPT | {"stream": False}, tokens=HELLO, reasoning="Hm.")
    assert response.headers["content-type"] == JSON
    body = response.json()
    assert (body["response"], body["thinking"], body["done"]) == ("Hello!", "Hm.", True)
    assert body["context"]


def test_a_raw_prompt_has_no_context() -> None:
    assert "context" not in lines(generate(PROMPT | {"raw": True}, tokens=HELLO))[-1]


def test_generate_follows_the_prompt() -> None:
    assert lines(generate(PROMPT, echo=True))[0]["response"] == "Say"
    script = [{"when": {"contains": "hello"}, "reply": {"text": "Hello!"}}]
    assert lines(generate(PROMPT, script=script))[0]["response"] == "Hello!"


# -- errors --------------------------------------------------------------------------------------------------------


def test_http_error() -> None:
    for body in (BODY, WHOLE):
        response = chat(body, error={"status": 503, "message": "Busy.", "retryAfter": 1.2})
        assert (response.status_code, response.headers["content-type"]) == (503, JSON)
        assert response.headers["retry-after"] == "2"
        assert response.json() == {"error": "Busy."}


def test_error_in_the_stream() -> None:
    response = chat(BODY, tokens=HELLO, error={"message": "Out of memory.", "afterTokens": 1})
    assert response.status_code == 200
    first, second = map(json.loads, response.text.splitlines())
    assert first["message"]["content"] == "Hello"
    assert second == {"error": "Out of memory."}


def test_error_in_the_stream_of_one_piece_is_an_http_error() -> None:
    response = chat(WHOLE, error={"message": "Out of memory.", "afterTokens": 1})
    assert (response.status_code, response.json()) == (500, {"error": "Out of memory."})


@pytest.mark.parametrize("way", [chat, generate])
def test_strict(way: Any) -> None:
    strict = partial(way, strict=True, tokens=HELLO)
    for body, message in (
        (b"", "missing request body"),
        (b"{", "invalid character looking for beginning of value"),
        ({"messages": BODY["messages"], "prompt": "Hi"}, "model is required"),
    ):
        response = strict(body)
        assert (response.status_code, response.json()) == (400, {"error": message})
        assert response.headers["content-type"] == JSON
    assert len(lines(strict(BODY | PROMPT))) == 3


def test_a_strict_request_that_asks_nothing_loads_the_model() -> None:
    for body, reason in ((BODY | {"messages": []}, "load"), ({"model": "llama3.2", "keep_alive": 0}, "unload")):
        response = chat(body, strict=True, tokens=HELLO)
        assert response.headers["content-type"] == JSON
        answer = response.json()
        assert CREATED_AT.fullmatch(answer.pop("created_at"))
        assert answer == {"model": "llama3.2", **ended(reason)}
    answer = generate({"model": "llama3.2"}, strict=True).json()
    assert (answer["response"], answer["done_reason"]) == ("", "load")


def test_other_mocks_answer_whatever_comes() -> None:
    response = chat(b"not json", tokens=HELLO)
    assert [json.loads(line)["done"] for line in response.text.splitlines()] == [False, False, True]
    assert json.loads(response.text.splitlines()[0])["model"] == "llama-mock"
    assert len(lines(chat({"model": "llama3.2"}, tokens=HELLO))) == 3


# -- what cannot be said -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "params", "place"),
    [
        ("ollama-chat", {"refusal": "No."}, "refusal"),
        ("ollama-chat", {"citations": [{"url": "http://x"}]}, "citations"),
        ("ollama-chat", {"finishReason": "content_filter"}, "finishReason"),
        ("ollama-chat", {"error": {"type": "overloaded"}}, "error.type"),
        ("ollama-chat", {"script": [{"reply": {"refusal": "No."}}]}, "script[0].reply.refusal"),
        ("ollama-generate", {"toolCalls": [{"name": "f"}]}, "toolCalls"),
    ],
)
def test_what_the_wire_has_nothing_for(template: str, params: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask(template, BODY, part="chunked", **params)
    [problem] = caught.value.problems
    assert format_path(problem.path) == f"$.chunked.templateParams.{place}"
    assert "cannot express" in problem.message


@pytest.mark.parametrize(
    ("template", "part", "cure"), [("ollama-chat", "sse", "chunked"), ("openai-chat", "chunked", "sse")]
)
def test_a_template_of_another_part_is_refused(template: str, part: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask(template, BODY, part=part)
    [problem] = caught.value.problems
    assert format_path(problem.path) == f"$.{part}.template"
    assert problem.hint == f"name it in `{cure}`"


def test_chunked_says_what_goes_with_a_template() -> None:
    matcher = {"path": "/x"}
    for chunked, complaint in (
        ({"template": "ollama-chatt"}, "did you mean `ollama-chat`?"),
        ({"template": "ollama-chat", "format": "raw"}, "`raw` does not go with them"),
        ({"template": "ollama-chat", "data": "x"}, "exactly one"),
        ({"data": "x", "templateParams": {}}, "`templateParams` goes with `template`"),
        ({"template": "ollama-chat", "params": {}}, "did you mean `templateParams`?"),
        ({"template": "ollama-chat", "templateParams": {"txt": "Hi"}}, "did you mean `text`?"),
    ):
        with pytest.raises(ConfigError) as caught, running_mockd({"matcher": matcher, "chunked": chunked}):
            pass
        assert complaint in str(caught.value)
