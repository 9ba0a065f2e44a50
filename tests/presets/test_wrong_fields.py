"""Every field of every request to the preset with every wrong type: an answer, or the provider's own refusal."""

from __future__ import annotations

import ast
import contextlib
import json
import logging
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.presets.llm import LLM
from mockd.settings import Settings
from mockd.sources import llm
from mockd.testing import running_mockd
from tests.presets.bodies import STREAMS, WHOLE
from tests.wire.sockets import PATIENCE_S

Path_ = tuple[str | int, ...]

WRONG: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    2**80,
    "",
    "text",
    "\ud800",
    [],
    ["float"],
    [["float"]],
    [[[]]],
    [None, 1, "a", {}],
    {},
    {"a": 1},
    {"": []},
    {"type": []},
    {"text": 5, "content": {"parts": 5}},
    {"$ref": "#"},
]
RAW = [
    "NaN",
    "1e999",
    "9" * 5000,
    '{"name": 1, "name": "f", "type": "function"}',
    r'"\u0000\u2028"',
    "[" * 900 + "]" * 900,
    '[{"type": "text", "content": ' * 300 + '"x"' + "}]" * 300,
]
"""Values in the words of JSON that no writer of JSON has: not JSON at all, odd, or close to as deep as JSON may be."""
NOT_OF_BODIES = {"alt", "", "after", "key", "limit", "order", "stream", "item", "auto"}
"""What is read of something else than a body, a parameter of the URL, and what are no names but defaults."""
REFUSED = (400, 404, 422)
"""404 is for the name of a conversation that there is not, 422 is Mistral's for what is not valid."""
CASES = [(kind, stream) for kind in WHOLE for stream in (False, True) if not stream or kind in STREAMS]


def places(value: Any, place: Path_ = ()) -> Iterator[Path_]:
    """The place of a value, and of all that is in it."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def put(value: Any, place: Path_, item: Any) -> Any:
    """The value with another item at a place."""
    if not place:
        return item
    copy = value.copy()
    copy[place[0]] = put(value[place[0]], place[1:], item)
    return copy


@pytest.fixture(scope="module")
def client() -> Iterator[HTTPConnection]:
    with (
        running_mockd(settings=Settings(preset="llm")) as mockd,
        contextlib.closing(HTTPConnection(urlsplit(mockd.url).netloc, timeout=PATIENCE_S)) as client,
    ):
        yield client


def bodies(body: Any, place: Path_) -> Iterator[str]:
    """The body with every wrong value at a place."""
    for value in WRONG:
        yield json.dumps(put(body, place, value))
    marked = json.dumps(put(body, place, "HERE"))
    for raw in RAW:
        yield marked.replace('"HERE"', raw)


def ask(client: HTTPConnection, path: str, body: str) -> tuple[int, bytes]:
    client.request("POST", path, body, {"Content-Type": "application/json"})
    answer = client.getresponse()
    return answer.status, answer.read()


def is_refusal(path: str, content: bytes) -> bool:
    """Whether this is an error in the form of the provider that has this path."""
    body = json.loads(content)
    provider = path.split("/")[1]
    if provider == "mistral" and body["raw_status_code"] == 422:
        return all(isinstance(detail["msg"], str) for detail in body["message"]["detail"])
    if provider in ("cohere", "mistral", "ag-ui"):
        return isinstance(body["message"], str)
    if provider in ("ollama", "vercel"):
        return isinstance(body["error"], str)
    return isinstance(body["error"]["message"], str)


@pytest.mark.parametrize(("kind", "stream"), CASES, ids=str)
def test_a_field_of_a_wrong_type_is_no_fault(
    client: HTTPConnection, caplog: pytest.LogCaptureFixture, kind: str, stream: bool
) -> None:
    path, body = WHOLE[kind]
    if kind in STREAMS:
        body = {**body, "stream": stream}
    assert ask(client, path, json.dumps(body))[0] == 200
    wrong = []
    with caplog.at_level(logging.ERROR):
        for place in places(body):
            for text in bodies(body, place):
                status, content = ask(client, path, text)
                if not ((status == 200 and content) or (status in REFUSED and is_refusal(path, content))):
                    wrong.append((place, text[:1000], status, content[:100]))
    assert wrong == []
    assert caplog.records == []


def test_every_route_that_takes_a_body_is_asked() -> None:
    asked = {path for path, _ in WHOLE.values()}
    named = {route.template for route in LLM.routes if route.method == "POST" and route.template}
    named -= {"openai-stored-responses"}  # whose bodies are empty
    found = {
        route.template
        for route in LLM.routes
        for path in asked
        if path.startswith(f"/{route.provider}/") and path.endswith(route.path.rpartition("}")[2].lstrip("/"))
    }
    assert named <= found


def test_every_field_that_is_read_is_in_a_body() -> None:
    read = set()
    for file in Path(llm.__file__).parent.rglob("*.py"):
        if file.parent.name != "schemas":
            read |= set(names_read(ast.parse(file.read_text(encoding="utf-8"))))
    assert {"embedding_types", "stream_options", "candidateCount"} <= read
    written = {str(key) for _, body in WHOLE.values() for place in places(body) for key in place} | {"stream"}
    assert read - NOT_OF_BODIES - written == set()


def names_read(module: ast.AST) -> Iterator[str]:
    """The names in calls such as `body.get("n")`, `ask.part("text")` and `_get(config, "candidateCount")`."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("body.get", "get", ".text", ".part", "_asked")
        ):
            yield from (
                part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
