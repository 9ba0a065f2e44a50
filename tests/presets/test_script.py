"""Scripted replies: which one a request gets, on every wire, and what is left out."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockd.errors import ConfigError
from mockd.presets import configured
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.presets.asking import ONLY_STREAMS, PATHS, asked, payloads, texts, tools
from tests.presets.conversations import WITH_RESULTS, conversation

Write = Callable[[str, str], str]

SCRIPT = """
- when: {contains: weather, toolResult: false}
  reply:
    toolCalls: [{name: get_weather, arguments: {city: Paris}}]
- when: {toolResult: true}
  reply: {text: It rains.}
- when: {regex: "^(hi|hello)$", turn: 2}
  reply: {text: Hello again.}
- when: {regex: "^(hi|hello)$"}
  reply: {text: Hello.}
- when: {model: "clever-*"}
  reply: {reasoning: Hmm., text: Forty-two.}
- when: {contains: boom}
  reply: {error: {status: 429, retryAfter: 0, times: 1}, text: Better now.}
- when: {contains: boom}
  reply: {text: Never said.}
"""

WITHOUT_TOOLS = {"openai-completions", "mistral-fim", "ollama-generate"}
WITH_MODEL = [name for name in PATHS if name not in ONLY_STREAMS]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> str:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("script") / "script.yaml"
    file.write_text(SCRIPT, encoding="utf-8")
    with running_mockd(settings=Settings(preset="llm", preset_script=str(file))) as mockd:
        yield mockd.url


def ask(url: str, template: str, said: str, model: str = "m") -> list[str]:
    """Every text of the answer to a message; streams where the provider has nothing else."""
    body = asked(template, stream=False, **tools(template, "get_weather"))
    body = json.loads(json.dumps(body).replace("Say hello to me", said))
    if "model" in body:
        body["model"] = model
    answer = httpx2.post(url + PATHS[template].replace("{model}", model), json=body)
    assert answer.status_code == 200, answer.text
    return texts(payloads(answer.text) if template in ONLY_STREAMS else answer.json())


@pytest.mark.parametrize("template", PATHS)
def test_contains_and_no_tool_result(url: str, template: str) -> None:
    found = ask(url, template, "What is the weather?")
    assert ("get_weather" in found) is (template not in WITHOUT_TOOLS)


@pytest.mark.parametrize("template", PATHS)
def test_the_first_that_fits(url: str, template: str) -> None:
    found = ask(url, template, "hi")
    assert "Hello." in found
    assert "Hello again." not in found


@pytest.mark.parametrize("template", WITH_MODEL)
def test_model(url: str, template: str) -> None:
    found = ask(url, template, "What is the question?", "clever-2")
    assert "Forty-two." in found
    assert "Forty-two." not in ask(url, template, "What is the question?", "dull-2")


@pytest.mark.parametrize("template", PATHS)
def test_what_nothing_fits_is_echoed(url: str, template: str) -> None:
    assert "unheard" in ask(url, template, "unheard")


@pytest.mark.parametrize("template", WITH_RESULTS)
def test_tool_result(url: str, template: str) -> None:
    body = conversation(template, "Look", [("get_weather", "rain")])
    body = body if template == "gemini" else {**body, "stream": False}
    answer = httpx2.post(url + PATHS[template].replace("{model}", "m"), json=body)
    found = texts(payloads(answer.text) if template in ONLY_STREAMS else answer.json())
    assert found.count("It rains.") == 1 or {"It", " rains."} <= {*found}, answer.text


def test_turn(url: str) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]
    found = []
    for number in (1, 2, 3):
        messages = [*turns * (number - 1), turns[0]]
        answer = httpx2.post(url + "/v1/chat/completions", json={"model": "m", "messages": messages})
        found.append(answer.json()["choices"][0]["message"]["content"])
    assert found == ["Hello.", "Hello again.", "Hello."]


def test_an_error_for_the_first_requests_only(url: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "boom"}]}
    first, second = (httpx2.post(url + "/v1/chat/completions", json=body) for _ in range(2))
    assert (first.status_code, first.headers["retry-after"]) == (429, "0")
    assert second.json()["choices"][0]["message"]["content"] == "Better now."


# -- what is left out --------------------------------------------------------------------------------------------------


def test_what_a_wire_cannot_say_is_left_out_and_told_once(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    file = write(
        "script.json",
        '[{"reply": {"text": "Paris.", "citations": [{"url": "https://example.com"}],\n'
        '"error": {"type": "overloaded_error", "status": 503}}}]',
    )
    with caplog.at_level(logging.WARNING, "mockd"):
        specs = configured(Settings(preset="llm", preset_script=file))
    citations, error = sorted(record.getMessage() for record in caplog.records)
    assert citations.startswith(
        f"{file}:1:44: $[0].reply.citations: left out by templates whose format has no words for it: "
    )
    assert error.startswith(
        f"{file}:2:19: $[0].reply.error.type: left out by templates whose format has no words for it: "
    )
    assert "ollama-generate" in citations
    assert "openai-chat" not in citations
    script = {spec.id: (spec.doc.get("sse") or spec.doc.get("chunked") or {}).get("templateParams") for spec in specs}
    assert script["llm-openai-chat"]["script"] == json.loads(Path(file).read_text(encoding="utf-8"))
    assert script["llm-ollama-chat"]["script"] == [{"reply": {"text": "Paris.", "error": {"status": 503}}}]


def test_nothing_is_told_where_nothing_is_left_out(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mockd"):
        configured(Settings(preset="llm", preset_script=write("script.json", '[{"reply": {"text": "Hi."}}]')))
    assert not caplog.records


# -- what is never reached ---------------------------------------------------------------------------------------------

NEVER_REACHED = {
    "behind an entry for all": "[{reply: {text: a}}, {when: {contains: x}, reply: {text: b}}]",
    "twice the same": "[{when: {step: 1}, reply: {text: a}}, {when: {step: 1}, reply: {text: b}}]",
    "more criteria": "[{when: {step: 1}, reply: {text: a}}, {when: {step: 1, turn: 2}, reply: {text: b}}]",
    "a longer text": "[{when: {contains: x}, reply: {text: a}}, {when: {contains: xy}, reply: {text: b}}]",
    "more tools": "[{when: {tools: [f]}, reply: {text: a}}, {when: {tools: [g, f]}, reply: {text: b}}]",
    "more headers": "[{when: {headers: {a: b}}, reply: {text: a}}, {when: {headers: {a: b, c: d}}, reply: {text: b}}]",
    "calls behind an error": "[{reply: {error: {status: 500}}}, {when: {step: 1}, reply: {toolCalls: [{name: f}]}}]",
    "tokens": "[{reply: {tokens: [a]}}, {reply: {tokens: [b, c]}}]",
    "a reply without content": "[{reply: {}}, {reply: {toolCalls: [{name: f}]}}]",
    "a refusal": "[{reply: {refusal: No.}}, {reply: {toolCalls: [{name: f}]}}]",
    "replies in turn": "[{replies: [{text: a}, {text: b}]}, {replies: [{text: c}, {text: d}]}]",
}
REACHED = {
    "calls, then words": "[{reply: {toolCalls: [{name: f}]}}, {reply: {text: a}}]",
    "words, then calls": "[{reply: {text: a}}, {reply: {toolCalls: [{name: f}]}}]",
    "words, then words and calls": "[{reply: {text: a}}, {reply: {text: b, toolCalls: [{name: f}]}}]",
    "words, then JSON": "[{reply: {text: a}}, {reply: {text: '{}'}}]",
    "words, then what may be JSON": "[{reply: {text: a}}, {reply: {text: '{{ request.body.said }}'}}]",
    "words, then nothing": "[{reply: {text: a}}, {reply: {}}]",
    "words, then an error": "[{reply: {text: a}}, {reply: {text: a, error: {status: 500}}}]",
    "words and calls in turn": "[{replies: [{text: a}, {toolCalls: [{name: f}]}]}, {reply: {text: b}}]",
    "fewer criteria": "[{when: {step: 1, turn: 2}, reply: {text: a}}, {when: {step: 1}, reply: {text: b}}]",
    "another value": "[{when: {step: 1}, reply: {text: a}}, {when: {step: 2}, reply: {text: b}}]",
    "a shorter text": "[{when: {contains: xy}, reply: {text: a}}, {when: {contains: x}, reply: {text: b}}]",
    "a pattern": "[{when: {regex: x}, reply: {text: a}}, {when: {regex: xy}, reply: {text: b}}]",
    "no tools, then some": "[{when: {tools: []}, reply: {text: a}}, {when: {tools: [f]}, reply: {text: b}}]",
    "any tools, then none": "[{when: {tools: [f]}, reply: {text: a}}, {when: {tools: []}, reply: {text: b}}]",
    "another header": "[{when: {headers: {a: b}}, reply: {text: a}}, {when: {headers: {a: c}}, reply: {text: b}}]",
    "side calls": "[{reply: {text: a}}, {when: {sideCall: true}, reply: {text: b}}]",
    "all but side calls": "[{when: {sideCall: true}, reply: {text: a}}, {reply: {text: b}}]",
}


def told_of(write: Write, script: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.WARNING, "mockd"):
        configured(Settings(preset="llm", preset_script=write("script.yaml", script)))
    return [message for record in caplog.records if "left out" not in (message := record.getMessage())]


@pytest.mark.parametrize("script", NEVER_REACHED.values(), ids=NEVER_REACHED)
def test_an_entry_that_answers_nothing_is_told(write: Write, caplog: pytest.LogCaptureFixture, script: str) -> None:
    [told] = told_of(write, script, caplog)
    assert re.search(r"script\.yaml:1:\d+: \$\[1\]: it answers no request: .* by \$\[0\] before it \(put the ", told)


@pytest.mark.parametrize("script", REACHED.values(), ids=REACHED)
def test_an_entry_that_may_answer_is_not_told(write: Write, caplog: pytest.LogCaptureFixture, script: str) -> None:
    assert told_of(write, script, caplog) == []


# -- what is wrong -----------------------------------------------------------------------------------------------------

WRONG = {
    "no list": ("a.json", '{"when": {}}', ":1:1: expected a list, got an object"),
    "unknown key": (
        "a.json",
        '[\n{"when": {"contain": "a"}, "reply": {"text": "a"}}]',
        ":2:11: $[0].when.contain: unknown key `contain` (did you mean `contains`?)",
    ),
    "unknown parameter": (
        "a.yaml",
        "- reply:\n    txt: a\n",
        ":2:5: $[0].reply.txt: unknown key `txt` (did you mean `text`?)",
    ),
    "nested": (
        "a.yaml",
        "- reply: {toolCalls: [{nam: f}]}\n",
        "$[0].reply.toolCalls[0].nam: unknown key `nam` (did you",
    ),
    "no reply": ("a.yaml", "- when: {turn: 1}\n", ":1:3: $[0]: missing `reply`, or `replies` with at least one"),
    "no replies": ("a.yaml", "- replies: []\n", ":1:3: $[0]: missing `reply`, or `replies` with at least one"),
    "reply and replies": (
        "a.yaml",
        "- reply: {text: a}\n  replies: [{text: b}]\n",
        ":1:3: $[0]: give one of `reply` and `replies`",
    ),
    "an error for ever": (
        "a.yaml",
        "- replies:\n    - {text: a}\n    - {error: {status: 429}}\n    - {text: b}\n",
        ":1:3: $[0]: `error` of reply 1 needs `times`",
    ),
    "no criteria": ("a.yaml", "- when:\n  reply: {text: a}\n", "$[0].when: expected an object"),
    "unknown provider": (
        "a.yaml",
        "- when:\n    provider: opnai\n  reply: {text: a}\n",
        ":2:15: $[0].when.provider: there is no provider 'opnai' (known: openai, azure, anthropic",
    ),
    "unknown side call": (
        "a.yaml",
        "- when: {sideCall: title}\n  reply: {text: a}\n",
        "$[0].when.sideCall: there is no side call 'title' (known: claude-code-title, ",
    ),
    "broken JSONPath": (
        "a.yaml",
        "- when:\n    bodyJsonPath:\n      '$.[': 1\n  reply: {text: a}\n",
        ":3:14: $[0].when.bodyJsonPath.$.[: not a JSONPath",
    ),
    "broken pattern of a header": (
        "a.yaml",
        "- when: {headers: {X-Team: {pattern: '('}}}\n  reply: {text: a}\n",
        "$[0].when.headers.X-Team.pattern: not a regular expression",
    ),
    "a cut with a message": (
        "a.yaml",
        "- reply: {error: {cut: end, message: Oh.}}\n",
        "$[0].reply.error.cut: `cut` does not go with `status`, `type` or `message`",
    ),
    "a result where there is none": (
        "a.yaml",
        "- when: {toolResult: false, toolName: f}\n  reply: {}\n",
        "$[0].when.toolName: `toolName` does not go with `toolResult: false`",
    ),
    "a text of a result where there is none": (
        "a.yaml",
        "- when: {toolResult: false, toolResultContains: a}\n  reply: {}\n",
        "$[0].when.toolResultContains: `toolResultContains` does not go with `toolResult: false`",
    ),
    "a negative step": ("a.yaml", "- when: {step: -1}\n  reply: {}\n", "$[0].when.step: "),
    "wrong type": ("a.yaml", "- reply: {text: 5}\n", ":1:17: $[0].reply.text: expected text, got a whole number"),
    "broken pattern": (
        "a.yaml",
        "- when: {regex: '('}\n  reply: {}\n",
        ":1:17: $[0].when.regex: not a regular expression",
    ),
    "text and tokens": ("a.yaml", "- reply: {text: a, tokens: [a]}\n", "$[0].reply: give one of `text` and `tokens`"),
    "broken expression": (
        "a.yaml",
        "- reply: {text: '{{ request.body. }}'}\n",
        "a.yaml:1:17: $[0].reply.text: ",
    ),
    "broken JSON": ("a.json", "[", "a.json:1:2"),
    "empty": ("a.json", "", "it is empty"),
    "an empty list": ("a.yaml", "[]", ":1:1: the list is empty (give it an entry, such as `- reply: {text: Hello}`)"),
}


@pytest.mark.parametrize(("name", "text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(write: Write, name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(Settings(preset="llm", preset_script=write(name, text)))
    assert message in str(caught.value)


def test_replies_follow_the_request(write: Write) -> None:
    file = write("script.yaml", "- reply: {text: 'Sent-by-{{ request.method }}'}\n")
    with running_mockd(settings=Settings(preset="llm", preset_script=file)) as mockd:
        assert {template for template in PATHS if "Sent-by-POST" in ask(mockd.url, template, "hi")} == set(PATHS)


def test_a_script_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"no-script\.yaml: it cannot be read"):
        configured(Settings(preset="llm", preset_script="no-script.yaml"))
