"""What a request may make of a reply is bounded: above it, the provider's own 400 comes, on every wire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mockd.program.plan import MOST_SCRIPT_BYTES
from mockd.settings import Settings
from mockd.sources.llm import budget, source
from mockd.sources.llm.endpoints.embeddings import vector
from mockd.sources.llm.replies import reply
from mockd.sources.llm.replies.reply import LONGEST_WORD, tokens_of
from mockd.sources.llm.requests.tokens import count_words
from mockd.testing import RunningMockd, running_mockd
from tests.presets.asking import ONLY_STREAMS, PATHS, SAID, asked, payloads, texts

EMBEDDINGS = {
    "openai-embeddings": "/v1/embeddings",
    "mistral-embeddings": "/mistral/v1/embeddings",
    "gemini-embeddings": "/v1beta/models/m:batchEmbedContents",
    "vertex-embeddings": "/vertex/v1/publishers/google/models/m:predict",
    "ollama-embeddings": "/api/embed",
    "cohere-embeddings": "/v2/embed",
    "cohere-embeddings-v1": "/cohere/v1/embed",
}


def post(url: str, template: str, body: Any, *, stream: bool = False) -> httpx2.Response:
    path = PATHS[template].replace("{model}", "m")
    if stream:
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    content = body if isinstance(body, str) else json.dumps(body)
    return httpx2.post(url + path, content=content, timeout=60)


def say(url: str, template: str, said: str, *, stream: bool = False, **more: Any) -> httpx2.Response:
    """The answer to a message that is said."""
    body = json.dumps(asked(template, stream=stream, **more)).replace(json.dumps(SAID), json.dumps(said))
    return post(url, template, body, stream=stream)


def is_refused(answer: httpx2.Response, template: str) -> bool:
    """Whether an answer is a 400 in the form of its provider, which is short; of Mistral's, also a 422."""
    provider = template.partition("-")[0]
    if provider == "mistral" and answer.status_code == 422:
        return isinstance(answer.json()["message"]["detail"], list)
    if answer.status_code != 400:
        return False
    body = answer.json()
    assert len(answer.content) < 1000
    if provider in ("cohere", "mistral", "ag"):
        return isinstance(body["message"], str)
    if provider in ("ollama", "vercel"):
        return isinstance(body["error"], str)
    return isinstance(body["error"]["message"], str)


STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

# -- JSON schemas ------------------------------------------------------------------------------------------------------


def with_schema(template: str, schema: Any) -> dict[str, Any]:
    """The fields of a request that ask for text by a JSON schema."""
    named = {"name": "x", "schema": schema}
    match template:
        case "openai-chat" | "azure-openai" | "mistral-chat":
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case "openai-responses":
            return {"text": {"format": {"type": "json_schema", **named}}}
        case "anthropic-messages" | "anthropic-vertex":
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        case "gemini":
            return {"generationConfig": {"responseJsonSchema": schema}}
        case "ollama-chat" | "ollama-generate":
            return {"format": schema}
        case _:
            return {"response_format": {"type": "json_object", "json_schema": schema}}


OF_PROMPTS = {"openai-completions", "mistral-fim"}
"""Templates that continue a prompt, for which no request has a schema."""
WITH_SCHEMA = [template for template in PATHS if template not in ONLY_STREAMS | OF_PROMPTS]

LARGE_SCHEMAS: dict[str, Any] = {
    "long items": {"type": "array", "minItems": 10_000, "items": {"type": "string", "minLength": 40_000}},
    "nested items": {
        "type": "array",
        "minItems": 1000,
        "items": {"type": "array", "minItems": 1000, "items": {"type": "integer"}},
    },
    "properties": {"type": "object", "minProperties": 10**9},
    "a pattern that repeats": {"type": "string", "pattern": "(((x{200}){200}){200}){200}"},
}


@pytest.mark.parametrize("schema", LARGE_SCHEMAS.values(), ids=LARGE_SCHEMAS)
@pytest.mark.parametrize("template", WITH_SCHEMA)
@STREAMS
def test_a_schema_with_large_values(url: str, template: str, schema: Any, stream: bool) -> None:
    assert is_refused(say(url, template, SAID, stream=stream, **with_schema(template, schema)), template)


@pytest.mark.parametrize("template", WITH_SCHEMA)
@STREAMS
def test_a_schema_whose_value_is_large_but_not_too_large(url: str, template: str, stream: bool) -> None:
    schema = {"type": "array", "minItems": 5, "items": {"type": "string", "minLength": 20_000}}
    answer = say(url, template, SAID, stream=stream, **with_schema(template, schema))
    assert answer.status_code == 200
    made = max(texts(payloads(answer.text) if stream else answer.json()), key=len)
    assert [len(text) for text in json.loads(made)] == [20_000] * 5


@pytest.mark.parametrize("template", WITH_SCHEMA)
@STREAMS
def test_a_schema_without_a_valid_value(url: str, template: str, stream: bool) -> None:
    for schema in ({"type": "string", "enum": []}, {"type": "object", "required": ["a"], "maxProperties": 0}):
        assert is_refused(say(url, template, SAID, stream=stream, **with_schema(template, schema)), template)


@pytest.mark.parametrize("digits", [5, 30, 5000])
def test_sizes_that_gemini_sends_as_text(url: str, digits: int) -> None:
    schema = {"type": "ARRAY", "minItems": "9" * digits, "items": {"type": "STRING"}}
    answer = say(url, "gemini", SAID, generationConfig={"responseSchema": schema})
    assert is_refused(answer, "gemini") or answer.status_code == 200


# -- long messages -----------------------------------------------------------------------------------------------------

TOO_LONG = {"many words": "a " * (budget.MOST_EVENTS + 1), "one word": "a" * (budget.LONGEST_TEXT + 1)}


@pytest.mark.parametrize("said", TOO_LONG.values(), ids=TOO_LONG)
@pytest.mark.parametrize("template", PATHS)
def test_an_echo_that_is_too_long(url: str, template: str, said: str) -> None:
    assert is_refused(say(url, template, said, stream=True), template)


@pytest.mark.parametrize("template", PATHS)
@STREAMS
def test_a_long_echo_is_whole(url: str, template: str, stream: bool) -> None:
    said = " ".join(map(str, range(3000)))
    answer = say(url, template, said, stream=stream)
    assert answer.status_code == 200
    if stream or template in ONLY_STREAMS:
        parts = payloads(answer.text)
        if template == "cohere-chat-v1":
            del parts[-1]  # which has the whole answer again
        found = [text for text in texts(parts) if re.fullmatch(r" ?\d+", text)]
        assert "".join(found) == said
    else:
        assert said in texts(answer.json())


@pytest.fixture(scope="module")
def mockd() -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(preset="llm")) as running:
        yield running


def kept(mockd: RunningMockd) -> list[Any]:
    """The caches of compiled scripts of all mocks."""
    served = mockd.engine.mock_set.served
    plans = [served.find(spec.id).parts[0].plan for spec in served.specs()]
    return [plan.scripts for plan in (*plans, *(variant for plan in plans for variant in plan.variants.values()))]


def test_a_long_echo_is_not_kept(mockd: RunningMockd) -> None:
    before = sum(map(len, kept(mockd)))
    for template in PATHS:
        assert say(mockd.url, template, "word " * 20_000, stream=True).status_code == 200
    assert sum(map(len, kept(mockd))) == before
    for template in PATHS:
        assert say(mockd.url, template, f"short {template}", stream=True).status_code == 200
    assert sum(map(len, kept(mockd))) == before + len(PATHS)


def test_what_is_kept_is_bounded_in_bytes(mockd: RunningMockd) -> None:
    for number in range(40):
        assert say(mockd.url, "openai-chat", f"{number} " * 500, stream=True).status_code == 200
    largest = max(cache.bytes for cache in kept(mockd))
    assert MOST_SCRIPT_BYTES / 2 < largest <= MOST_SCRIPT_BYTES


def test_a_long_echo_fails_where_it_should() -> None:
    mock = {
        "matcher": {"path": PATHS["openai-chat"]},
        "sse": {"template": "openai-chat", "templateParams": {"echo": True, "error": {"afterTokens": 700}}},
    }
    with running_mockd(mock) as mockd:
        events = payloads(say(mockd.url, "openai-chat", "word " * 20_000, stream=True).text)
    assert len(events) == 702
    assert "error" in events[-1]


# -- choices, log probabilities ----------------------------------------------------------------------------------------

MULTIPLIED: dict[str, dict[str, Any]] = {
    "openai-chat": {"n": 128, "logprobs": True, "top_logprobs": 20},
    "azure-openai": {"n": 128, "logprobs": True, "top_logprobs": 20},
    "mistral-chat": {"n": 128, "logprobs": True, "top_logprobs": 20},
    "openai-responses": {"include": ["message.output_text.logprobs"], "top_logprobs": 20},
    "gemini": {"generationConfig": {"candidateCount": 8}},
    "ollama-chat": {"logprobs": True, "top_logprobs": 20},
    "ollama-generate": {"logprobs": True, "top_logprobs": 20},
    "cohere-chat": {"logprobs": True},
}


@pytest.mark.parametrize("template", MULTIPLIED)
@STREAMS
def test_choices_and_log_probabilities_multiply(url: str, template: str, stream: bool) -> None:
    more = MULTIPLIED[template]
    assert is_refused(say(url, template, "a " * 100_000, stream=stream, **more), template)
    assert is_refused(say(url, template, "a" * 900_000, stream=stream, **more), template)
    assert say(url, template, SAID, stream=stream, **more).status_code == 200


# -- how long one step takes, counted in characters --------------------------------------------------------------------


@pytest.mark.parametrize("template", MULTIPLIED)
def test_no_event_is_too_large(url: str, template: str) -> None:
    """Replies with log probabilities are the largest for their length. They are asked for with fewer and fewer words,
    until they are within the budget."""
    for said in ("a" * 900_000, "a " * 60_000, "a" * 999 + " "):
        while (answer := say(url, template, said, stream=True, **MULTIPLIED[template])).status_code == 400:
            assert len(said) > 10
            said = said[: len(said) * 4 // 5]
        assert max(map(len, answer.text.splitlines())) < 4 * budget.LARGEST_EVENT


def test_a_long_word_is_several_tokens() -> None:
    for text in ("a" * 5000, " " * 5000 + "a", "a b  " + "c" * 1001, " \n", "a" + " " * 3000):
        tokens = tokens_of(text)
        assert "".join(tokens) == text
        assert max(map(len, tokens)) <= 2 * LONGEST_WORD
    assert tokens_of("a  b\nc ") == ("a", "  b", "\nc", " ")


@pytest.mark.parametrize("mock", [{"echo": True}, {"text": "{{ request.body.messages[0].content }}"}], ids=str)
def test_a_text_of_too_many_words_is_not_cut_into_them(mock: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[int] = []

    def cutting(text: str) -> tuple[str, ...]:
        cut.append(len(text))
        return tokens_of(text)

    monkeypatch.setattr(source, "tokens_of", cutting)
    monkeypatch.setattr(reply, "tokens_of", cutting)
    config = {"matcher": {"path": PATHS["openai-chat"]}, "sse": {"template": "openai-chat", "templateParams": mock}}
    with running_mockd(config) as mockd:
        assert is_refused(say(mockd.url, "openai-chat", "a " * 400_000, stream=True), "openai-chat")
        assert max(cut) < 1000
        assert say(mockd.url, "openai-chat", "a " * 1000, stream=True).status_code == 200
        assert max(cut) == 2000


def test_words_of_long_prompts_are_estimated() -> None:
    assert count_words(["a b", "", "c"]) == 3
    assert count_words(["a " * 100_000] * 30) == 3_000_000
    assert abs(count_words(["abc " * 1_000_000]) - 1_000_000) < 10


def test_they_multiply_what_a_mock_says_by_itself() -> None:
    mock = {
        "matcher": {"path": PATHS["openai-chat"]},
        "sse": {"template": "openai-chat", "templateParams": {"text": "a " * 200_000}},
    }
    with running_mockd(mock) as mockd:
        assert is_refused(say(mockd.url, "openai-chat", SAID, n=2), "openai-chat")
        assert say(mockd.url, "openai-chat", SAID).status_code == 200


@pytest.mark.parametrize("template", [name for name in PATHS if name not in ONLY_STREAMS])
def test_a_long_name_of_a_model(url: str, template: str) -> None:
    name = "m" * 5000
    path = PATHS[template].replace("{model}", name)
    body = {**asked(template, stream=True), "model": name}
    assert is_refused(httpx2.post(url + path, json=body), template)


# -- embeddings, moderations -------------------------------------------------------------------------------------------


def embed(url: str, template: str, inputs: int, dimensions: int, **more: Any) -> httpx2.Response:
    given = ["a"] * inputs
    name = "output_dimension" if template.startswith(("mistral", "cohere")) else None
    body: dict[str, Any] = {"model": "m", "input": given, name or "dimensions": dimensions, **more}
    if template.startswith("cohere"):
        body["texts"] = body.pop("input")
    if template == "gemini-embeddings":
        one = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": dimensions}
        body = {"requests": [one] * inputs}
    if template == "vertex-embeddings":
        body = {"instances": [{"content": "a"}] * inputs, "parameters": {"outputDimensionality": dimensions}}
    return httpx2.post(url + EMBEDDINGS[template], json=body, timeout=60)


@pytest.mark.parametrize("template", EMBEDDINGS)
def test_embeddings_of_many_dimensions(url: str, template: str) -> None:
    assert is_refused(embed(url, template, 100, 65536), template)
    assert is_refused(embed(url, template, 20_000, 150), template)


def test_many_short_embeddings(url: str) -> None:
    assert is_refused(embed(url, "openai-embeddings", 200_000, 1), "openai")


@pytest.mark.parametrize("template", EMBEDDINGS)
def test_embeddings_of_usual_size_are_whole(url: str, template: str) -> None:
    answer = embed(url, template, 96, 256)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json()
    vectors = {
        "openai-embeddings": lambda: [one["embedding"] for one in found["data"]],
        "mistral-embeddings": lambda: [one["embedding"] for one in found["data"]],
        "gemini-embeddings": lambda: [one["values"] for one in found["embeddings"]],
        "vertex-embeddings": lambda: [one["embeddings"]["values"] for one in found["predictions"]],
        "ollama-embeddings": lambda: found["embeddings"],
        "cohere-embeddings": lambda: found["embeddings"]["float"],
        "cohere-embeddings-v1": lambda: found["embeddings"],
    }[template]()
    assert vectors == [vector("a", 256)] * 96


def test_as_many_embeddings_as_the_service_gives(url: str) -> None:
    answer = embed(url, "openai-embeddings", 2048, 1536, encoding_format="base64")
    assert len(answer.json()["data"]) == 2048


def test_forms_of_embeddings_multiply(url: str) -> None:
    forms = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    assert is_refused(embed(url, "cohere-embeddings", 96, 6000, embedding_types=forms), "cohere")
    assert embed(url, "cohere-embeddings", 96, 6000, embedding_types=["binary"] * 1000).status_code == 200


@pytest.mark.parametrize("types", [[["float"]], [{}], [None]])
def test_forms_that_are_no_names(url: str, types: Any) -> None:
    assert is_refused(embed(url, "cohere-embeddings", 1, 2, embedding_types=types), "cohere")


def test_moderations_of_many_inputs(url: str) -> None:
    assert is_refused(httpx2.post(url + "/v1/moderations", json={"input": ["a"] * 100_000}), "openai")
    answer = httpx2.post(url + "/v1/moderations", json={"input": ["a"] * 1000})
    assert len(answer.json()["results"]) == 1000


# -- what is nested deeply ---------------------------------------------------------------------------------------------

TEXT_ALONE = OF_PROMPTS | {"ollama-generate", "cohere-chat-v1"}
"""Templates whose requests have a text, and no contents with parts."""
NESTABLE = [template for template in PATHS if template not in TEXT_ALONE]


def nested(depth: int) -> str:
    return "[" * depth + '"deep"' + "]" * depth


@pytest.mark.parametrize("template", NESTABLE)
@STREAMS
def test_contents_that_are_nested(url: str, template: str, stream: bool) -> None:
    body = json.dumps(asked(template, stream=stream, **{"input": [{"role": "user", "content": SAID}]}))
    for depth, is_too_deep in ((50, False), (200, True), (900, True)):
        answer = post(url, template, body.replace(json.dumps(SAID), nested(depth)), stream=stream)
        assert is_refused(answer, template) is is_too_deep, depth
        assert is_too_deep or '"deep"' in answer.text


@pytest.mark.parametrize("template", EMBEDDINGS)
def test_inputs_that_are_nested(url: str, template: str) -> None:
    for depth in (200, 900):
        for key in ("input", "texts", "requests"):
            inner = f'[{{"content": {nested(depth)}}}]' if key == "requests" else nested(depth)
            body = f'{{"model": "m", "{key}": {inner}}}'
            answer = httpx2.post(url + EMBEDDINGS[template], content=body)
            assert is_refused(answer, template) or answer.status_code == 200


@pytest.mark.parametrize("template", WITH_SCHEMA)
@pytest.mark.parametrize("depth", [90, 200, 400])
def test_schemas_that_are_nested(url: str, template: str, depth: int) -> None:
    schema = '{"items": ' * depth + "{}" + "}" * depth
    body = json.dumps(asked(template, stream=False, **with_schema(template, "SCHEMA")))
    answer = post(url, template, body.replace('"SCHEMA"', schema))
    assert answer.status_code in (200, 400), answer.text


NUMBERS = ["123456789012345678901234567890", "-9223372036854775809", "1e308", "1e400", "0.1e-400"]


@pytest.mark.parametrize("template", PATHS)
@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_any_size(url: str, template: str, number: str) -> None:
    names = ("n", "top_logprobs", "max_output_tokens", "temperature", "seed", "metadata", "logprobs")
    more = dict.fromkeys(names, "NUMBER") | {"generationConfig": {"candidateCount": "NUMBER"}}
    schemas = with_schema(template, {"const": "NUMBER", "minLength": "NUMBER"}) if template in WITH_SCHEMA else {}
    for fields in (more, schemas):
        body = json.dumps(asked(template, stream=False, **fields)).replace('"NUMBER"', number)
        refusals = (400, 422) if template.startswith("mistral") else (400,)
        assert post(url, template, body).status_code in (200, *refusals)


@pytest.mark.parametrize("template", WITH_SCHEMA)
def test_a_large_schema(url: str, template: str) -> None:
    schema = {"type": "object", "description": "x" * budget.LONGEST_SCHEMA}
    assert is_refused(say(url, template, SAID, **with_schema(template, schema)), template)
    if template == "gemini":
        assert is_refused(say(url, template, SAID, generationConfig={"responseSchema": schema}), template)


# -- what follows the request ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_reply_takes_from_a_request_is_bounded(stream: bool) -> None:
    mock = {
        "matcher": {"path": PATHS["openai-chat"]},
        "sse": {"template": "openai-chat", "templateParams": {"text": "{{ request.body.messages[0].content }}"}},
    }
    with running_mockd(mock) as mockd:
        assert is_refused(say(mockd.url, "openai-chat", "a" * 1_100_000, stream=stream), "openai-chat")
        assert is_refused(say(mockd.url, "openai-chat", "a " * 200_000, stream=stream), "openai-chat")
        said = "a " * 20_000
        answer = say(mockd.url, "openai-chat", said, stream=stream)
        if stream:
            assert "".join(text for text in texts(payloads(answer.text)) if re.fullmatch(" ?a| ", text)) == said
        else:
            assert said in texts(answer.json())
        assert sum(map(len, kept(mockd))) == 0
