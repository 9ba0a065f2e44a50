"""What each client says of a provider that fails: how many pieces it gave, and the error that it raised."""

import json
from urllib.request import urlopen

import anthropic
import cohere
import ollama
import openai
from google import genai
from google.genai import types
from mistralai.client import Mistral

ASK = "Say hello, please"
MESSAGES = [{"role": "user", "content": ASK}]


def _heard(url, name, pieces):
    """By the last part of the name of a mock."""
    with urlopen(f"{url}/places") as answer:
        mocks = json.load(answer)[name]
    return {mock.partition(".")[2]: _outcome(pieces(f"{url}/{mock}")) for mock in mocks}


def _outcome(pieces):
    """The number of pieces with text, and the name of the error's class with its words."""
    said = 0
    try:
        for piece in pieces:
            said += bool(piece)
    except Exception as error:
        return {"said": said, "error": type(error).__name__, "words": f"{error} {getattr(error, 'body', None)}"}
    return {"said": said, "error": None, "words": ""}


def openai_chat(url):
    def pieces(base):
        client = openai.OpenAI(base_url=base + "/v1", api_key="any", max_retries=0, timeout=20)
        for chunk in client.chat.completions.create(model="any", messages=MESSAGES, stream=True):
            yield from (choice.delta.content for choice in chunk.choices)

    return _heard(url, "openai_chat", pieces)


def azure_openai(url):
    def pieces(base):
        client = openai.AzureOpenAI(azure_endpoint=base, api_version="2024-10-21", api_key="any", max_retries=0)
        for chunk in client.chat.completions.create(model="any", messages=MESSAGES, stream=True):
            yield from (choice.delta.content for choice in chunk.choices)

    return _heard(url, "azure_openai", pieces)


def openai_responses(url):
    def pieces(base):
        client = openai.OpenAI(base_url=base + "/v1", api_key="any", max_retries=0, timeout=20)
        for event in client.responses.create(model="any", input=ASK, stream=True):
            yield event.type == "response.output_text.delta"
            if event.type == "response.failed":
                raise ResponseFailed(event.response.error.message)

    return _heard(url, "openai_responses", pieces)


class ResponseFailed(Exception):
    """An event of the client's, which raises nothing for it."""


def anthropic_messages(url):
    def pieces(base):
        client = anthropic.Anthropic(base_url=base, api_key="any", max_retries=0, timeout=20)
        with client.messages.stream(model="any", max_tokens=99, messages=MESSAGES) as stream:
            yield from stream.text_stream

    return _heard(url, "anthropic_messages", pieces)


def gemini(url):
    def pieces(base):
        client = genai.Client(api_key="any", http_options=types.HttpOptions(base_url=base, timeout=20_000))
        for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=ASK):
            yield chunk.text

    return _heard(url, "gemini", pieces)


def cohere_chat(url):
    def pieces(base):
        client = cohere.ClientV2(api_key="any", base_url=base, timeout=20)
        for event in client.chat_stream(model="any", messages=MESSAGES, request_options={"max_retries": 0}):
            yield event.type == "content-delta"
            if event.type == "message-end" and event.delta.finish_reason == "ERROR":
                raise FinishedInError(event.delta.error)

    return _heard(url, "cohere_chat", pieces)


class FinishedInError(Exception):
    """A reason to finish of the client's, which raises nothing for it."""


def mistral_chat(url):
    def pieces(base):
        with Mistral(api_key="any", server_url=base).chat.stream(model="any", messages=MESSAGES) as stream:
            for event in stream:
                yield event.data.choices[0].delta.content

    return _heard(url, "mistral_chat", pieces)


def ollama_chat(url):
    def pieces(base):
        for part in ollama.Client(host=base).chat("any", MESSAGES, stream=True):
            yield part.message.content

    return _heard(url, "ollama_chat", pieces)


def ollama_generate(url):
    def pieces(base):
        for part in ollama.Client(host=base).generate("any", ASK, stream=True):
            yield part.response

    return _heard(url, "ollama_generate", pieces)
