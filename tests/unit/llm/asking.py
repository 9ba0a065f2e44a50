"""What a template answers, over a real connection."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from mockd.testing import running_mockd


def ask(
    template: str, body: Any, path: str = "/ask", *, part: str = "sse", query: str = "", **params: Any
) -> httpx2.Response:
    """The answer of a mock with these parameters to a JSON body, or to bytes as they are."""
    mock = {"matcher": {"path": path}, part: {"template": template, "templateParams": params}}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with running_mockd(mock) as mockd:
        return httpx2.post(mockd.url + path + query, content=content)


def events(response: httpx2.Response) -> list[tuple[str | None, Any]]:
    """The events of a stream: their type, and their data as JSON where it is JSON."""
    end = "\r\n" if "\r\n" in response.text else "\n"
    *blocks, rest = response.text.split(end * 2)
    assert rest == ""
    return [_event(block.split(end)) for block in blocks]


def _event(lines: list[str]) -> tuple[str | None, Any]:
    fields = dict(line.split(": ", 1) for line in lines)
    assert list(fields) in (["event", "data"], ["data"])
    data = fields["data"]
    return fields.get("event"), json.loads(data) if data.startswith("{") else data
