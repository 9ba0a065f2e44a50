"""Google's client on the Gemini API: `generate_content`, `generate_content_stream` and a chat."""

from google import genai
from google.genai import errors, types

MODEL = "gemini-2.5-flash"
ASK = "Say hello, please"
CITY = types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING")}, required=["city"])
TOOLS = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", parameters=CITY)])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


def _client(url, reply, attempts=1):
    retry = types.HttpRetryOptions(attempts=attempts, initial_delay=0.01, jitter=0.01)
    options = types.HttpOptions(base_url=f"{url}/{reply}", timeout=20_000, retry_options=retry)
    return genai.Client(api_key="any", http_options=options)


def _whole(url, reply, config=None, **more):
    client = _client(url, reply, **more)
    return client.models.generate_content(model=MODEL, contents=ASK, config=config)


def _streamed(url, reply, config=None, **more):
    client = _client(url, reply, **more)
    return list(client.models.generate_content_stream(model=MODEL, contents=ASK, config=config))


def text(url):
    return _streamed(url, "text")


def text_whole(url):
    return {"text": (response := _whole(url, "text")).text, "response": response}


async def text_async(url):
    client = _client(url, "text")
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents=ASK)
    return [chunk.text async for chunk in stream]


def chat(url):
    client = _client(url, "text")
    chat = client.chats.create(model=MODEL)
    said = [chat.send_message(ASK).text, "".join(chunk.text for chunk in chat.send_message_stream(ASK))]
    return {"said": said, "roles": [turn.role for turn in chat.get_history()]}


def tool(url):
    return [call for chunk in _streamed(url, "tool", TOOLS) for call in chunk.function_calls or ()]


def tool_whole(url):
    return _whole(url, "tool", TOOLS)


def tools(url):
    return [call for chunk in _streamed(url, "tools", TOOLS) for call in chunk.function_calls or ()]


def text_and_tool(url):
    return _whole(url, "text_and_tool", TOOLS).candidates[0].content


def agent(url):
    """A tool is called, its result is sent, and the answer comes."""
    client = _client(url, "agent")
    turns = [types.Content(role="user", parts=[types.Part(text=ASK)])]
    call = client.models.generate_content(model=MODEL, contents=turns, config=TOOLS)
    result = types.Part.from_function_response(name=call.function_calls[0].name, response={"weather": "sunny"})
    turns += [call.candidates[0].content, types.Content(role="user", parts=[result])]
    return client.models.generate_content(model=MODEL, contents=turns, config=TOOLS).text


def reasoning(url):
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    return _streamed(url, "reasoning", config)


def reasoning_whole(url):
    return _whole(url, "reasoning")


def reasoning_hidden(url):
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=False))
    return _whole(url, "reasoning", config)


def refusal(url):
    return _streamed(url, "refusal")


def refusal_whole(url):
    return _whole(url, "refusal")


def citations(url):
    return _streamed(url, "citations")


def usage(url):
    return [chunk.usage_metadata for chunk in _streamed(url, "usage")]


def usage_whole(url):
    return _whole(url, "usage").usage_metadata


def finish_reasons(url):
    return {reason: _streamed(url, reason)[-1].candidates[0].finish_reason for reason in ("length", "content_filter")}


def candidates(url):
    return _whole(url, "text", types.GenerateContentConfig(candidate_count=2))


def structured(url):
    schema = types.Schema(
        type="OBJECT",
        properties={"name": types.Schema(type="STRING", min_length=3), "age": types.Schema(type="INTEGER")},
        required=["name", "age"],
    )
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema)
    return _whole(url, "nothing", config).parsed


def too_many_not_retried(url):
    try:
        _whole(url, "too_many_once")
    except errors.ClientError as error:
        return {"code": error.code, "status": error.status, "message": error.message, "details": error.details}


def too_many(url):
    return "".join(chunk.text or "" for chunk in _streamed(url, "too_many", attempts=2))


def unavailable(url):
    return _whole(url, "unavailable", attempts=2).text


def down(url):
    try:
        _streamed(url, "down")
    except errors.ServerError as error:
        return {"code": error.code, "status": error.status}


def breaks(url):
    heard = []
    client = _client(url, "breaks")
    try:
        for chunk in client.models.generate_content_stream(model=MODEL, contents=ASK):
            heard.append(chunk.text)
    except errors.APIError as error:
        return {"heard": heard, "code": error.code, "status": error.status, "message": error.message}
