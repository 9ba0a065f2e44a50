"""`openai-completions`: its chunks, whole answers and errors, key by key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.llm.asking import ask, events

BODY: dict[str, Any] = {"model": "gpt-x", "prompt": "Once upon"}
HELLO = ["Hello", "!"]


def stream(body: dict[str, Any] | None = None, **params: Any) -> list[Any]:
    got = events(ask("openai-completions", {**BODY, "stream": True, **(body or {})}, **params))
    assert {type_ for type_, _ in got} == {None}
    return [data for _, data in got]


def whole(body: dict[str, Any] | None = None, **params: Any) -> Any:
    return ask("openai-completions", {**BODY, **(body or {})}, **params).json()


def chunk(like: dict[str, Any], *choices: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": like["id"],
        "object": "text_completion",
        "created": like["created"],
        "model": "gpt-x",
        "system_fingerprint": "fp_mockd",
        "choices": list(choices),
        **more,
    }


def choice(text: str, index: int = 0, finish: str | None = None, logprobs: Any = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}


def test_a_stream() -> None:
    got = stream(tokens=HELLO)
    expected = [chunk(got[0], choice(token)) for token in HELLO]
    assert got == [*expected, chunk(got[0], choice("", finish="stop")), "[DONE]"]
    assert got[0]["id"].startswith("cmpl-")


def test_in_one_piece() -> None:
    got = whole(tokens=HELLO)
    usage = {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    assert got == chunk(got, choice("Hello!", finish="stop"), usage=usage)


def test_usage_in_a_stream() -> None:
    got = stream({"stream_options": {"include_usage": True}}, tokens=HELLO)
    assert [one["usage"] for one in got[:-1]] == [None] * 3 + [
        {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}
    ]
    assert got[-2]["choices"] == []


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("one two", 2),
        (["one two", "three"], 3),
        ([1, 2, 3], 3),
        ([[1, 2], [3]], 3),
        (["one", [1, 2]], 3),
        (None, 1),
        ([], 1),
    ],
    ids=str,
)
def test_prompts_of_every_form(prompt: Any, words: int) -> None:
    got = whole({"prompt": prompt}, tokens=HELLO)
    several = isinstance(prompt, list) and any(not isinstance(item, int) for item in prompt)
    assert [one["index"] for one in got["choices"]] == list(range(len(prompt) if several else 1))
    assert got["usage"]["prompt_tokens"] == words
    assert got["usage"]["completion_tokens"] == 2 * len(got["choices"])


def test_choices_of_each_prompt() -> None:
    asked = {"prompt": ["a", "b"], "n": 2, "echo": True}
    assert [one["text"] for one in whole(asked, tokens=HELLO)["choices"]] == [
        "aHello!",
        "aHello!",
        "bHello!",
        "bHello!",
    ]
    got = stream(asked, tokens=HELLO)
    said = dict.fromkeys(range(4), "")
    for one in got[:-1]:
        [part] = one["choices"]
        said[part["index"]] += part["text"]
    assert list(said.values()) == ["aHello!", "aHello!", "bHello!", "bHello!"]


def test_a_prompt_is_repeated_only_if_that_is_asked() -> None:
    assert whole(tokens=HELLO)["choices"][0]["text"] == "Hello!"
    assert whole({"echo": True}, tokens=HELLO)["choices"][0]["text"] == "Once uponHello!"
    got = stream({"echo": True}, tokens=HELLO)
    assert [one["choices"][0]["text"] for one in got[:-1]] == ["Once upon", "Hello", "!", ""]


def test_what_is_repeated_is_bounded() -> None:
    answer = ask("openai-completions", {"model": "m", "prompt": "x" * 600_000, "n": 2, "echo": True}, tokens=HELLO)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("The prompts have more than 1000000 characters")


def test_log_probabilities() -> None:
    whole_ = whole({"logprobs": 2}, tokens=HELLO)["choices"][0]["logprobs"]
    assert whole_ == {
        "tokens": HELLO,
        "token_logprobs": [-0.01, -0.01],
        "top_logprobs": [{"Hello": -0.01, "Hello1": -5.0}, {"!": -0.01, "!1": -5.0}],
        "text_offset": [0, 5],
    }
    parts = [one["choices"][0]["logprobs"] for one in stream({"logprobs": 2}, tokens=HELLO)[:-1]]
    assert [part["text_offset"] for part in parts[:2]] == [[0], [5]]
    assert [part["tokens"] for part in parts[:2]] == [["Hello"], ["!"]]
    assert parts[2] is None
    assert whole({"logprobs": 0}, tokens=HELLO)["choices"][0]["logprobs"]["top_logprobs"] is None
    assert len(whole({"logprobs": 9}, tokens=HELLO)["choices"][0]["logprobs"]["top_logprobs"][0]) == 5


@pytest.mark.parametrize("choices", [1, 2])
@pytest.mark.parametrize("prompt", ["Once upon", "", ["Once upon", "a", [1, 22, 3]], [[1, 22], ""]], ids=str)
def test_log_probabilities_of_a_repeated_prompt(prompt: Any, choices: int) -> None:
    """They are for the text that is given, from its first token on, for which there is none."""
    body = {"prompt": prompt, "n": choices, "echo": True, "logprobs": 2}
    whole_, chunks = whole(body, tokens=HELLO)["choices"], stream(body, tokens=HELLO)[:-1]
    for index, choice_ in enumerate(whole_):
        told = choice_["logprobs"]
        places = [place for place, _ in enumerate(told["tokens"])]
        assert "".join(told["tokens"]) == choice_["text"]
        assert told["text_offset"] == [len("".join(told["tokens"][:place])) for place in places]
        echoed = choice_["text"] != "Hello!"
        assert [place for place in places if told["token_logprobs"][place] is None] == [0] * echoed
        assert [place for place in places if told["top_logprobs"][place] is None] == [0] * echoed
        parts = [part["logprobs"] for one in chunks for part in one["choices"] if part["index"] == index]
        for name, listed in told.items():
            assert [value for part in parts if part for value in part[name]] == listed, name
    lone = whole({**body, "logprobs": 0}, tokens=HELLO)["choices"][0]["logprobs"]
    assert lone["top_logprobs"] is None


def test_log_probabilities_of_prompts_of_several_lengths() -> None:
    """None of which is taken for another's."""
    for prompt in ("One", "One two", "One"):
        [_, first, *_] = stream({"prompt": prompt, "echo": True, "logprobs": 1}, tokens=HELLO)
        assert first["choices"][0]["logprobs"]["text_offset"] == [len(prompt)]


def test_log_probabilities_of_a_repeated_prompt_are_bounded() -> None:
    body = {"model": "m", "prompt": "word " * 4000, "echo": True, "logprobs": 5}
    for more in ({}, {"stream": True}, {"n": 2}):
        answer = ask("openai-completions", {**body, **more}, tokens=HELLO)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("The log probabilities of the prompts would")
    assert ask("openai-completions", {**body, "prompt": "word " * 2000}, tokens=HELLO).status_code == 200


def test_the_text_behind_the_prompt_is_no_message_of_the_user() -> None:
    got = whole({"suffix": "the end"}, echo=True)
    assert got["choices"][0]["text"] == "Once upon"
    assert got["usage"]["prompt_tokens"] == 4


def test_a_reason_to_finish() -> None:
    assert whole(text="a", finishReason="length")["choices"][0]["finish_reason"] == "length"
    assert stream(text="a", finishReason="length")[-2]["choices"][0]["finish_reason"] == "length"


def test_errors() -> None:
    answer = ask("openai-completions", {"prompt": "x"}, strict=True)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "model"
    got = stream(tokens=HELLO, error={"type": "server_error", "message": "Broken", "afterTokens": 1})
    assert got[0]["choices"] == [choice("Hello")]
    assert got[1:] == [{"error": {"message": "Broken", "type": "server_error", "param": None, "code": None}}]
    at_once = stream(tokens=HELLO, error={"message": "Broken"})
    assert [list(one) for one in at_once] == [["error"]]


def test_all_choices_of_which_the_best_are_given_count() -> None:
    for asked, tokens in (({"n": 2}, 4), ({"best_of": 5}, 10), ({"best_of": 5, "n": 2, "prompt": ["a", "b"]}, 20)):
        got = whole(asked, tokens=HELLO)
        assert got["usage"]["completion_tokens"] == tokens
        assert len(got["choices"]) == asked.get("n", 1) * len(asked.get("prompt", [1]))
        assert got["usage"]["total_tokens"] == got["usage"]["prompt_tokens"] + tokens


@pytest.mark.parametrize(
    ("asked", "text", "finish"),
    [
        ({"max_tokens": 1}, "One", "length"),
        ({"max_tokens": 2}, "One two", "stop"),
        ({"max_tokens": 0, "echo": True}, "Once upon", "length"),
        ({"stop": "tw"}, "One ", "stop"),
        ({"stop": ["wo", " t"]}, "One", "stop"),
    ],
)
def test_limits(asked: dict[str, Any], text: str, finish: str) -> None:
    got = whole(asked, text="One two", obey=True)["choices"][0]
    assert (got["text"], got["finish_reason"]) == (text, finish)
    streamed = [one["choices"][0] for one in stream(asked, text="One two", obey=True)[:-1]]
    assert ("".join(one["text"] for one in streamed), streamed[-1]["finish_reason"]) == (text, finish)
