"""Requests of every kind that a script can tell apart, made by the clients of OpenAI and Anthropic."""

from anthropic import Anthropic
from openai import OpenAI
from openai.types.responses import ResponseInputItem
from pydantic import BaseModel, TypeAdapter

NAMES = ("look", "wait")
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in NAMES]


class City(BaseModel):
    name: str


def _client(url):
    return OpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)


def _message(url, *messages, **asked):
    return _client(url).chat.completions.create(model="m", messages=list(messages), **asked).choices[0].message


def _user(text):
    return {"role": "user", "content": text}


def chats(url):
    parsed = _client(url).chat.completions.parse(model="m", messages=[_user("Hi")], response_format=City)
    return {
        "system": _message(url, {"role": "system", "content": "You are Ada."}, _user("Hi")).content,
        "schema": parsed.choices[0].message.parsed.name,
        "headers": _message(url, _user("Hi"), extra_headers={"X-Team": "blue"}).content,
        "bodyJsonPath": _message(url, _user("Hi"), metadata={"kind": "gold"}).content,
        "tools": _message(url, _user("Hi")).content,
    }


def choices(url):
    def called(**asked):
        message = _message(url, _user("Use both"), tools=TOOLS, **asked)
        return [call.function.name for call in message.tool_calls or ()], message.content

    return {
        "any": called(),
        "one at a time": called(parallel_tool_calls=False),
        "none": called(tool_choice="none"),
    }


def results(url):
    """The items are valid against the client's own types."""
    action = {"type": "exec", "command": ["cat", "stations.txt"], "env": {}}
    local_shell = [
        {"type": "local_shell_call", "id": "lsh_1", "call_id": "call_1", "action": action, "status": "completed"},
        {"type": "local_shell_call_output", "id": "call_1", "output": '{"output": "station-7"}'},
    ]
    custom = [
        {"type": "custom_tool_call", "call_id": "call_2", "name": "note", "input": "rain"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "noted"},
    ]
    printed = {"stdout": "station-8", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    shell = [
        {"type": "shell_call", "call_id": "call_3", "action": {"commands": ["cat stations.txt"]}},
        {"type": "shell_call_output", "call_id": "call_3", "output": [printed]},
    ]
    patched = {"type": "delete_file", "path": "stations.txt"}
    patch = [
        {"type": "apply_patch_call", "call_id": "call_4", "operation": patched, "status": "completed"},
        {"type": "apply_patch_call_output", "call_id": "call_4", "status": "failed", "output": "no such file"},
    ]
    clicks = {"type": "click", "button": "left", "x": 1, "y": 2}
    clicked = {"id": "cu_1", "status": "completed", "action": clicks, "pending_safety_checks": []}
    screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    computer = [
        {"type": "computer_call", "call_id": "call_5", **clicked},
        {"type": "computer_call_output", "call_id": "call_5", "output": screen},
    ]
    asks = {"id": "mcpr_1", "name": "remove", "arguments": "{}", "server_label": "files"}
    approval = [
        {"type": "mcp_approval_request", **asks},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False, "reason": "Too early."},
    ]
    kinds = (local_shell, custom, shell, patch, computer, approval)
    valid = TypeAdapter(list[ResponseInputItem]).validate_python
    inputs = ([_user("Hi"), *valid(items)] for items in kinds)
    return [_client(url).responses.create(model="m", input=input).output_text for input in inputs]


def provider(url):
    client = Anthropic(base_url=f"{url}/anthropic", api_key="any", timeout=20)
    asked = {"model": "m", "max_tokens": 99, "messages": [_user("Hi")]}
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_text()
    return [streamed, client.messages.create(**asked).content[0].text]
