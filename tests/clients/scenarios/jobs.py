"""A job of three steps with every provider's own client: a tool, another that depends on its result, an answer."""

import json

from anthropic import Anthropic
from cohere import ClientV2
from google import genai
from mistralai.client import Mistral
from ollama import Client
from openai import OpenAI

WORDS = ("Do I need an umbrella?", "In turn, please")
"""What the user says; the script answers the first by what has come back, and the second with replies in turn."""
TOOLS = {"get_city": lambda: "Rome, Italy", "get_weather": lambda city: f"Rain in {city}"}
FIELDS = {"get_city": {}, "get_weather": {"city": {"type": "string"}}}
SCHEMAS = {name: {"type": "object", "properties": fields} for name, fields in FIELDS.items()}
FUNCTIONS = [{"name": name, "description": "A tool.", "parameters": schema} for name, schema in SCHEMAS.items()]
DECLARED = [{"type": "function", "function": function} for function in FUNCTIONS]


def _used(name, arguments):
    """The result of a tool."""
    return TOOLS[name](**(json.loads(arguments) if isinstance(arguments, str) else arguments or {}))


def _jobs(step):
    """The tools that were used in each job, and the answer. `step` goes on with the messages, and gives the calls and
    the text of the reply."""
    found = []
    for words in WORDS:
        messages, names = [{"role": "user", "content": words}], []
        while True:
            calls, text = step(messages)
            names += calls
            if not calls:
                break
        found.append([names, text])
    return found


def openai(url):
    client = OpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)

    def step(messages):
        message = client.chat.completions.create(model="m", messages=messages, tools=DECLARED).choices[0].message
        messages.append(message)
        for call in message.tool_calls or ():
            result = _used(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return [call.function.name for call in message.tool_calls or ()], message.content

    return _jobs(step)


def openai_responses(url):
    client = OpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)
    tools = [{"type": "function", **function} for function in FUNCTIONS]

    def step(messages):
        answer = client.responses.create(model="m", input=messages, tools=tools)
        messages += answer.output
        calls = [item for item in answer.output if item.type == "function_call"]
        for call in calls:
            result = _used(call.name, call.arguments)
            messages.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
        return [call.name for call in calls], answer.output_text

    return _jobs(step)


def _openai_stored(url, before, after):
    """Each request has only what is new. `before` gives the fields that say what the first goes on from, and `after`
    those of the request after a response."""
    client = OpenAI(base_url=f"{url}/openai/v1", api_key="any", timeout=20)
    tools = [{"type": "function", **function} for function in FUNCTIONS]
    fields = {}

    def step(messages):
        if isinstance(messages[0], dict) and "role" in messages[0]:
            fields.clear()
            fields.update(before(client))
        answer = client.responses.create(model="m", input=list(messages), tools=tools, **fields)
        fields.update(after(answer))
        calls = [item for item in answer.output if item.type == "function_call"]
        messages[:] = [
            {"type": "function_call_output", "call_id": call.call_id, "output": _used(call.name, call.arguments)}
            for call in calls
        ]
        return [call.name for call in calls], answer.output_text

    return _jobs(step)


def openai_previous(url):
    return _openai_stored(url, lambda client: {}, lambda answer: {"previous_response_id": answer.id})


def openai_conversation(url):
    return _openai_stored(url, lambda client: {"conversation": client.conversations.create().id}, lambda answer: {})


def anthropic(url):
    client = Anthropic(base_url=f"{url}/anthropic", api_key="any", timeout=20)
    tools = [{"name": name, "input_schema": schema} for name, schema in SCHEMAS.items()]

    def step(messages):
        answer = client.messages.create(model="m", max_tokens=999, messages=messages, tools=tools)
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": _used(call.name, call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})
        return [call.name for call in calls], "".join(block.text for block in answer.content if block.type == "text")

    return _jobs(step)


def gemini(url):
    types = genai.types
    client = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=f"{url}/gemini", timeout=20_000))
    declared = [types.FunctionDeclaration(**function) for function in FUNCTIONS]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=declared)])

    def step(messages):
        if isinstance(messages[0], dict):
            messages[0] = types.UserContent(messages[0]["content"])
        answer = client.models.generate_content(model="m", contents=messages, config=config)
        messages.append(answer.candidates[0].content)
        calls = answer.function_calls or []
        for call in calls:
            result = {"result": _used(call.name, call.args)}
            messages.append(types.UserContent(types.Part.from_function_response(name=call.name, response=result)))
        return [call.name for call in calls], None if calls else answer.text

    return _jobs(step)


def mistral(url):
    client = Mistral(api_key="any", server_url=f"{url}/mistral", timeout_ms=20_000)

    def step(messages):
        message = client.chat.complete(model="m", messages=messages, tools=DECLARED).choices[0].message
        messages.append(message)
        for call in message.tool_calls or ():
            result = _used(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result})
        return [call.function.name for call in message.tool_calls or ()], message.content

    return _jobs(step)


def cohere(url):
    client = ClientV2(api_key="any", base_url=f"{url}/cohere", timeout=20)

    def step(messages):
        message = client.chat(model="m", messages=messages, tools=DECLARED).message
        messages.append(message)
        for call in message.tool_calls or ():
            result = _used(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        calls = [call.function.name for call in message.tool_calls or ()]
        return calls, "".join(part.text for part in message.content or ())

    return _jobs(step)


def ollama(url):
    client = Client(host=f"{url}/ollama", timeout=20)

    def step(messages):
        message = client.chat(model="m", messages=messages, tools=DECLARED).message
        messages.append(message)
        for call in message.tool_calls or ():
            result = _used(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
        return [call.function.name for call in message.tool_calls or ()], message.content

    return _jobs(step)
