"""Forms of an error in the stream of a model, by the fault `error` and by the template's own `error`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.testing import RunningMockd, running_mockd
from tests.wire.sockets import Client

SAID = "That was too much."
FORMS = {
    "openai-chat": ("object", "chunk", "event"),
    "azure-openai": ("object", "chunk", "event"),
    "openai-responses": ("nested", "flat", "failed"),
}
CASES = [(template, form, way) for template, forms in FORMS.items() for form in forms for way in ("fault", "parameter")]


def mock_of(template: str, form: str, way: str) -> dict[str, Any]:
    params: dict[str, Any] = {"tokens": ["a", "b"], "errorForm": form}
    if way == "parameter":
        params["error"] = {"message": SAID, "afterTokens": 99}
    # Behind the last token and, in Responses, before what says that the text is done.
    events = {"openai-chat": 3, "azure-openai": 4, "openai-responses": 6}[template]
    return {
        "id": f"{template}-{form}-{way}",
        "matcher": {"method": "POST", "path": f"/{template}/{form}/{way}"},
        "sse": {"template": template, "templateParams": params},
        "faults": [f'error message="{SAID}" after {events} events'] if way == "fault" else [],
    }


@pytest.fixture(scope="module")
def server() -> Iterator[RunningMockd]:
    with running_mockd(*[mock_of(*case) for case in CASES]) as running:
        yield running


def events_of(server: RunningMockd, path: str) -> list[tuple[str | None, Any]]:
    """The type and the data of each event."""
    with Client(server.url) as client:
        client.ask(path, method="POST", body=b'{"stream":true}').read_head()
        blocks = b"".join(client.read_chunks()).decode().split("\n\n")[:-1]
    found = []
    for block in blocks:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith("retry"))
        found.append((fields.get("event"), json.loads(fields["data"])))
    return found


@pytest.mark.parametrize(("template", "form", "way"), CASES)
def test_the_form(server: RunningMockd, template: str, form: str, way: str) -> None:
    *before, (kind, said) = events_of(server, f"/{template}/{form}/{way}")
    if template != "openai-responses":
        assert kind == ("error" if form == "event" else None)
        assert said["error"]["message"] == SAID
        if form == "chunk":
            assert said["object"] == "chat.completion.chunk"
            assert said["choices"][0]["finish_reason"] == "error"
            assert said["error"]["code"] == "server_error"
            assert said["id"] == before[-1][1]["id"]
        else:
            assert said.keys() == {"error"}
        return
    assert (kind, said["type"]) == ("response.failed", "response.failed")
    assert said["response"]["error"] == {"code": "server_error", "message": SAID}
    assert [data["sequence_number"] for _, data in [*before, (kind, said)]] == list(range(len(before) + 1))
    errors = [data for event, data in before if event == "error"]
    assert len(errors) == (form != "failed")
    if errors:
        assert (errors[0]["error"] if form == "nested" else errors[0])["message"] == SAID
