"""Tools that the model calls by itself, each once, before it answers."""

import json

from openai import OpenAI

FIELDS = {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}
TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": fields, "required": [*fields]}},
    }
    for name, fields in (("look", FIELDS), ("wait", {}))
]


def openai(url):
    client = OpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)
    messages, called = [{"role": "user", "content": "Hi there"}], []
    while True:
        message = client.chat.completions.create(model="m", messages=messages, tools=TOOLS).choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return called, message.content
        for call in message.tool_calls:
            called.append([call.function.name, json.loads(call.function.arguments)])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "done"})
