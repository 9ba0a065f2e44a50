"""OpenAI's client on the streams that a server names at `/streams`: of each, what the client hands on, and the error
that it raises."""

import json
from urllib.request import urlopen

import openai

ASK = [{"role": "user", "content": "Say hello, please"}]
GIVEN = {"api_key": "any", "max_retries": 0, "timeout": 20}


def _seen(url, vendor, ask):
    seen = {}
    for name in json.load(urlopen(f"{url}/streams"))[vendor]:
        seen[name] = heard = []
        try:
            for event in ask(f"{url}/{name}"):
                heard.append(event.model_dump(mode="json", warnings=False))
        except Exception as error:
            heard.append(f"{type(error).__name__}: {error}")
    return seen


def _chat(url):
    client = openai.OpenAI(base_url=f"{url}/v1", **GIVEN)
    return client.chat.completions.create(model="any", messages=ASK, stream=True)


def _azure(url):
    client = openai.AzureOpenAI(azure_endpoint=url, api_version="2024-10-21", **GIVEN)
    return client.chat.completions.create(model="any", messages=ASK, stream=True)


def _responses(url):
    return openai.OpenAI(base_url=f"{url}/v1", **GIVEN).responses.create(model="any", input=ASK, stream=True)


def openai_chat(url):
    return _seen(url, "openai-chat", _chat)


def azure_openai(url):
    return _seen(url, "azure-openai", _azure)


def openai_responses(url):
    return _seen(url, "openai-responses", _responses)
