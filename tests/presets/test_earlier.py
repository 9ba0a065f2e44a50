"""What a request for a response goes on from, by `previous_response_id` or `conversation`, is part of what it asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from mockd import AdminClient
from mockd.settings import Settings
from mockd.sources.llm import budget
from mockd.testing import running_mockd
from tests.presets.asking import tools
from tests.presets.test_stored import events

SCRIPT: list[dict[str, Any]] = [
    {"when": {"contains": "joke"}, "replies": [{"text": f"Joke {number}."} for number in range(4)]},
    {"when": {"contains": "broken"}, "reply": {"text": "Never said.", "error": {"message": "It broke."}}},
    {"when": {"tools": ["look"], "step": 0}, "reply": {"toolCalls": [{"name": "look"}]}},
    {"when": {"toolName": "look", "toolResultContains": "Rome", "step": 1}, "reply": {"toolCalls": [{"name": "see"}]}},
    {"when": {"toolName": "see", "step": 2}, "reply": {"text": "It rains."}},
    {"when": {"turn": 2}, "reply": {"text": "Again?"}},
    {"when": {"turn": 3, "system": "Be brief"}, "reply": {"text": "Brief."}},
    {"when": {"turn": 3}, "reply": {"text": "And again?"}},
    {"when": {"turn": 1}, "reply": {"text": "Once."}},
]
DECLARED = tools("openai-responses", "look", "see")
WAYS = ("previous", "conversation")
Serve = Callable[..., str]


class Client:
    """A client that goes on from what it asked before, in one of the two ways."""

    def __init__(self, url: str, way: str, **more: Any) -> None:
        self.url = url
        self.more = more
        self.before: dict[str, Any] = {}
        self.way = way
        if way == "conversation":
            made = httpx2.post(url + "/v1/conversations", json={}).json()
            self.before = {"conversation": made["id"]}

    def ask(self, input: Any, **more: Any) -> Any:
        """The response, which the next request goes on from."""
        answer = self.post(input, **more)
        assert answer.status_code == 200, answer.text
        is_stream = answer.headers["content-type"].startswith("text/event-stream")
        response = events(answer)[-1]["response"] if is_stream else answer.json()
        if self.way == "previous":
            self.before = {"previous_response_id": response["id"]}
        return response

    def post(self, input: Any, **more: Any) -> httpx2.Response:
        body = {"model": "m", "input": input, **self.before, **self.more, **more}
        return httpx2.post(self.url + "/v1/responses", json=body)

    def says(self, input: Any, **more: Any) -> str:
        return text_of(self.ask(input, **more))


def text_of(response: Any) -> str:
    text: str = response["output"][-1]["content"][0]["text"]
    return text


def result(response: Any, output: str) -> list[dict[str, Any]]:
    [call] = [item for item in response["output"] if item["type"] == "function_call"]
    return [{"type": "function_call_output", "call_id": call["call_id"], "output": output}]


def refused(answer: httpx2.Response) -> str:
    assert answer.status_code == 400
    message: str = answer.json()["error"]["message"]
    return message


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves the preset with the script and settings; the same server for the same ones."""
    path = tmp_path_factory.mktemp("script") / "script.json"
    path.write_text(json.dumps(SCRIPT), encoding="utf-8")
    running: dict[str, Any] = {}

    def url(**settings: Any) -> str:
        key = repr(settings)
        if key not in running:
            running[key] = running_mockd(settings=Settings(preset="llm", preset_script=str(path), **settings))
            running[key] = (running[key], running[key].__enter__())
        served: str = running[key][1].url
        return served

    yield url
    for manager, _ in running.values():
        manager.__exit__(None, None, None)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_script_carries_a_job_of_three_steps(serve: Serve, way: str, stream: bool) -> None:
    client = Client(serve(), way, stream=stream, **DECLARED)
    first = client.ask("Umbrella?")
    second = client.ask(result(first, "Rome, Italy"))
    assert second["output"][0]["name"] == "see"
    assert client.says(result(second, "Rain")) == "It rains."


@pytest.mark.parametrize("way", WAYS)
def test_replies_come_in_turn(serve: Serve, way: str) -> None:
    client, other = (Client(serve(), way) for _ in range(2))
    assert [client.says(f"A joke, {way}") for _ in range(3)] == ["Joke 0.", "Joke 1.", "Joke 2."]
    # Another conversation begins with the first, and one that goes on from the same response with the same.
    assert other.says(f"Another joke, {way}") == "Joke 0."
    if way == "previous":
        before = dict(client.before)
        assert client.says("joke") == "Joke 3."
        client.before = before
        assert client.says("joke") == "Joke 3."


@pytest.mark.parametrize("way", WAYS)
def test_users_turns_are_counted_and_instructions_are_not_inherited(serve: Serve, way: str) -> None:
    client = Client(serve(), way)
    assert client.says("Hello", instructions="Be brief") == "Once."
    assert client.says("Hello") == "Again?"
    assert client.says("Hello") == "And again?"


@pytest.mark.parametrize("way", WAYS)
def test_messages_of_the_developer_are_inherited(serve: Serve, way: str) -> None:
    client = Client(serve(), way)
    client.ask([{"role": "developer", "content": "Be brief"}, {"role": "user", "content": "Hello"}])
    client.ask("Hello")
    assert client.says("Hello") == "Brief."


@pytest.mark.parametrize("way", WAYS)
def test_usage_and_counted_tokens_have_what_was_said_before(serve: Serve, way: str) -> None:
    client = Client(serve(), way)
    image = {"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}
    first = client.ask([{"role": "user", "content": "one two three"}, image])
    assert first["usage"]["input_tokens"] == 3 + 85
    said = first["usage"]["output_tokens"]
    body = {"model": "m", "input": "four five", **client.before}
    counted = httpx2.post(serve() + "/v1/responses/input_tokens", json=body).json()["input_tokens"]
    assert client.ask("four five")["usage"]["input_tokens"] == counted == 3 + 85 + said + 2


@pytest.mark.parametrize("way", WAYS)
def test_the_context_window_is_filled_by_what_was_said_before(serve: Serve, way: str) -> None:
    client = Client(serve(context_window=8), way)
    client.ask("one two three")
    client.ask("four five")
    assert "context window" in refused(client.post("six seven"))


@pytest.mark.parametrize("way", WAYS)
def test_the_output_of_a_call_needs_the_call_before(serve: Serve, way: str) -> None:
    client = Client(serve(), way, **DECLARED)
    asked = result(client.ask("Umbrella?"), "Rome")
    unknown = [{**asked[0], "call_id": "call_unknown"}]
    message = "No tool call found for function call output with call_id call_unknown."
    assert refused(client.post(unknown)) == message
    assert client.ask(asked)["output"][0]["name"] == "see"


def test_the_predecessor_is_stored_or_the_request_is_refused(serve: Serve) -> None:
    client = Client(serve(), "previous")
    client.ask("Hello", store=False)
    name = client.before["previous_response_id"]
    assert refused(client.post("Hello")) == f"Previous response with id '{name}' not found."
    client.before = {}
    client.ask("Hello")
    name = client.before["previous_response_id"]
    httpx2.delete(f"{serve()}/v1/responses/{name}")
    assert refused(client.post("Hello")) == f"Previous response with id '{name}' not found."


def test_what_is_deleted_further_back_is_not_seen(serve: Serve) -> None:
    client = Client(serve(), "previous", **DECLARED)
    asked = client.ask("Umbrella?")
    first = client.before["previous_response_id"]
    client.ask(result(asked, "Rome"))
    httpx2.delete(f"{serve()}/v1/responses/{first}")
    # Whether its calls were there is not known, so no output is refused for the want of one.
    assert client.post(result(asked, "Rome")).status_code == 200


def test_a_response_in_the_background_has_its_output_once_it_is_completed(serve: Serve) -> None:
    client = Client(serve(), "previous")
    place = f"{serve()}/v1/responses/{client.ask('one two', background=True)['id']}"
    for status, tokens in (("in_progress", 3), ("completed", 4)):
        assert httpx2.get(place).json()["status"] == status
        answer = client.post("three", store=False)
        assert answer.json()["usage"]["input_tokens"] == tokens


@pytest.mark.parametrize("way", WAYS)
def test_a_cancelled_response_has_said_nothing(serve: Serve, way: str) -> None:
    client = Client(serve(), way)
    queued = client.ask("one two", background=True)
    place = f"{serve()}/v1/responses/{queued['id']}"
    for _ in range(2):
        assert httpx2.post(place + "/cancel").json()["status"] == "cancelled"
        assert httpx2.get(place).json()["status"] == "cancelled"
    assert client.ask("three")["usage"]["input_tokens"] == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_failed_response_has_said_nothing(serve: Serve, way: str) -> None:
    client = Client(serve(), way)
    failed = client.ask("broken", stream=True)
    assert failed["status"] == "failed"
    assert client.ask("three")["usage"]["input_tokens"] == 2


def test_items_of_a_conversation_are_seen_as_they_are_now(serve: Serve) -> None:
    client = Client(serve(), "conversation")
    place = f"{serve()}/v1/conversations/{client.before['conversation']}/items"
    assert client.ask("one")["usage"]["input_tokens"] == 1
    added = httpx2.post(place, json={"items": [{"role": "user", "content": "two three"}]}).json()["data"][0]
    assert client.ask("four", store=False)["usage"]["input_tokens"] == 1 + 1 + 2 + 1
    httpx2.delete(f"{place}/{added['id']}")
    assert client.ask("five")["usage"]["input_tokens"] == 1 + 1 + 1 + 2 + 1


def test_a_response_of_a_conversation_may_be_gone_on_from_without_it(serve: Serve) -> None:
    client = Client(serve(), "conversation")
    client.ask("one")
    client.before = {"previous_response_id": client.ask("two three")["id"]}
    assert client.ask("four")["usage"]["input_tokens"] == 2 + 1 + 1
    # The call may have been in the conversation, of which nothing more is seen.
    assert client.post([{"type": "function_call_output", "call_id": "call_far_back", "output": "x"}]).status_code == 200


def test_each_key_has_its_own_and_a_reset_forgets_it() -> None:
    with running_mockd(settings=Settings(preset="llm")) as mockd, AdminClient(mockd.admin_url) as admin:
        client = Client(mockd.url + "/~one", "previous")
        client.ask("one two")
        assert client.ask("three")["usage"]["input_tokens"] == 2 + 2 + 1
        other = Client(mockd.url + "/~two", "previous")
        other.before = client.before
        assert "not found" in refused(other.post("four"))
        admin.reset(key="one")
        assert "not found" in refused(client.post("four"))


def test_a_mock_that_refuses_nothing_goes_on_from_what_it_knows() -> None:
    mock = {
        "matcher": {"path": "/v1/responses"},
        "sse": {"template": "openai-responses", "templateParams": {"text": "Two words"}},
    }
    with running_mockd(mock) as mockd:
        place = mockd.url + "/v1/responses"
        begun = httpx2.post(place, content=b"no JSON")
        id = events(begun)[-1]["response"]["id"]
        for before, tokens in (
            ({"previous_response_id": "resp_none"}, 1),
            ({"previous_response_id": 5}, 1),
            ({"conversation": "conv_none"}, 1),
            ({"conversation": [1]}, 1),
            ({"previous_response_id": id}, 3),
        ):
            answer = httpx2.post(place, json={"input": "one", **before})
            assert answer.json()["usage"]["input_tokens"] == tokens


@pytest.mark.parametrize(
    ("way", "limit", "most", "tokens"),
    [
        ("previous", "MOST_EARLIER", 6, [2, 5, 8, 11, 11, 11]),
        ("conversation", "MOST_EARLIER", 6, [2, 5, 8, 11, 11, 11]),
        ("previous", "LONGEST_EARLIER", 30, [2, 5, 8, 8, 8, 8]),
    ],
)
def test_of_what_is_very_long_the_end_is_seen(
    monkeypatch: pytest.MonkeyPatch, way: str, limit: str, most: int, tokens: list[int]
) -> None:
    for module in ("responses_earlier", "responses_input"):
        monkeypatch.setattr(f"mockd.sources.llm.wires.{module}.{limit}", most, raising=False)
    with running_mockd(settings=Settings(preset="llm", preset_text="yes")) as mockd:
        client = Client(mockd.url, way)
        # Each question has two words, each answer one.
        assert [client.ask("abcd efgh")["usage"]["input_tokens"] for _ in range(6)] == tokens
        output = [{"type": "function_call_output", "call_id": "call_far_back", "output": "x"}]
        assert client.post(output).status_code == 200


def test_a_long_chain_is_gone_on_from() -> None:
    with running_mockd(settings=Settings(preset="llm", max_stored=5_000, preset_text="yes")) as mockd:
        client, length = Client(mockd.url, "previous"), budget.MOST_EARLIER // 2 + 2
        with httpx2.Client() as http:
            for _ in range(length):
                body = {"model": "m", "input": "one", **client.before}
                answer = http.post(mockd.url + "/v1/responses", json=body).json()
                client.before = {"previous_response_id": answer["id"]}
        assert answer["usage"]["input_tokens"] == budget.MOST_EARLIER + 1
