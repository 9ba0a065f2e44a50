"""Vendors' clients that try again by themselves: each asks once, and is answered at its third attempt."""

import anthropic
from google import genai
from google.genai import types

ASK = "Say hello, please"


def anthropic_stream(url):
    with anthropic.Anthropic(base_url=f"{url}/anthropic", api_key="any", max_retries=2, timeout=20) as client:
        asked = {"model": "claude-sonnet-4-5", "max_tokens": 1024, "messages": [{"role": "user", "content": ASK}]}
        with client.messages.stream(**asked) as stream:
            return "".join(stream.text_stream)


def google_stream(url):
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.01, jitter=0.01)
    options = types.HttpOptions(base_url=f"{url}/google", timeout=20_000, retry_options=retry)
    client = genai.Client(api_key="any", http_options=options)
    return "".join(
        chunk.text for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents=ASK)
    )
