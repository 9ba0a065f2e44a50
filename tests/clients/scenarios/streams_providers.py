"""The clients of Anthropic, Cohere, Google and Mistral on the streams that a server names at `/streams`: of each, what
the client hands on, and the error that it raises."""

import json
from urllib.request import urlopen

import anthropic as anthropics
import cohere as coheres
from google import genai
from google.genai import types
from mistralai.client import Mistral

TEXT = "Say hello, please"
ASK = [{"role": "user", "content": TEXT}]


def _seen(url, vendor, ask):
    seen = {}
    for name in json.load(urlopen(f"{url}/streams"))[vendor]:
        seen[name] = heard = []
        try:
            for event in ask(f"{url}/{name}"):
                # Google's has the headers, with the date.
                heard.append(event.model_dump(mode="json", warnings=False, exclude={"sdk_http_response"}))
        except Exception as error:
            heard.append(f"{type(error).__name__}: {error}")
    return seen


def _anthropic(url):
    client = anthropics.Anthropic(base_url=url, api_key="any", max_retries=0, timeout=20)
    return client.messages.create(model="any", max_tokens=1024, messages=ASK, stream=True)


def _cohere(url):
    return coheres.ClientV2("any", base_url=url, timeout=20).chat_stream(model="any", messages=ASK)


def _google(url):
    options = types.HttpOptions(base_url=url, timeout=20_000)
    client = genai.Client(api_key="any", http_options=options)
    yield from client.models.generate_content_stream(model="any", contents=TEXT)


def _mistral(url):
    client = Mistral(api_key="any", server_url=url, timeout_ms=20_000)
    with client.chat.stream(model="any", messages=ASK) as stream:
        yield from stream


def anthropic(url):
    return _seen(url, "anthropic", _anthropic)


def cohere(url):
    return _seen(url, "cohere", _cohere)


def google(url):
    return _seen(url, "google", _google)


def mistral(url):
    return _seen(url, "mistral", _mistral)
