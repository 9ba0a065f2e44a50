"""Embeddings and moderations: vectors that follow from the text, in every provider's form."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import httpx2
import pytest

from mockd.errors import ConfigError
from mockd.sources.llm.endpoints.embeddings import vector
from mockd.testing import running_mockd
from tests.unit.llm.asking import ask


def say(template: str, body: Any, path: str = "/ask", **params: Any) -> Any:
    answer = ask(template, body, path, part="response", **params)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    return answer.json()


def unpacked(text: str) -> list[float]:
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


# -- vectors -----------------------------------------------------------------------------------------------------------


def test_a_vector_follows_from_its_text() -> None:
    assert vector("a", 8) == vector("a", 8)
    assert vector("a", 8) != vector("b", 8)
    assert math.isclose(math.hypot(*vector("some text", 1536)), 1, rel_tol=1e-6)


def test_a_shorter_vector_points_the_same_way() -> None:
    short, long = vector("a", 4), vector("a", 16)
    length = math.hypot(*long[:4])
    assert [round(number / length, 6) for number in long[:4]] == [round(number, 6) for number in short]


def test_vectors_do_not_depend_on_seed_or_model() -> None:
    body = {"model": "one", "input": "a", "dimensions": 3}
    found = say("openai-embeddings", body)["data"], say("openai-embeddings", {**body, "model": "other"})["data"]
    assert found[0] == found[1]
    assert found[0][0]["embedding"] == vector("a", 3)


# -- OpenAI, Mistral ---------------------------------------------------------------------------------------------------


def test_openai() -> None:
    answer = say("openai-embeddings", {"model": "m", "input": ["one two", "three"], "dimensions": 2})
    assert answer == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": vector("one two", 2)},
            {"object": "embedding", "index": 1, "embedding": vector("three", 2)},
        ],
        "model": "m",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


def test_openai_in_base64() -> None:
    body = {"model": "m", "input": "a", "dimensions": 5}
    [plain] = say("openai-embeddings", body)["data"]
    [packed] = say("openai-embeddings", {**body, "encoding_format": "base64"})["data"]
    assert unpacked(packed["embedding"]) == plain["embedding"]


@pytest.mark.parametrize(
    ("given", "count"), [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2), ([{"text": "a"}], 1)]
)
def test_inputs_of_every_kind(given: Any, count: int) -> None:
    data = say("openai-embeddings", {"model": "m", "input": given, "dimensions": 2})["data"]
    assert len({tuple(one["embedding"]) for one in data}) == len(data) == count


def test_tokens_are_an_input_like_text() -> None:
    [one], [other] = (
        say("openai-embeddings", {"model": "m", "input": tokens, "dimensions": 2})["data"] for tokens in ([1], [2])
    )
    assert one["embedding"] != other["embedding"]


@pytest.mark.parametrize(("params", "size"), [({}, 1536), ({"dimensions": 3}, 3)])
@pytest.mark.parametrize("asked", [None, 0, -1, "5", 10**9])
def test_dimensions_where_the_request_says_none(params: dict[str, Any], size: int, asked: Any) -> None:
    [one] = say("openai-embeddings", {"model": "m", "input": "a", "dimensions": asked}, **params)["data"]
    assert len(one["embedding"]) == size


def test_mistral() -> None:
    answer = say("mistral-embeddings", {"model": "m", "input": ["a"], "output_dimension": 2})
    assert answer["data"] == [{"object": "embedding", "index": 0, "embedding": vector("a", 2)}]
    assert answer["usage"] == {"prompt_tokens": 1, "total_tokens": 1, "completion_tokens": 0}
    assert len(answer["id"]) == 32


# -- Gemini, Ollama, Cohere --------------------------------------------------------------------------------------------


def test_gemini() -> None:
    one = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 2}
    assert say("gemini-embeddings", one, "/models/m:embedContent") == {"embedding": {"values": vector("a", 2)}}
    several = {"requests": [one, {"content": {"parts": [{"text": "b"}]}}]}
    answer = say("gemini-embeddings", several, "/models/m:batchEmbedContents", dimensions=3)
    assert answer == {"embeddings": [{"values": vector("a", 2)}, {"values": vector("b", 3)}]}


def test_ollama() -> None:
    answer = say("ollama-embeddings", {"model": "m", "input": ["a b", "c"], "dimensions": 2})
    assert answer["embeddings"] == [vector("a b", 2), vector("c", 2)]
    assert (answer["model"], answer["prompt_eval_count"]) == ("m", 3)


def test_ollama_as_it_was() -> None:
    assert say("ollama-embeddings", {"model": "m", "prompt": "a"}, dimensions=2) == {"embedding": vector("a", 2)}


def test_vertex_predicts() -> None:
    instances = [{"content": "a b", "task_type": "RETRIEVAL_QUERY"}, {"content": "c"}, "no object"]
    body = {"instances": instances, "parameters": {"outputDimensionality": 2}}
    answer = say("vertex-embeddings", body, "/models/text-embedding-005:predict")
    assert [one["embeddings"]["values"] for one in answer["predictions"]] == [vector(t, 2) for t in ("a b", "c", "")]
    assert answer["predictions"][0]["embeddings"]["statistics"] == {"token_count": 2, "truncated": False}
    assert answer["metadata"] == {"billableCharacterCount": 4}


def test_vertex_embeds_contents() -> None:
    one = {"content": {"parts": [{"text": "a b"}]}, "embedContentConfig": {"outputDimensionality": 2}}
    usage = {"truncated": False, "usageMetadata": {"promptTokenCount": 2}}
    answer = say("vertex-embeddings", one, "/models/m:embedContent")
    assert answer == {"embedding": {"values": vector("a b", 2)}, **usage}
    answer = say("vertex-embeddings", {"requests": [one]}, "/models/m:batchEmbedContents")
    assert answer == {"embeddings": [{"values": vector("a b", 2)}], **usage}


def test_cohere_in_every_form() -> None:
    types = ["float", "int8", "uint8", "binary", "ubinary", "base64", "unknown"]
    body = {"model": "m", "texts": ["a", "b c"], "output_dimension": 9, "embedding_types": types}
    answer = say("cohere-embeddings", body)
    forms = answer["embeddings"]
    assert list(forms) == types[:-1]
    assert forms["float"] == [vector("a", 9), vector("b c", 9)]
    assert [unpacked(text) for text in forms["base64"]] == forms["float"]
    assert all(-128 <= number <= 127 for numbers in forms["int8"] for number in numbers)
    assert all(0 <= number <= 255 for numbers in forms["uint8"] for number in numbers)
    # A bit for each number, the first one highest; the last byte is filled up.
    bits = [f"{byte:08b}" for byte in forms["ubinary"][0]]
    signs = "".join("1" if number > 0 else "0" for number in forms["float"][0])
    assert "".join(bits)[:9] == signs
    assert [byte + 128 for byte in forms["binary"][0]] == forms["ubinary"][0]
    assert answer["texts"] == ["a", "b c"]
    assert answer["meta"]["billed_units"] == {"input_tokens": 3}


def test_cohere_of_version_1() -> None:
    body = {"model": "m", "texts": ["a", "b"], "output_dimension": 8}
    bare = say("cohere-embeddings-v1", body)
    assert (bare["response_type"], bare["texts"]) == ("embeddings_floats", ["a", "b"])
    assert bare["embeddings"] == [vector("a", 8), vector("b", 8)]
    assert bare["meta"]["api_version"] == {"version": "1"}
    forms = say("cohere-embeddings-v1", {**body, "embedding_types": ["ubinary", "float"]})
    assert (forms["response_type"], sorted(forms["embeddings"])) == ("embeddings_by_type", ["float", "ubinary"])
    assert forms["embeddings"]["float"] == bare["embeddings"]


def test_cohere_with_inputs() -> None:
    inputs = [{"content": [{"type": "text", "text": "a"}]}]
    answer = say("cohere-embeddings", {"model": "m", "inputs": inputs, "output_dimension": 2})
    assert answer["embeddings"] == {"float": [vector("a", 2)]}


# -- moderations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "count"), [("a", 1), (["a", "b"], 2), ([{"type": "text", "text": "a"}, {"type": "image_url"}], 1)]
)
def test_moderations(given: Any, count: int) -> None:
    answer = say("openai-moderations", {"input": given})
    assert answer["model"] == "omni-moderation-latest"
    assert len(answer["results"]) == count
    for result in answer["results"]:
        assert result["flagged"] is False
        assert not any(result["categories"].values())
        assert result["categories"].keys() == result["category_scores"].keys()


def test_moderations_that_flag() -> None:
    [result] = say("openai-moderations", {"input": "a", "model": "m"}, flagged=["violence"])["results"]
    assert result["flagged"] is True
    assert [name for name, is_so in result["categories"].items() if is_so] == ["violence"]
    assert max(result["category_scores"], key=result["category_scores"].get) == "violence"


# -- errors ------------------------------------------------------------------------------------------------------------

LACKING = {
    "openai-embeddings": ({"model": "m"}, {"error"}),
    "mistral-embeddings": ({"model": "m"}, {"message"}),
    "gemini-embeddings": ([], {"error"}),
    "vertex-embeddings": ([], {"error"}),
    "ollama-embeddings": ({"input": "a"}, {"error"}),
    "cohere-embeddings": ({"texts": ["a"]}, {"message"}),
    "cohere-embeddings-v1": ({"texts": ["a"]}, {"message"}),
    "openai-moderations": ({"model": "m"}, {"error"}),
}


@pytest.mark.parametrize("template", LACKING)
def test_strict(template: str) -> None:
    body, keys = LACKING[template]
    answer = ask(template, body, part="response", strict=True)
    assert answer.status_code == (422 if template.startswith("mistral") else 400)
    assert keys <= answer.json().keys()
    assert ask(template, body, part="response").status_code == 200


def test_an_error_at_first() -> None:
    error = {"status": 429, "retryAfter": 1.5, "times": 2}
    template = {"template": "openai-embeddings", "templateParams": {"error": error}}
    with running_mockd({"matcher": {"path": "/ask"}, "response": template}) as mockd:
        answers = [httpx2.post(mockd.url + "/ask", json={"model": "m", "input": "a"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert (answers[0].headers["retry-after"], answers[0].headers["retry-after-ms"]) == ("2", "1500")
    assert answers[0].headers["x-request-id"] != answers[1].headers["x-request-id"]


@pytest.mark.parametrize(
    ("template", "params", "path"),
    [
        ("openai-embeddings", {"dimensions": 0}, "$.response.templateParams.dimensions"),
        ("openai-embeddings", {"text": "a"}, "$.response.templateParams.text"),
        ("openai-moderations", {"flagged": ["rudeness"]}, "$.response.templateParams.flagged[0]"),
    ],
)
def test_parameters_that_are_wrong(template: str, params: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ask(template, {}, part="response", **params)
    assert str(caught.value).startswith(path)


# -- dimensions of known models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "path", "model", "dimensions"),
    [
        ("openai-embeddings", "/ask", "text-embedding-3-large", 3072),
        ("openai-embeddings", "/ask", "openai/text-embedding-3-large", 3072),
        ("openai-embeddings", "/ask", "any", 1536),
        ("mistral-embeddings", "/ask", "codestral-embed", 1536),
        ("mistral-embeddings", "/ask", "any", 1024),
        ("ollama-embeddings", "/ask", "all-minilm:latest", 384),
        ("ollama-embeddings", "/ask", "any", 768),
        ("cohere-embeddings", "/ask", "embed-english-v3.0", 1024),
        ("cohere-embeddings", "/ask", "any", 1536),
        ("cohere-embeddings-v1", "/ask", "embed-multilingual-light-v3.0", 384),
        ("gemini-embeddings", "/v1beta/models/text-embedding-004:embedContent", None, 768),
        ("gemini-embeddings", "/v1beta/models/any:embedContent", None, 3072),
        ("vertex-embeddings", "/publishers/google/models/gemini-embedding-001:predict", None, 3072),
        ("vertex-embeddings", "/publishers/google/models/any:predict", None, 768),
    ],
)
def test_a_vector_has_the_dimensions_of_its_model(template: str, path: str, model: str | None, dimensions: int) -> None:
    body = {"model": model, "input": "a", "texts": ["a"], "content": {"parts": [{"text": "a"}]}}
    if path.endswith("predict"):
        body["instances"] = [{"content": "a"}]
    assert length(say(template, body, path)) == dimensions
    assert length(say(template, body, path, dimensions=5)) == 5


def length(answer: Any) -> int:
    """The number of numbers in the first list of numbers in an answer."""
    if isinstance(answer, list) and answer and isinstance(answer[0], float):
        return len(answer)
    items = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ()
    return next((found for found in map(length, items) if found), 0)
