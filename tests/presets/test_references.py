"""References to stored items in the input of a response (`item_reference`): what they name is part of what is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mockd.settings import Settings
from mockd.sources.llm.wires import openai_stored
from mockd.testing import running_mockd
from tests.presets.asking import Serve, tools

SCRIPT: tuple[dict[str, Any], ...] = (
    {"when": {"toolName": "look", "toolResultContains": "Rome"}, "reply": {"text": "It rains in Rome."}},
    {"when": {"toolName": "note", "toolResultContains": "Rome"}, "reply": {"text": "Rome is noted."}},
    {"when": {"contains": "look"}, "reply": {"toolCalls": [{"name": "look"}]}},
    {"when": {"contains": "note"}, "reply": {"toolCalls": [{"name": "note", "input": "a"}]}},
    {"when": {"contains": "think"}, "reply": {"reasoning": "Hmm, one two three.", "text": "I thought."}},
    {"when": {"contains": "broken"}, "reply": {"text": "Never said.", "error": {"message": "It broke."}}},
    {"when": {"turn": 2, "step": 0}, "reply": {"text": "Twice."}},
    {"when": {"system": "Be brief"}, "reply": {"text": "Brief."}},
    {"reply": {"text": "One two three."}},
)
DECLARED = [*tools("openai-responses", "look")["tools"], {"type": "custom", "name": "note"}]


class Client:
    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return httpx2.post(f"{self.url}/v1/{path}", json=body)

    def ask(self, input: Any, **more: Any) -> Any:
        answer = self.post("responses", **{"model": "m", "input": input, "tools": DECLARED, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, input: Any, **more: Any) -> Any:
        answer = self.post("responses", model="m", input=input, **more)
        error = answer.json()["error"]
        assert (answer.status_code, error["type"], error["param"]) == (404, "invalid_request_error", "input")
        return error["message"]

    def conversation(self, *items: Any) -> Any:
        return self.post("conversations", items=list(items)).json()["id"]

    def items(self, conversation: str) -> list[Any]:
        found: list[Any] = httpx2.get(f"{self.url}/v1/conversations/{conversation}/items?order=asc").json()["data"]
        return found

    def inputs(self, response: str) -> list[Any]:
        found: list[Any] = httpx2.get(f"{self.url}/v1/responses/{response}/input_items?order=asc").json()["data"]
        return found


@pytest.fixture
def client(serve: Serve) -> Client:
    return Client(serve(*SCRIPT))


def to(item: Any) -> dict[str, Any]:
    return {"type": "item_reference", "id": item["id"]}


def says(response: Any) -> str:
    text: str = response["output"][-1]["content"][0]["text"]
    return text


# -- what is named -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "kind", "said"), [("look", "function", "It rains"), ("note", "custom_tool", "Rome is")]
)
def test_a_call_whose_result_comes(client: Client, word: str, kind: str, said: str) -> None:
    """As clients go on that send references to what is stored."""
    [call] = client.ask(f"Please {word}")["output"]
    result = {"type": f"{kind}_call_output", "call_id": call["call_id"], "output": "Rome, Italy"}
    assert says(client.ask([{"role": "user", "content": f"Please {word}"}, to(call), result])).startswith(said)


@pytest.mark.parametrize("form", [to, lambda item: {"id": item["id"]}], ids=["typed", "untyped"])
def test_a_message_of_the_model_or_of_the_user(client: Client, form: Any) -> None:
    first = client.ask([{"role": "user", "content": "Hello"}])
    [asked], [told] = client.inputs(first["id"]), first["output"]
    again = client.ask([form(asked), form(told), {"role": "user", "content": "More"}])
    assert says(again) == "Twice."
    assert again["usage"]["input_tokens"] - first["usage"]["input_tokens"] == 4  # of the reply, and of the new message


def test_reasoning_before_a_message(client: Client) -> None:
    thought, told = client.ask("Please think")["output"]
    assert says(client.ask([to(thought), to(told), {"role": "user", "content": "More"}])) == "One two three."


def test_what_is_named_first_is_what_a_script_sees(client: Client) -> None:
    [told] = client.ask("Hello")["output"]
    asked = [{"role": "developer", "content": "Be brief"}, to(told)]
    assert says(client.ask(asked)) == "Brief."


def test_an_item_of_a_conversation(client: Client) -> None:
    """Also if the request does not name it, or names another."""
    name = client.conversation({"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"})
    assert client.post(f"conversations/{name}/items", items=[{"role": "user", "content": "Three"}]).status_code == 200
    first, _, last = client.items(name)
    assert len({item["id"] for item in client.items(name)}) == 3
    other = client.conversation()
    for more in ({}, {"conversation": other}):
        assert says(client.ask([to(first), to(last)], **more)) == "Twice."
    assert [item["id"] for item in client.items(other)][:2] == [first["id"], last["id"]]


def test_an_item_that_its_conversation_has_is_not_added_to_it(client: Client) -> None:
    name = client.conversation({"role": "user", "content": "One"})
    [item] = client.items(name)
    client.ask([to(item), {"role": "user", "content": "Two"}], conversation=name)
    assert [one["role"] for one in client.items(name)] == ["user", "user", "assistant"]


def test_an_item_that_was_not_stored_with_its_response_but_in_a_conversation(client: Client) -> None:
    name = client.conversation()
    [told] = client.ask("Hello", conversation=name, store=False)["output"]
    assert client.ask([to(told), {"role": "user", "content": "More"}], conversation=name)


def test_a_response_that_goes_on_from_one_with_references(client: Client) -> None:
    first = client.ask("Hello")
    [asked] = client.inputs(first["id"])
    second = client.ask([to(asked)])
    assert says(client.ask("More", previous_response_id=second["id"])) == "Twice."


def test_a_long_item_counts_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.ask([{"role": "user", "content": "word " * 50}])
    [asked] = client.inputs(first["id"])
    assert client.ask([to(asked)] * 3)["usage"]["input_tokens"] == first["usage"]["input_tokens"]
    other = client.ask([{"role": "user", "content": "Hello"}])
    [hello] = client.inputs(other["id"])
    monkeypatch.setattr(openai_stored, "LONGEST_EARLIER", 100)
    tokens = client.ask([to(asked), to(hello)])["usage"]["input_tokens"]
    assert tokens == first["usage"]["input_tokens"]
    monkeypatch.setattr(openai_stored, "MOST_EARLIER", 1)
    assert client.ask([to(hello), to(asked)])["usage"]["input_tokens"] == other["usage"]["input_tokens"]


def test_ids_lead_to_what_an_item_came_with(client: Client) -> None:
    response = client.ask("Please think")
    ids = [response["id"], *(item["id"] for item in (*response["output"], *client.inputs(response["id"])))]
    assert len(set(ids)) == 4
    assert len({id.rpartition("_")[2][:44] for id in ids}) == 1
    assert [id.partition("_")[0] for id in ids] == ["resp", "rs", "msg", "msg"]
    assert {len(id.rpartition("_")[2]) for id in ids} == {50}


# -- what there is not -------------------------------------------------------------------------------------------------


def unknown(client: Client) -> Iterator[tuple[str, str]]:
    """Items that there are not, or not for these requests."""
    yield "made up", "msg_1"
    yield "in the form of one", f"msg_{'0' * 50}"
    response = client.ask("Hello")
    yield "of another number", response["output"][0]["id"][:-1] + "9"
    httpx2.delete(f"{client.url}/v1/responses/{response['id']}")
    yield "of a deleted response", response["output"][0]["id"]
    yield "not stored", client.ask("Hello", store=False)["output"][0]["id"]
    yield "of another key", Client(f"{client.url}/~one").ask("Hello")["output"][0]["id"]
    queued = client.ask("Hello", background=True)["id"]
    yield "of a response that is not completed", f"msg_{queued[5:-1]}2"
    failed = json.loads(client.post("responses", model="m", input="broken", stream=True).text.rpartition("data: ")[2])
    yield "of a response that failed", f"msg_{failed['response']['id'][5:-1]}2"
    name = client.conversation({"role": "user", "content": "One"})
    [item] = client.items(name)
    httpx2.delete(f"{client.url}/v1/conversations/{name}/items/{item['id']}")
    yield "deleted in its conversation", item["id"]


def test_unknown_items(client: Client) -> None:
    for what, id in unknown(client):
        assert client.refused([to({"id": id})]) == f"Item with id '{id}' not found.", what
    assert len(dict(unknown(client))) == 9


def test_the_result_of_a_call_that_no_reference_names(client: Client) -> None:
    [told] = client.ask("Hello")["output"]
    result = {"type": "function_call_output", "call_id": "call_none", "output": "Rome"}
    answer = client.post("responses", model="m", input=[to(told), result])
    assert answer.json()["error"]["message"] == "No tool call found for function call output with call_id call_none."


def test_an_unknown_item_in_a_request_that_is_not_stored(client: Client) -> None:
    message = client.refused([{"role": "user", "content": "Hi"}, {"id": "rs_1"}], store=False)
    assert message.startswith("Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.")


def test_nothing_is_refused_by_a_mock_that_is_not_strict() -> None:
    mock = {"matcher": {"path": "/v1/responses"}, "sse": {"template": "openai-responses"}}
    with running_mockd(mock, settings=Settings()) as mockd:
        assert Client(mockd.url).ask([{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": "msg_1"}])
