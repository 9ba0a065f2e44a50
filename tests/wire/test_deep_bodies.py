"""Bodies that are nested deeper than Python can follow: no parser and no reader of them fails."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mockd.settings import Settings
from mockd.testing import RunningMockd, running_mockd

DEPTHS = (90, 900, 1020, 5000, 100_000)
FORMS = {
    "lists": lambda depth: "[" * depth + "1" + "]" * depth,
    "objects": lambda depth: '{"a":' * depth + "1" + "}" * depth,
    "both": lambda depth: '{"a":[' * (depth // 2) + "1" + "]}" * (depth // 2),
    "lists in an object": lambda depth: '{"a":' + "[" * depth + "1" + "]" * depth + "}",
    "a list without its end": lambda depth: "[" * depth,
}
EXPRESSIONS = {
    "request.body": "{{ request.body }}",
    "a part": "{{ request.body.a }}",
    "a deep part": "{{ request.body.a.a.a[0][0] }}",
    "as JSON": "{{ request.body | tojson }}",
    "as text": "{{ request.body | string | length }}",
    "a comparison": "{{ request.body == request.body }}",
    "a search": "{{ request.body in [request.body] }}",
    "a sum": "{{ [request.body] + [request.body] }}",
    "a sorted list": "{{ [request.body, request.body] | sort }}",
    "each of it once": "{{ [request.body, request.body] | unique }}",
    "a loop": "{% for part in request.body %}{{ part }}{% endfor %}",
}
PATHS = {
    "equal": {"$": 1},
    "a part": {"$.a": {"a": 1}},
    "exists": {"$.a.a": {"exists": True}},
    "absent": {"$..b": {"exists": False}},
    "anywhere": {"$..b": 1},
    "everything": {"$..*": {"exists": True}},
    "a filter": {"$[?@.a == @.b]": {"exists": True}},
    "a filter of all": {"$..[?@.a]": {"exists": True}},
    "a function": {"$[?length(@.a) > 1]": {"exists": True}},
    "a count": {"$[?count(@..*) > 1]": {"exists": True}},
}
EVENTS: dict[str, Any] = {
    "sse": {"events": [{"data": "{{ request.body }}"}]},
    "chunked": {"ndjsonItems": ["{{ request.body }}"]},
    "header": {"headers": {"X-A": "{{ request.body.a }}"}, "body": "x"},
    "json": {"body": {"got": "{{ request.body }}"}},
}


@pytest.fixture(scope="module")
def mockd() -> Iterator[RunningMockd]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        for name, expression in EXPRESSIONS.items():
            mockd.engine.create({"matcher": {"path": f"/expression/{name}"}, "response": {"body": expression}})
        for name, criteria in PATHS.items():
            matcher = {"path": f"/path/{name}", "bodyJsonPath": criteria}
            mockd.engine.create({"matcher": matcher, "response": {"body": "found"}})
            mockd.engine.create(
                {
                    "matcher": {**matcher, "path": f"/not/{name}", "not": {"bodyJsonPath": criteria}},
                    "response": {"body": "x"},
                }
            )
        for name, part in EVENTS.items():
            kind = name if name in ("sse", "chunked") else "response"
            mockd.engine.create({"matcher": {"path": f"/answer/{name}"}, kind: part})
        yield mockd


@pytest.fixture(scope="module")
def client(mockd: RunningMockd) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=mockd.url, timeout=20) as client:
        yield client


ASKED = [
    *(f"/expression/{name}" for name in EXPRESSIONS),
    *(f"/path/{name}" for name in PATHS),
    *(f"/not/{name}" for name in PATHS),
    *(f"/answer/{name}" for name in EVENTS),
    "/nothing",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ASKED)
def test_a_mock_is_asked(client: httpx2.Client, caplog: pytest.LogCaptureFixture, path: str, form: str) -> None:
    with caplog.at_level(logging.WARNING):
        for depth in DEPTHS:
            answer = client.post(path, content=FORMS[form](depth))
            assert answer.status_code in (200, 404) or is_refused_expression(answer), (depth, answer.text[:200])
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


def is_refused_expression(answer: httpx2.Response) -> bool:
    """Whether an expression says, as it does of any other value, that it cannot be worked out."""
    message = answer.json()["error"]["message"] if answer.status_code == 500 else ""
    return message.startswith("ExpressionError: ") and "Recursion" not in message


LLM = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations", "/v1/messages", "/api/chat")
"""Paths of models. Which of their fields is nested makes no difference to the parser."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", [*LLM, "/v1beta/models/m:generateContent", "/v2/chat", "/v2/embed", "/agent"])
def test_a_model_is_asked(client: httpx2.Client, caplog: pytest.LogCaptureFixture, path: str, form: str) -> None:
    with caplog.at_level(logging.WARNING):
        for depth in DEPTHS:
            deep = FORMS[form](depth)
            for body in (deep, f'{{"model":"m","messages":{deep},"input":{deep},"contents":{deep},"max_tokens":1}}'):
                answer = client.post(path, content=body)
                assert answer.status_code in (200, 400), (depth, answer.text[:200])
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


ADMIN = {
    "create": ("POST", "/mocks"),
    "replace": ("PUT", "/mocks/m"),
    "patch": ("PATCH", "/mocks/m"),
    "import": ("POST", "/config"),
    "check": ("POST", "/config?dryRun=true"),
}
TYPES = {"JSON": "application/json", "YAML": "application/yaml", "a patch": "application/merge-patch+json"}
INSIDE = ("{}", '{{"mocks":{}}}', '{{"id":"m","matcher":{{"path":"/m"}},"response":{{"body":{}}}}}', '{{"matcher":{}}}')


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operation", ADMIN)
def test_the_admin_api_is_asked(
    mockd: RunningMockd,
    client: httpx2.Client,
    caplog: pytest.LogCaptureFixture,
    operation: str,
    form: str,
    type_: str,
) -> None:
    method, path = ADMIN[operation]
    if not any(spec.id == "m" for spec in mockd.engine.mocks()):
        mockd.engine.create({"id": "m", "matcher": {"path": "/m"}, "response": {"body": "x"}})
    with caplog.at_level(logging.WARNING):
        for depth in DEPTHS:
            for inside in INSIDE:
                body = inside.format(FORMS[form](depth))
                answer = client.request(method, f"/__mockd{path}", content=body, headers={"Content-Type": TYPES[type_]})
                assert answer.status_code < 500, (depth, answer.text[:200])
                assert len(answer.content) < 20_000
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("block", ["- ", "a:\n{indent}", "? "])
def test_blocks_of_yaml_are_nested(client: httpx2.Client, block: str) -> None:
    for depth in (90, 900, 3000):
        text = "".join(block.format(indent=" " * number) for number in range(1, depth + 1)) + "1"
        answer = client.post("/__mockd/mocks", content=text, headers={"Content-Type": "application/yaml"})
        assert answer.status_code == 400, (depth, answer.text[:200])


def test_what_is_not_too_deep_is_read(client: httpx2.Client) -> None:
    deep = FORMS["objects"](90)
    assert client.post("/path/absent", content=deep).text == "found"
    assert json.loads(client.post("/expression/request.body", content=deep).text) == json.loads(deep)
