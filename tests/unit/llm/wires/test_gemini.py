"""`gemini`: its chunks in both forms of stream, its whole answers and its errors, key by key."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from mockd.sources.llm.wires.gemini import json_schema
from mockd.testing import running_mockd
from tests.unit.llm.asking import ask, events

STREAM = "/v1beta/models/gemini-x:streamGenerateContent"
WHOLE = "/v1beta/models/gemini-x:generateContent"
BODY = {"contents": [{"role": "user", "parts": [{"text": "Say hello to me"}]}]}
HELLO = ["Hello", "!"]
RESPONSE_ID = re.compile(r"[0-9a-f]{22}")


def stream(body: Any = BODY, **params: Any) -> list[Any]:
    """The chunks of a stream of Server-Sent Events."""
    return [data for _, data in events(ask("gemini", body, STREAM, query="?alt=sse", **params))]


def array(body: Any = BODY, **params: Any) -> httpx2.Response:
    return ask("gemini", body, STREAM, **params)


def whole(body: Any = BODY, **params: Any) -> Any:
    return ask("gemini", body, WHOLE, **params).json()


def usage(said: int = 0, thought: int = 0) -> dict[str, Any]:
    """Tokens, for a request of four words."""
    return {
        "promptTokenCount": 4,
        **({"candidatesTokenCount": said} if said else {}),
        "totalTokenCount": 4 + said + thought,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        **({"thoughtsTokenCount": thought} if thought else {}),
    }


def chunk(id_: str, parts: list[Any], tokens: dict[str, Any], **ending: Any) -> dict[str, Any]:
    assert RESPONSE_ID.fullmatch(id_)
    return {
        "candidates": [{"content": {"parts": parts, "role": "model"}, **ending, "index": 0}],
        "usageMetadata": tokens,
        "modelVersion": "gemini-x",
        "responseId": id_,
    }


def test_text() -> None:
    got = stream(tokens=HELLO)
    id_ = got[0]["responseId"]
    assert got == [
        chunk(id_, [{"text": "Hello"}], usage(1)),
        chunk(id_, [{"text": "!"}], usage(2)),
        chunk(id_, [{"text": ""}], usage(2), finishReason="STOP"),
    ]


def test_text_as_an_array() -> None:
    response = array(tokens=HELLO)
    got = response.json()
    id_ = got[0]["responseId"]
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert "content-disposition" not in response.headers
    assert got == [
        chunk(id_, [{"text": "Hello"}], usage(1)),
        chunk(id_, [{"text": "!"}], usage(2)),
        chunk(id_, [{"text": ""}], usage(2), finishReason="STOP"),
    ]
    assert re.fullmatch(r"\[\{.*\}\n,\r\n\{.*\}\n,\r\n\{.*\}\n\]\n", response.text)


def test_the_array_comes_piece_by_piece() -> None:
    mock = {
        "matcher": {"path": STREAM},
        "sse": {"template": "gemini", "templateParams": {"tokens": HELLO}, "timing": {"fixedDelay": 30}},
    }
    with running_mockd(mock) as mockd, httpx2.stream("POST", mockd.url + STREAM, json=BODY) as response:
        pieces = [piece for piece in response.iter_text() if piece]
    assert [piece[:3] for piece in pieces] == ['[{"', ",\r\n", ",\r\n"][: len(pieces)]
    assert len(pieces) == 2
    assert len(json.loads("".join(pieces))) == 3


def test_text_in_one_piece() -> None:
    got = whole(tokens=HELLO)
    assert got == chunk(got["responseId"], [{"text": "Hello!"}], usage(2), finishReason="STOP")


def test_everything_at_once() -> None:
    calls = [{"name": "look", "arguments": {"at": "it"}, "id": "mine"}, {"name": "wait"}]
    got = stream(reasoning="Well then", tokens=HELLO, toolCalls=calls, argumentChunk=6)
    id_, proof = got[0]["responseId"], got[4]["candidates"][0]["content"]["parts"][0]["thoughtSignature"]
    look = {"functionCall": {"id": "mine", "name": "look", "args": {"at": "it"}}, "thoughtSignature": proof}
    wait = {"functionCall": {"name": "wait", "args": {}}}
    assert len(proof) > 20
    assert got == [
        chunk(id_, [{"text": "Well", "thought": True}], usage(0, 1)),
        chunk(id_, [{"text": " then", "thought": True}], usage(0, 2)),
        chunk(id_, [{"text": "Hello"}], usage(1, 2)),
        chunk(id_, [{"text": "!"}], usage(2, 2)),
        chunk(id_, [look], usage(4, 2)),
        chunk(id_, [wait], usage(5, 2)),
        chunk(id_, [{"text": ""}], usage(5, 2), finishReason="STOP"),
    ]
    one = whole(reasoning="Well then", tokens=HELLO, toolCalls=calls, argumentChunk=6)
    parts = [{"text": "Well then", "thought": True}, {"text": "Hello!"}, look, wait]
    assert one == chunk(one["responseId"], parts, usage(5, 2), finishReason="STOP")


def test_only_a_call() -> None:
    got = whole(toolCalls=[{"name": "wait"}])
    assert got["candidates"][0]["content"]["parts"] == [{"functionCall": {"name": "wait", "args": {}}}]


@pytest.mark.parametrize("name", ["includeThoughts", "include_thoughts"])
def test_thoughts_that_are_not_wanted_are_counted_and_signed(name: str) -> None:
    body = BODY | {"generationConfig": {"thinkingConfig": {name: False}}}
    got = stream(body, reasoning="Well then", tokens=HELLO)
    id_, [last] = got[0]["responseId"], got[-1]["candidates"][0]["content"]["parts"]
    assert got == [
        chunk(id_, [{"text": "Hello"}], usage(1, 2)),
        chunk(id_, [{"text": "!"}], usage(2, 2)),
        chunk(id_, [last], usage(2, 2), finishReason="STOP"),
    ]
    assert last["text"] == ""
    [part] = whole(body, reasoning="Well then", tokens=HELLO)["candidates"][0]["content"]["parts"]
    assert part == {"text": "Hello!", "thoughtSignature": last["thoughtSignature"]}


def test_refusal() -> None:
    got = whole(refusal="Not that.")
    expected = {
        "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "Not that."},
        "usageMetadata": usage(),
        "modelVersion": "gemini-x",
    }
    assert got == {**expected, "responseId": got["responseId"]}
    [streamed] = stream(refusal="Not that.")
    assert streamed == {**expected, "responseId": streamed["responseId"]}
    assert len(array(refusal="Not that.").json()) == 1


def test_citations() -> None:
    given = [{"url": "https://a", "title": "A"}, {"url": "https://b", "text": "là"}]
    ending = stream(text="Voilà là", citations=given)[-1]["candidates"][0]
    assert ending["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"web": {"uri": "https://b", "title": ""}}],
        "groundingSupports": [
            {"segment": {"endIndex": 10, "text": "Voilà là"}, "groundingChunkIndices": [0]},
            {"segment": {"startIndex": 3, "endIndex": 6, "text": "là"}, "groundingChunkIndices": [1]},
        ],
        "webSearchQueries": [],
    }
    assert whole(text="Voilà là", citations=given)["candidates"][0]["groundingMetadata"] == ending["groundingMetadata"]


@pytest.mark.parametrize(
    ("reason", "word"),
    {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}.items(),
)
def test_finish_reasons(reason: str, word: str) -> None:
    assert stream(tokens=HELLO, finishReason=reason)[-1]["candidates"][0]["finishReason"] == word
    assert whole(tokens=HELLO, finishReason=reason)["candidates"][0]["finishReason"] == word


def test_candidates() -> None:
    body = BODY | {"generationConfig": {"candidateCount": 2}}
    got = stream(body, tokens=HELLO)
    assert [[one["index"] for one in chunk["candidates"]] for chunk in got] == [[0, 1]] * 3
    assert [chunk["usageMetadata"]["candidatesTokenCount"] for chunk in got] == [2, 4, 4]
    assert whole(body, tokens=HELLO)["usageMetadata"]["totalTokenCount"] == 8


def test_given_usage() -> None:
    given = {"inputTokens": 100, "cachedTokens": 60, "outputTokens": 30, "reasoningTokens": 20}
    counts = [chunk["usageMetadata"] for chunk in stream(tokens=HELLO, usage=given)]
    assert [count["candidatesTokenCount"] for count in counts] == [1, 2, 10]
    assert [count["totalTokenCount"] for count in counts] == [121, 122, 130]
    assert {count["thoughtsTokenCount"] for count in counts} == {20}
    assert {count["cachedContentTokenCount"] for count in counts} == {60}


def test_thoughts_that_are_only_counted_add_to_what_is_said() -> None:
    got = whole(tokens=HELLO, usage={"reasoningTokens": 20})["usageMetadata"]
    assert (got["candidatesTokenCount"], got["thoughtsTokenCount"], got["totalTokenCount"]) == (2, 20, 26)


def test_the_framing_is_the_service_s() -> None:
    response = ask("gemini", BODY, STREAM, query="?alt=sse", tokens=HELLO)
    assert re.fullmatch(r"(data: \{.*\}\r\n\r\n){3}", response.text)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["content-disposition"] == "attachment"


def test_headers_of_the_mock_win() -> None:
    mock = {
        "matcher": {"path": STREAM},
        "sse": {"template": "gemini", "headers": {"Content-Type": "text/plain"}},
    }
    with running_mockd(mock) as mockd:
        assert httpx2.post(mockd.url + STREAM, json=BODY).headers.get_list("content-type") == ["text/plain"]


ERROR = {"type": "UNAVAILABLE", "message": "Overloaded.", "afterTokens": 1}
ERROR_BODY = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}


def test_error_among_events_is_bare_json() -> None:
    text = ask("gemini", BODY, STREAM, query="?alt=sse", tokens=HELLO, error=ERROR).text
    event, bare, rest = re.split(r"\r\n\r\n|\n$", text)
    assert event.startswith("data: {")
    assert json.loads(bare) == ERROR_BODY
    assert rest == ""


@pytest.mark.parametrize("after", [0, 1])
def test_error_in_the_array(after: int) -> None:
    *chunks, error = array(tokens=HELLO, error={**ERROR, "afterTokens": after}).json()
    assert len(chunks) == after
    assert error == ERROR_BODY


ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize(("status", "word"), ERRORS.items())
def test_http_errors(status: int, word: str) -> None:
    response = ask("gemini", BODY, STREAM, query="?alt=sse", error={"status": status, "message": "No."})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    assert response.json() == {"error": {"code": status, "message": "No.", "status": word}}


def test_http_error_of_an_array() -> None:
    response = array(error={"status": 503, "message": "No."})
    assert response.status_code == 503
    assert response.json() == [{"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}]


def test_when_to_try_again() -> None:
    response = ask("gemini", BODY, WHOLE, error={"status": 429, "message": "No.", "retryAfter": 1.5})
    assert response.headers["retry-after"] == "2"
    assert response.json()["error"]["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}
    ]


def test_an_error_of_the_stream_has_its_status_where_there_is_none() -> None:
    assert ask("gemini", BODY, WHOLE, error={"type": "RESOURCE_EXHAUSTED"}).status_code == 429


@pytest.mark.parametrize("body", [{}, {"contents": []}, b"{"], ids=str)
def test_strict(body: Any) -> None:
    for path, query in ((STREAM, "?alt=sse"), (WHOLE, "")):
        response = ask("gemini", body, path, query=query, strict=True)
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
        lacks = "* GenerateContentRequest.contents: contents is not specified\n"
        assert error["message"] == (lacks if body != b"{" else "Invalid JSON payload received. Unexpected token.")
        assert ask("gemini", body, path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/gemini-x:generateContent",
        "/gemini/v1beta/models/gemini-x:generateContent",
        "/v1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent",
    ],
)
def test_the_path_names_model_and_method(path: str) -> None:
    assert ask("gemini", BODY, path).json()["modelVersion"] == "gemini-x"


def test_a_path_without_a_method_streams() -> None:
    response = ask("gemini", BODY, "/anything", tokens=HELLO)
    assert [data["modelVersion"] for _, data in events(response)] == ["gemini-mock"] * 3


SCRIPT = [
    {"when": {"toolResult": True}, "reply": {"text": "with a result"}},
    {"when": {"turn": 2}, "reply": {"text": "in the second turn"}},
    {"when": {"model": "gemini-x", "contains": "hello"}, "reply": {"text": "to a greeting"}},
]
RESULT = {"functionResponse": {"name": "look", "response": {"text": "hello"}}}
ASKED = [{"role": "user", "parts": [{"text": "One"}]}]
ANSWERED = [{"role": "model", "parts": [{"text": "Two"}]}]
CONVERSATIONS = {
    "with a result": [*ASKED, *ANSWERED, {"role": "user", "parts": [RESULT]}],
    "in the second turn": [*ASKED, *ANSWERED, {"role": "user", "parts": [{"text": "Three"}]}],
    "to a greeting": [{"parts": [{"text": "Well, hello"}]}],
}


@pytest.mark.parametrize("reply", CONVERSATIONS)
def test_scripted_replies(reply: str) -> None:
    got = whole({"contents": CONVERSATIONS[reply]}, script=SCRIPT)
    assert got["candidates"][0]["content"]["parts"] == [{"text": reply}]


def test_echo() -> None:
    body = {"systemInstruction": {"parts": [{"text": "Be nice"}]}, "contents": CONVERSATIONS["with a result"]}
    got = whole(body, echo=True)
    assert got["candidates"][0]["content"]["parts"] == [{"text": "One"}]
    assert got["usageMetadata"]["promptTokenCount"] == 4


SCHEMA = {"type": "OBJECT", "properties": {"name": {"type": "STRING", "minLength": "12"}}, "required": ["name"]}
PLAIN = {"type": "object", "properties": {"name": {"const": "it"}}, "required": ["name"]}


def test_structured_output() -> None:
    def text(config: Any) -> Any:
        return json.loads(whole(BODY | {"generationConfig": config})["candidates"][0]["content"]["parts"][0]["text"])

    assert len(text({"responseMimeType": "application/json", "responseSchema": SCHEMA})["name"]) >= 12
    assert text({"responseMimeType": "application/json", "responseJsonSchema": PLAIN}) == {"name": "it"}
    assert text({"responseMimeType": "application/json"}) == {}


def test_a_schema_may_have_underscores_in_its_own_names_only() -> None:
    given = {"any_of": [{"type": "OBJECT", "properties": {"max_items": {"type": "ARRAY", "min_items": "2"}}}]}
    assert json_schema(given) == {
        "anyOf": [{"type": "OBJECT", "properties": {"max_items": {"type": "ARRAY", "minItems": 2}}}]
    }
