"""Stored responses and conversations of the preset, over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mockd import AdminClient
from mockd.presets import configured
from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.stream.harness import Lab

SAID = "Say hello to me"
SCRIPT = """
- when: { contains: broken }
  reply: { text: Never said., error: { message: It broke., type: server_error } }
- when: { contains: weather }
  reply: { toolCalls: [{ name: get_weather, arguments: { city: Paris } }] }
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = tmp_path_factory.mktemp("script") / "script.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    with running_mockd(settings=Settings(preset="llm", preset_script=str(script))) as mockd:
        yield mockd.url


def made(url: str, **more: Any) -> Any:
    answer = httpx2.post(url + "/v1/responses", json={"model": "m", "input": SAID, **more})
    assert answer.status_code == 200
    return answer.json()


def events(answer: httpx2.Response) -> list[Any]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]


def refused(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", None)
    message: str = error["message"]
    return message


# -- responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["/v1", "/openai/v1", "/azure/openai/v1", "/azure/openai"])
def test_a_response_is_retrieved_as_it_was(url: str, at: str) -> None:
    first = made(url, metadata={"a": "b"}, instructions="Be kind.")
    answer = httpx2.get(f"{url}{at}/responses/{first['id']}")
    assert answer.json() == first
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["content-type"] == "application/json"


def test_a_streamed_response_is_retrieved_as_it_ended(url: str) -> None:
    asked = {"model": "m", "input": "weather", "stream": True, "tools": [{"type": "function", "name": "get_weather"}]}
    streamed = httpx2.post(url + "/v1/responses", json=asked)
    last = events(streamed)[-1]["response"]
    assert last["output"][0]["name"] == "get_weather"
    assert httpx2.get(f"{url}/v1/responses/{last['id']}").json() == last


@pytest.mark.parametrize("more", [{"store": False}, {"store": False, "stream": False}])
def test_one_that_wants_not_to_be_stored_is_not(url: str, more: dict[str, Any]) -> None:
    first = made(url, **more)
    answer = httpx2.get(f"{url}/v1/responses/{first['id']}")
    assert refused(answer, 404) == f"Response with id '{first['id']}' not found."


def test_a_response_is_deleted_once(url: str) -> None:
    place = f"{url}/v1/responses/{(id := made(url)['id'])}"
    assert httpx2.delete(place).json() == {"id": id, "object": "response", "deleted": True}
    refused(httpx2.delete(place), 404)
    refused(httpx2.get(place), 404)
    refused(httpx2.post(place + "/cancel"), 404)
    refused(httpx2.get(place + "/input_items"), 404)


def test_in_the_background_a_response_is_queued_then_in_progress_then_completed(url: str) -> None:
    queued = made(url, background=True)
    assert (queued["status"], queued["background"], queued["output"], queued["usage"]) == ("queued", True, [], None)
    place = f"{url}/v1/responses/{queued['id']}"
    seen = [httpx2.get(place).json() for _ in range(3)]
    assert [one["status"] for one in seen] == ["in_progress", "completed", "completed"]
    assert [len(one["output"]) for one in seen] == [0, 1, 1]
    assert seen[2]["output"][0]["content"][0]["text"] == SAID


def test_in_the_background_it_is_stored_in_any_case(url: str) -> None:
    assert httpx2.get(f"{url}/v1/responses/{made(url, background=True, store=False)['id']}").status_code == 200


def test_a_stream_goes_on_behind_the_last_event_that_was_seen(url: str) -> None:
    body = {"model": "m", "input": SAID, "stream": True, "background": True}
    whole = events(httpx2.post(url + "/v1/responses", json=body))
    assert [event["type"] for event in whole[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert [event["response"]["status"] for event in whole[:3]] == ["queued", "queued", "in_progress"]
    place = f"{url}/v1/responses/{whole[0]['response']['id']}?stream=true"
    for after in (0, 5, len(whole) - 1):
        assert events(httpx2.get(f"{place}&starting_after={after}")) == whole[after + 1 :]
    assert events(httpx2.get(place)) == whole
    assert [event["sequence_number"] for event in whole] == list(range(len(whole)))
    assert httpx2.get(place.partition("?")[0]).json() == whole[-1]["response"]


def test_a_stream_in_the_background_is_completed_when_it_is_asked_for(url: str) -> None:
    body = {"model": "m", "input": SAID, "stream": True, "background": True}
    streamed = events(httpx2.post(url + "/v1/responses", json=body))[-1]["response"]
    assert httpx2.get(f"{url}/v1/responses/{streamed['id']}").json() == streamed
    place = f"{url}/v1/responses/{made(url, background=True)['id']}"
    whole = events(httpx2.get(place + "?stream=true"))[-1]["response"]
    assert httpx2.get(place).json() == whole


@pytest.mark.anyio
@pytest.mark.parametrize(("after", "moments"), [("", [100, 120, 140, 160]), ("&starting_after=6", [0, 20])])
async def test_a_stream_that_goes_on_does_not_begin_again(after: str, moments: list[int]) -> None:
    lab = Lab(preset="llm", ttft=100, itl=20)
    lab.engine.load(configured(lab.engine.settings))
    body = json.dumps({"model": "m", "input": SAID, "background": True}).encode()
    queued = await lab.open("/v1/responses", method="POST", body=body)
    assert queued.writes[0][0] == 0, "it waits for no token"
    [id] = set(re.findall(rb"resp_\w+", b"".join(part for _, part in queued.writes)))
    answer = await lab.open(f"/v1/responses/{id.decode()}?stream=true{after}")
    await lab.clock.advance(10)
    assert [at for at, part in answer.writes if b"event: response.output_text.delta" in part] == moments


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 40, "٣"])
def test_a_place_in_a_stream_is_a_number(url: str, after: str) -> None:
    place = f"{url}/v1/responses/{made(url)['id']}"
    answer = httpx2.get(place, params={"stream": "true", "starting_after": after})
    assert refused(answer, 400) == "Invalid 'starting_after': expected an integer."


def test_a_response_in_the_background_is_cancelled_until_it_is_completed(url: str) -> None:
    place = f"{url}/v1/responses/{made(url, background=True)['id']}"
    assert httpx2.get(place).json()["status"] == "in_progress"
    for _ in range(2):
        assert httpx2.post(place + "/cancel").json()["status"] == "cancelled"
        assert httpx2.get(place).json()["status"] == "cancelled"
    seen = events(httpx2.get(place + "?stream=true"))
    assert [event["type"] for event in seen] == ["response.created", "response.queued", "response.in_progress"]
    finished = f"{url}/v1/responses/{made(url, background=True)['id']}"
    for _ in range(2):
        httpx2.get(finished)
    assert httpx2.post(finished + "/cancel").json()["status"] == "completed"


def test_a_response_that_was_waited_for_cannot_be_cancelled(url: str) -> None:
    answer = httpx2.post(f"{url}/v1/responses/{made(url)['id']}/cancel")
    assert refused(answer, 400) == "Cannot cancel a synchronous response."


def test_a_response_that_failed_is_retrieved_as_failed(url: str) -> None:
    body = {"model": "m", "input": "broken", "stream": True, "background": True}
    failed = events(httpx2.post(url + "/v1/responses", json=body))
    place = f"{url}/v1/responses/{failed[0]['response']['id']}"
    again = events(httpx2.get(place + "?stream=true"))
    assert [event["type"] for event in again[-2:]] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in again] == list(range(len(again)))
    whole = httpx2.get(place).json()
    assert (whole["status"], whole["error"]) == ("failed", {"code": "server_error", "message": "It broke."})


def test_the_input_of_a_response_is_listed_from_the_last_item(url: str) -> None:
    texts = [f"text {number}" for number in range(5)]
    asked = [{"role": "user", "content": text} for text in texts]
    place = f"{url}/v1/responses/{made(url, input=asked)['id']}/input_items"

    def page(**query: Any) -> tuple[list[str], bool]:
        answer = httpx2.get(place, params=query).json()
        items = answer["data"]
        assert (answer["first_id"], answer["last_id"]) == (items[0]["id"], items[-1]["id"])
        return [item["content"][0]["text"] for item in items], answer["has_more"]

    assert page() == (texts[::-1], False)
    assert page(order="asc", limit=2) == (texts[:2], True)
    after = httpx2.get(place, params={"order": "asc", "limit": 2}).json()["last_id"]
    assert page(order="asc", after=after) == (texts[2:], False)
    for query, message in {
        "limit=0": "Invalid 'limit': expected a number from 1 to 100, but got 0.",
        "limit=101": "Invalid 'limit': expected a number from 1 to 100, but got 101.",
        "limit=x": "Invalid 'limit': expected an integer.",
        "after=none": "Invalid 'after': there is no item with id 'none'.",
    }.items():
        assert refused(httpx2.get(f"{place}?{query}"), 400) == message


def test_a_text_as_input_is_one_item(url: str) -> None:
    answer = httpx2.get(f"{url}/v1/responses/{made(url)['id']}/input_items").json()
    [item] = answer["data"]
    assert item.pop("id").startswith("msg_")
    content = [{"type": "input_text", "text": SAID}]
    assert item == {"type": "message", "role": "user", "status": "completed", "content": content}


# -- conversations -----------------------------------------------------------------------------------------------------


def test_a_conversation_is_made_changed_and_deleted(url: str) -> None:
    first = httpx2.post(url + "/v1/conversations", json={"metadata": {"a": "b"}}).json()
    assert first["id"].startswith("conv_")
    assert (first["object"], first["metadata"]) == ("conversation", {"a": "b"})
    place = f"{url}/v1/conversations/{first['id']}"
    assert httpx2.get(place).json() == first
    assert httpx2.post(place, json={"metadata": {"c": "d"}}).json() == {**first, "metadata": {"c": "d"}}
    assert httpx2.get(place).json()["metadata"] == {"c": "d"}
    gone = httpx2.delete(place).json()
    assert gone == {"id": first["id"], "object": "conversation.deleted", "deleted": True}
    for answer in (httpx2.get(place), httpx2.delete(place), httpx2.get(place + "/items")):
        assert refused(answer, 404) == f"Conversation with id '{first['id']}' not found."


def test_items_are_added_listed_and_deleted(url: str) -> None:
    asked = {"items": [{"type": "message", "role": "user", "content": "one"}]}
    place = f"{url}/v1/conversations/{httpx2.post(url + '/v1/conversations', json=asked).json()['id']}"
    two = [{"role": "assistant", "content": "two"}, {"type": "function_call_output", "call_id": "c", "output": "3"}]
    added = httpx2.post(place + "/items", json={"items": two}).json()
    assert [item["type"] for item in added["data"]] == ["message", "function_call_output"]
    assert added["data"][0]["content"] == [{"type": "output_text", "annotations": [], "text": "two"}]
    listed = httpx2.get(place + "/items?order=asc").json()["data"]
    assert len({item["id"] for item in listed}) == 3
    assert listed[1:] == added["data"]
    one = f"{place}/items/{listed[0]['id']}"
    assert httpx2.get(one).json() == listed[0]
    assert httpx2.delete(one).json()["object"] == "conversation"
    refused(httpx2.get(one), 404)
    refused(httpx2.delete(one), 404)
    assert httpx2.get(place + "/items?order=asc").json()["data"] == listed[1:]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("as_object", [False, True])
def test_a_response_is_added_to_the_conversation_it_names(url: str, stream: bool, as_object: bool) -> None:
    id = httpx2.post(url + "/v1/conversations", json={}).json()["id"]
    body = {"model": "m", "input": "weather", "stream": stream, "conversation": {"id": id} if as_object else id}
    answer = httpx2.post(url + "/v1/responses", json=body)
    response = events(answer)[-1]["response"] if stream else answer.json()
    assert response["conversation"] == {"id": id}
    said, called = httpx2.get(f"{url}/v1/conversations/{id}/items?order=asc").json()["data"]
    assert said["content"] == [{"type": "input_text", "text": "weather"}]
    assert called == response["output"][0]


def test_a_conversation_that_is_not_there_is_refused(url: str) -> None:
    answer = httpx2.post(url + "/v1/responses", json={"model": "m", "input": "x", "conversation": "conv_none"})
    assert refused(answer, 404) == "Conversation with id 'conv_none' not found."


# -- keys and bounds ---------------------------------------------------------------------------------------------------


def test_what_is_stored_belongs_to_a_key_and_is_forgotten_with_it() -> None:
    with running_mockd(settings=Settings(preset="llm")) as mockd, AdminClient(mockd.admin_url) as admin:

        def is_there(key: str, id: str) -> bool:
            return httpx2.get(f"{mockd.url}{key}/v1/responses/{id}").status_code == 200

        places = {key: made(mockd.url + key)["id"] for key in ("", "/~one", "/~two")}
        conversation = httpx2.post(f"{mockd.url}/~two/v1/conversations", json={}).json()["id"]
        assert all(is_there(key, id) for key, id in places.items())
        assert not is_there("", places["/~one"])
        assert not is_there("/~two", places["/~one"])
        assert admin.reset(key="one")["stored"] == 1
        assert {key: is_there(key, id) for key, id in places.items()} == {"": True, "/~one": False, "/~two": True}
        admin.delete_key("two")
        assert not is_there("/~two", places["/~two"])
        refused(httpx2.get(f"{mockd.url}/~two/v1/conversations/{conversation}"), 404)
        assert admin.reset()["stored"] == 1
        assert not is_there("", places[""])


def test_a_conversation_that_goes_on_is_not_forgotten() -> None:
    with running_mockd(settings=Settings(preset="llm", max_stored=2)) as mockd:
        id = httpx2.post(mockd.url + "/v1/conversations", json={}).json()["id"]
        first = made(mockd.url)["id"]
        made(mockd.url, conversation=id, store=False)
        made(mockd.url)
        assert httpx2.get(f"{mockd.url}/v1/conversations/{id}").status_code == 200
        assert httpx2.get(f"{mockd.url}/v1/responses/{first}").status_code == 404


@pytest.mark.parametrize("limit", [{"max_stored": 2}, {"stored_bytes": 10_000}])
def test_the_oldest_are_forgotten_first(limit: dict[str, int]) -> None:
    with running_mockd(settings=Settings(preset="llm", **limit)) as mockd:
        ids = [made(mockd.url)["id"] for _ in range(3)]
        found = [httpx2.get(f"{mockd.url}/v1/responses/{id}").status_code for id in ids]
    assert found == [404, 200, 200]
