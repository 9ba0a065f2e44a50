"""Providers' clients on a preset that needs a key and has rate limits: what they raise, and how they wait."""

import anthropic
import cohere
import ollama
import openai
from google import genai
from mistralai.client import Mistral
from mistralai.client.utils import BackoffStrategy, RetryConfig

ASK = [{"role": "user", "content": "Say hello to me"}]
KEY, WRONG = "right", "wrong"
PATIENCE_S = 60


def _openai(url, key, retries=0):
    return openai.OpenAI(base_url=f"{url}/openai/v1", api_key=key, max_retries=retries, timeout=PATIENCE_S)


def _anthropic(url, key, retries=0):
    return anthropic.Anthropic(base_url=f"{url}/anthropic", api_key=key, max_retries=retries, timeout=PATIENCE_S)


def _mistral(url, key, retry=None):
    return Mistral(api_key=key, server_url=f"{url}/mistral", timeout_ms=PATIENCE_S * 1000, retry_config=retry)


def _chat(client):
    return client.chat.completions.create(model="any", messages=ASK).choices[0].message.content


def _message(client):
    return client.messages.create(model="any", max_tokens=99, messages=ASK).content[0].text


def _raised(ask):
    """The class and the status of what the client raises."""
    try:
        ask()
    except Exception as error:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        return type(error).__name__, status
    return None


# -- keys --------------------------------------------------------------------------------------------------------------


def right_keys(url):
    google = genai.Client(api_key=KEY, http_options={"base_url": f"{url}/gemini"})
    local = ollama.Client(f"{url}/ollama", headers={"Authorization": f"Bearer {KEY}"})
    azure = openai.AzureOpenAI(azure_endpoint=f"{url}/azure", api_key=KEY, api_version="1", max_retries=0)
    return {
        "openai": _chat(_openai(url, KEY)),
        "azure": _chat(azure),
        "anthropic": _message(_anthropic(url, KEY)),
        "anthropic-bearer": _message(
            anthropic.Anthropic(base_url=f"{url}/anthropic", auth_token=KEY, api_key=None, max_retries=0)
        ),
        "gemini": google.models.generate_content(model="any", contents="Say hello to me").text,
        "mistral": _mistral(url, KEY).chat.complete(model="any", messages=ASK).choices[0].message.content,
        "cohere": cohere.ClientV2(KEY, base_url=f"{url}/cohere")
        .chat(model="any", messages=ASK)
        .message.content[0]
        .text,
        "ollama": local.chat("any", ASK).message.content,
    }


def wrong_keys(url):
    google = genai.Client(api_key=WRONG, http_options={"base_url": f"{url}/gemini"})
    azure = openai.AzureOpenAI(azure_endpoint=f"{url}/azure", api_key=WRONG, api_version="1", max_retries=0)
    return {
        "openai": _raised(lambda: _chat(_openai(url, WRONG))),
        "openai-models": _raised(_openai(url, WRONG).models.list),
        "azure": _raised(lambda: _chat(azure)),
        "anthropic": _raised(lambda: _message(_anthropic(url, WRONG))),
        "gemini": _raised(lambda: google.models.generate_content(model="any", contents="Hi")),
        "mistral": _raised(lambda: _mistral(url, WRONG).chat.complete(model="any", messages=ASK)),
        "cohere": _raised(lambda: cohere.ClientV2(WRONG, base_url=f"{url}/cohere").chat(model="any", messages=ASK)),
        "ollama": _raised(lambda: ollama.Client(f"{url}/ollama").chat("any", ASK)),
    }


def refused(url):
    """Requests that the services refuse."""
    google = genai.Client(api_key=KEY, http_options={"base_url": f"{url}/gemini"})
    chats, messages = _openai(url, KEY), _anthropic(url, KEY)
    cohere_ = cohere.ClientV2(KEY, base_url=f"{url}/cohere")
    result = [*ASK, {"role": "tool", "tool_call_id": "c1", "content": "1"}]
    long = [{"role": "user", "content": "word " * 2000}]
    return {
        "openai-temperature": _raised(lambda: chats.chat.completions.create(model="any", messages=ASK, temperature=3)),
        "openai-tool": _raised(lambda: chats.chat.completions.create(model="any", messages=result)),
        "openai-long": _raised(lambda: chats.chat.completions.create(model="any", messages=long)),
        "openai-response": _raised(
            lambda: chats.responses.create(model="any", input="Hi", previous_response_id="resp_no")
        ),
        "openai-embeddings": _raised(lambda: chats.embeddings.create(model="any", input=["a"] * 2049)),
        "anthropic-budget": _raised(
            lambda: messages.messages.create(
                model="any", max_tokens=2000, messages=ASK, thinking={"type": "enabled", "budget_tokens": 2000}
            )
        ),
        "anthropic-long": _raised(lambda: messages.messages.create(model="any", max_tokens=9, messages=long)),
        "gemini-temperature": _raised(
            lambda: google.models.generate_content(model="any", contents="Hi", config={"temperature": 3})
        ),
        "mistral-tool": _raised(lambda: _mistral(url, KEY).chat.complete(model="any", messages=result)),
        "cohere-embeddings": _raised(
            lambda: cohere_.embed(
                texts=["a"] * 97, model="any", input_type="search_document", embedding_types=["float"]
            )
        ),
    }


# -- limits ------------------------------------------------------------------------------------------------------------


def _used_up(ask):
    """Ask until the client is told to wait. Returns the number of answers, and what it raised."""
    for number in range(100):
        if (raised := _raised(ask)) is not None:
            return number, raised
    return None


def used_up(url):
    return {
        "openai": _used_up(lambda: _chat(_openai(url, "right-2"))),
        "anthropic": _used_up(lambda: _message(_anthropic(url, "right-2"))),
    }


def retries(url):
    """Each asks for more than there is in a minute, and gets all of it by waiting as its client does by itself."""
    key = "right-3"
    backoff = RetryConfig("backoff", BackoffStrategy(500, 5000, 1.5, PATIENCE_S * 1000), True)
    chats, messages = _openai(url, key, 5), _anthropic(url, key, 5)
    mistral, cohere_ = _mistral(url, key, backoff), cohere.ClientV2(key, base_url=f"{url}/cohere")
    spoken = {
        "openai": lambda: _chat(chats),
        "anthropic": lambda: _message(messages),
        "mistral": lambda: mistral.chat.complete(model="any", messages=ASK).choices[0].message.content,
        "cohere": lambda: cohere_.chat(model="any", messages=ASK).message.content[0].text,
    }
    return {name: [ask() for _ in range(42)] for name, ask in spoken.items()}


def left(url):
    answer = _openai(url, "right-4").chat.completions.with_raw_response.create(model="any", messages=ASK)
    message = _anthropic(url, "right-4").messages.with_raw_response.create(model="any", max_tokens=9, messages=ASK)
    return (
        answer.headers["x-ratelimit-remaining-requests"],
        message.headers["anthropic-ratelimit-requests-remaining"],
    )
