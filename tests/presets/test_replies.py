"""Replies in turn, replies that break off, side calls of agents, and what is said of which entry answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from mockd.settings import Settings
from mockd.sources.llm.choosing.side_calls import SIDE_CALLS, SideCall
from mockd.sources.llm.replies.params import UNSAID
from mockd.testing import RunningMockd, running_mockd
from tests.presets.asking import CHAT, ONLY_STREAMS, PATHS, asked, payloads, texts, tools
from tests.presets.conversations import WITH_RESULTS, answered, conversation

Serve = Callable[..., RunningMockd]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves the preset with a script and settings; the same server, put back to its start, for the same ones."""
    with ExitStack() as running:
        served: dict[str, RunningMockd] = {}

        def start(*script: dict[str, Any], **settings: Any) -> RunningMockd:
            key = json.dumps([script, settings])
            if key not in served:
                file = tmp_path_factory.mktemp("script") / "script.json"
                file.write_text(json.dumps(script), encoding="utf-8")
                given = Settings(preset="llm", preset_script=str(file), **settings)
                served[key] = running.enter_context(running_mockd(settings=given))
            reset(served[key])
            return served[key]

        yield start


def reset(mockd: RunningMockd, key: str | None = None) -> None:
    with mockd.admin() as admin:
        admin.reset(key=key)


def post(url: str, template: str, body: dict[str, Any], **headers: str) -> httpx2.Response:
    path = PATHS[template].replace("{model}", "m")
    body = body if template in {"gemini", *ONLY_STREAMS} else {"stream": False, **body}
    return httpx2.post(url + path, json=body, headers=headers)


def said(url: str, template: str, body: dict[str, Any], **headers: str) -> list[str]:
    """Every text of the answer."""
    answer = post(url, template, body, **headers)
    assert answer.status_code == 200, answer.text
    return texts(payloads(answer.text) if template in ONLY_STREAMS else answer.json())


# -- in turn -----------------------------------------------------------------------------------------------------------

JOB = {
    "when": {"contains": "weather"},
    "replies": [
        {"toolCalls": [{"name": "look", "arguments": {"where": "Rome"}}]},
        {"toolCalls": [{"name": "wait"}]},
        {"text": "Sunny."},
    ],
}
STEPS = [("look", "It rains."), ("wait", "Waited.")]


def job(template: str, steps: int) -> dict[str, Any]:
    return conversation(template, "What is the weather?", STEPS[:steps]) | tools(template, "look", "wait")


@pytest.mark.parametrize("template", WITH_RESULTS)
def test_a_job_of_three_steps_as_often_as_one_likes(serve: Serve, template: str) -> None:
    url = serve(JOB).url
    for _ in range(2):
        for _ in range(2):  # a client that asks again gets the same again, as the conversation is no longer
            for steps, expected in ((1, "wait"), (2, "Sunny.")):
                assert expected in said(url, template, job(template, steps))
        assert "look" in said(url, template, job(template, 0))


TEXTS = {"replies": [{"text": "One."}, {"text": "Two."}, {"text": "Three."}]}


def hello(words: str = "Hello") -> dict[str, Any]:
    return conversation("openai-chat", words)


def chat(mockd: RunningMockd, body: dict[str, Any] | None = None, **headers: str) -> str:
    answer = post(mockd.url, "openai-chat", body or hello(), **headers)
    if answer.status_code != 200:
        return str(answer.status_code)
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def test_a_question_without_a_history_gets_the_next_reply_and_the_last_stays(serve: Serve) -> None:
    mockd = serve(TEXTS)
    assert [chat(mockd) for _ in range(4)] == ["One.", "Two.", "Three.", "Three."]


def test_conversations_are_told_apart_by_their_first_messages_and_by_the_key(serve: Serve) -> None:
    mockd = serve(TEXTS)
    assert chat(mockd) == "One."
    assert chat(mockd, hello("Good morning")) == "One."
    assert chat(mockd, **{"X-Mockd-Key": "a"}) == "One."
    assert chat(mockd, **{"X-Mockd-Key": "a"}) == "Two."
    assert chat(mockd) == "Two."
    body = conversation("openai-chat", "Hello", system="Be kind.")
    assert chat(mockd, body) == "One."


def test_a_reset_begins_anew_for_its_key_alone(serve: Serve) -> None:
    mockd = serve(TEXTS)
    for key in ("a", "b"):
        assert chat(mockd, **{"X-Mockd-Key": key}) == "One."
    reset(mockd, "a")
    assert chat(mockd, **{"X-Mockd-Key": "a"}) == "One."
    assert chat(mockd, **{"X-Mockd-Key": "b"}) == "Two."
    reset(mockd)
    assert chat(mockd, **{"X-Mockd-Key": "b"}) == "One."


def test_a_history_says_which_reply_is_next(serve: Serve) -> None:
    mockd = serve(TEXTS)
    second = answered("openai-chat", hello(), "One.")
    third = answered("openai-chat", second, "Two.")
    assert [chat(mockd, body) for body in (second, third, second, third)] == ["Two.", "Three.", "Two.", "Three."]
    assert chat(mockd) == "One."


def test_what_is_begun_again_begins_with_the_first_reply(serve: Serve) -> None:
    mockd = serve(TEXTS)
    for _ in range(2):
        assert chat(mockd) == "One."
        assert chat(mockd, answered("openai-chat", hello(), "One.")) == "Two."


def test_only_the_replies_of_the_same_entry_count(serve: Serve) -> None:
    mockd = serve({"when": {"turn": 1}, "reply": {"text": "First of all."}}, TEXTS)
    second = answered("openai-chat", hello(), "First of all.")
    third = answered("openai-chat", second, "One.")
    assert [chat(mockd, body) for body in (hello(), second, third)] == ["First of all.", "One.", "Two."]


def test_the_earlier_requests_of_a_conversation_are_asked_as_they_were(serve: Serve) -> None:
    mockd = serve({"when": {"step": 0, "toolResult": False}, **TEXTS}, {"reply": {"text": "None of these."}})
    second = answered("openai-chat", hello(), "One.")
    assert [chat(mockd, body) for body in (hello(), second)] == ["One.", "Two."]


def test_a_retry_that_says_so_gets_the_same_reply(serve: Serve) -> None:
    mockd = serve(TEXTS)
    again = {"x-stainless-retry-count": "1"}
    assert [chat(mockd, **headers) for headers in ({}, again, again, {"x-stainless-retry-count": "0"})] == [
        "One.",
        "One.",
        "One.",
        "Two.",
    ]


def test_an_error_uses_up_no_reply(serve: Serve) -> None:
    busy = {"text": "Two.", "error": {"status": 429, "times": 2}}
    mockd = serve({"replies": [{"text": "One."}, busy, {"text": "Three."}]})
    assert [chat(mockd) for _ in range(3)] == ["One.", "429", "429"]
    assert [chat(mockd, **{"x-stainless-retry-count": "1"}), chat(mockd)] == ["Two.", "Three."]
    reset(mockd)
    second = answered("openai-chat", hello(), "One.")
    assert [chat(mockd, body) for body in (hello(), second, second, second)] == ["One.", "429", "429", "Two."]


def test_replies_that_follow_the_request_come_in_turn_too(serve: Serve) -> None:
    mockd = serve({"replies": [{"text": "{{ request.body.model }} one."}, {"text": "{{ request.method }} two."}]})
    assert [chat(mockd) for _ in range(2)] == ["m one.", "POST two."]


# -- replies that break off --------------------------------------------------------------------------------------------


def cut(how: str) -> dict[str, Any]:
    return {"reply": {"text": "One two three.", "error": {"cut": how, "afterTokens": 2, "times": 1}}}


@pytest.mark.parametrize("template", [name for name in PATHS if name != "gemini"])
@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_a_stream_breaks_off_once(serve: Serve, template: str, how: str) -> None:
    url = serve(cut(how)).url + PATHS[template].replace("{model}", "m")
    got = b""
    broken: Exception | None = None
    try:
        with httpx2.stream("POST", url, json=asked(template, stream=True)) as answer:
            assert answer.status_code == 200
            for part in answer.iter_raw():
                got += part
    except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
        broken = error
    assert (broken is None) is (how == "end")
    if how != "reset":  # which throws away what is still on its way
        assert b"two" in got
    assert b"three" not in got
    assert UNSAID.encode() not in got
    whole = httpx2.post(url, json=asked(template, stream=True))
    assert "three" in whole.text


def test_an_answer_in_one_piece_does_not_begin(serve: Serve) -> None:
    for how in ("end", "close", "reset"):
        mockd = serve(cut(how))
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            chat(mockd)
        assert chat(mockd) == "One two three."


def test_a_cut_uses_up_no_reply(serve: Serve) -> None:
    first = {"text": "One.", "error": {"cut": "close", "times": 1}}
    mockd = serve({"replies": [first, {"text": "Two."}]})
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        chat(mockd)
    assert [chat(mockd), chat(mockd)] == ["One.", "Two."]


# -- side calls --------------------------------------------------------------------------------------------------------


def side_call(template: str, call: SideCall, words: str = "What is the weather?") -> dict[str, Any]:
    padding = " Be brief." * 40
    said = f"{words} {call.said}" if call.said else words
    system = f"You are an agent. {call.system or ''}{padding}"
    return conversation(template, said, system=system) | (tools(template, "look") if call.said else {})


@pytest.mark.parametrize("template", PATHS)
@pytest.mark.parametrize("call", SIDE_CALLS, ids=lambda call: call.name)
def test_side_calls_use_up_nothing(serve: Serve, template: str, call: SideCall) -> None:
    script = {"when": {"contains": "weather"}, "replies": [{"text": "One.", "error": {"status": 429, "times": 1}}, {}]}
    url = serve(script, {"reply": {"toolCalls": [{"name": "look", "arguments": {"at": "nowhere"}}]}}).url
    found = "".join(said(url, template, side_call(template, call)))
    assert call.text.split()[-1] in found
    assert "nowhere" not in found
    assert post(url, template, conversation(template, "What is the weather?")).status_code == 429


def test_side_calls_can_be_asked_for_by_name(serve: Serve) -> None:
    named = {"when": {"sideCall": "opencode-title"}, "reply": {"text": "My title."}}
    any_of_them = {"when": {"sideCall": True}, "reply": {"text": "Any."}}
    none = {"when": {"sideCall": False}, "reply": {"text": "The job."}}
    mockd = serve(named, any_of_them, none)
    by_name = {call.name: chat(mockd, side_call("openai-chat", call)) for call in SIDE_CALLS}
    assert by_name.pop("opencode-title") == "My title."
    assert set(by_name.values()) == {"Any."}
    assert chat(mockd) == "The job."


def test_without_side_calls_the_script_answers_all(serve: Serve) -> None:
    mockd = serve({"when": {"contains": "weather"}, "reply": {"text": "It rains."}}, side_calls=False)
    assert {chat(mockd, side_call("openai-chat", call)) for call in SIDE_CALLS} == {"It rains."}
    named = {"when": {"sideCall": "opencode-title"}, "reply": {"text": "My title."}}
    title = next(call for call in SIDE_CALLS if call.name == "opencode-title")
    assert chat(serve(named, side_calls=False), side_call("openai-chat", title)) == "My title."


def test_a_side_call_that_demands_json_gets_it(serve: Serve) -> None:
    title = next(call for call in SIDE_CALLS if call.name == "claude-code-title")
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    demanded = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    body = side_call("anthropic-messages", title) | demanded
    answer = post(serve({"reply": {"text": "The job."}}).url, "anthropic-messages", body).json()
    assert isinstance(json.loads(answer["content"][0]["text"])["title"], str)


# -- which entry answered ----------------------------------------------------------------------------------------------


def test_explaining(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    script = (
        {"when": {"contains": "weather"}, "reply": {"text": "It rains."}},
        {"when": {"headers": {"Authorization": "Bearer other"}}, "reply": {"text": "Never."}},
        {"reply": {"toolCalls": [{"name": "look"}]}},
        {"when": {"turn": 1}, "replies": [{"text": "One.", "error": {"status": 500, "times": 1}}, {"text": "Two."}]},
    )
    mockd = serve(*script, explain=True)
    with caplog.at_level(logging.INFO, "mockd"):
        assert [chat(mockd, Authorization="Bearer sk-secret") for _ in range(2)] == ["500", "One."]
        chat(mockd, {"model": "m"})
        chat(mockd, side_call("openai-chat", SIDE_CALLS[0]))
    at = "POST /openai/v1/chat/completions: "
    passed = [
        f'{at}script[0] does not: `contains: "weather"`, but the message is "Hello"',
        f"{at}script[1] does not: `headers: Authorization`, but what the request has is another value, or none: "
        "Authorization",
        f"{at}script[2] does not: it fits, but the request allows no such reply",
    ]
    found = [record.getMessage() for record in caplog.records if record.getMessage().startswith(at)]
    assert found[:8] == [
        f"{at}script[3].replies[0], of 2 answers with its error",
        *passed,
        f"{at}script[3].replies[0], of 2 answers",
        *passed,
    ]
    assert found[8] == f"{at}strict, messages refuses it: Missing required parameter: 'messages'."
    assert found[9] == f"{at}the reply to the side call claude-code-title answers"
    assert found[10] == f"{at}script[0] does not: `sideCall: false`, but it is the side call claude-code-title"
    assert "sk-secret" not in caplog.text
    assert caplog.records[-1].fields["rule"] == "script[3]"  # type: ignore[attr-defined]


def test_explaining_what_is_refused(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"require_key": ("sk-right",), "rpm": 2, "tpm": 50, "context_window": 9}
    chats, embeddings = "/openai/v1/chat/completions", "/openai/v1/embeddings"
    long = {"model": "m", "messages": [{"role": "user", "content": "word " * 10}]}
    wrong = {**CHAT, "temperature": 9}
    keys = {"right": {"Authorization": "Bearer sk-right"}, "wrong": {"Authorization": "Bearer sk-wrong"}, "none": {}}
    asked: list[tuple[str, str, dict[str, Any], str]] = [
        ("none", chats, CHAT, "--require-key refuses it: it has no key"),
        ("wrong", chats, CHAT, "--require-key refuses it: it has another key"),
        ("right", chats, long, "--context-window 9 refuses it: it has 10 tokens"),
        ("right", chats, wrong, "strict, temperature refuses it: Invalid 'temperature': decimal above maximum value."),
        ("right", embeddings, {"model": "m", "input": "word " * 60}, "--tpm 50 refuses it: it needs 60, and 4"),
        ("right", embeddings, {"model": "m"}, "strict, input refuses it: Missing required parameter: 'input'."),
        ("right", chats, CHAT, "--rpm 2 refuses it: it needs 1, and 0 of 2 are left"),
    ]
    mockd = serve({"reply": {"text": "Hi."}}, explain=True, **settings)
    with caplog.at_level(logging.INFO, "mockd"):
        statuses = [
            httpx2.post(mockd.url + path, json=body, headers=keys[key]).status_code for key, path, body, _ in asked
        ]
        id = "/openai/v1/responses/resp_none"
        assert httpx2.get(mockd.url + id, headers=keys["right"]).status_code == 404
    assert statuses == [401, 401, 400, 400, 429, 400, 429]
    records = [record for record in caplog.records if " refuses it: " in record.getMessage()]
    expected = [f"POST {path}: {told}" for _, path, _, told in asked]
    expected.append(f"GET {id}: stored refuses it: Response with id 'resp_none' not found.")
    assert len(records) == len(expected)
    for record, told in zip(records, expected, strict=True):
        assert record.getMessage().startswith(told)
        rule = told.partition(": ")[2].partition(" refuses it")[0]
        assert record.fields["rule"] == rule  # type: ignore[attr-defined]
        assert record.fields["reason"] in record.getMessage()  # type: ignore[attr-defined]
    assert "sk-" not in caplog.text


def test_explaining_what_asks_for_too_much(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    mockd = serve({"reply": {"text": "Hi."}}, explain=True)
    with caplog.at_level(logging.INFO, "mockd"):
        assert chat(mockd, {**CHAT, "model": "m" * 2_000}) == "400"
    assert "limits refuses it: The name of the model has more than 1000 characters." in caplog.text


def test_nothing_is_explained_unless_asked_for(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    mockd = serve(TEXTS)
    with caplog.at_level(logging.INFO, "mockd"):
        chat(mockd)
    assert "answers" not in caplog.text


@pytest.mark.parametrize(
    ("path", "provider"),
    [
        ("/openai/v1/chat/completions", "openai"),
        ("/azure/openai/v1/chat/completions", "azure"),
        ("/azure/openai/deployments/d/chat/completions", "azure"),
        ("/mistral/v1/chat/completions", "mistral"),
    ],
)
def test_the_provider_is_the_one_whose_path_is_asked(serve: Serve, path: str, provider: str) -> None:
    script = [
        {"when": {"provider": name}, "reply": {"text": f"I am {name}."}} for name in ("openai", "azure", "mistral")
    ]
    answer = httpx2.post(serve(*script).url + path, json=hello())
    assert answer.json()["choices"][0]["message"]["content"] == f"I am {provider}."
