"""Every provider's own client on the preset, told what the reply must be like."""

from anthropic import Anthropic
from cohere import ClientV2
from google import genai
from mistralai.client import Mistral
from ollama import Client
from openai import OpenAI

SAID = "Say hello to me"
ASK = [{"role": "user", "content": SAID}]


def _openai(url):
    return OpenAI(base_url=f"{url}/openai/v1", api_key="any", max_retries=0, timeout=20)


def _anthropic(url):
    return Anthropic(base_url=f"{url}/anthropic", api_key="any", max_retries=0, timeout=20)


def _gemini(url):
    return genai.Client(api_key="any", http_options=genai.types.HttpOptions(base_url=f"{url}/gemini", timeout=20_000))


def _mistral(url):
    return Mistral(api_key="any", server_url=f"{url}/mistral", timeout_ms=20_000)


def _cohere(url):
    return ClientV2(api_key="any", base_url=f"{url}/cohere", timeout=20)


def _ollama(url):
    return Client(host=f"{url}/ollama", timeout=20)


def openai(url):
    create = _openai(url).chat.completions.create
    short, stopped = (create(model="m", messages=ASK, **more) for more in ({"max_tokens": 2}, {"stop": ["o t"]}))
    return [[one.choices[0].message.content, one.choices[0].finish_reason] for one in (short, stopped)]


def openai_responses(url):
    short = _openai(url).responses.create(model="m", input=SAID, max_output_tokens=2, service_tier="flex")
    thinking = _openai(url).responses.create(model="m", input=SAID, reasoning={"effort": "low", "summary": "auto"})
    return {
        "short": [short.output_text, short.status, short.incomplete_details.reason, short.usage.output_tokens],
        "tier": short.service_tier,
        "thought": thinking.output[0].summary[0].text,
    }


def anthropic(url):
    create = _anthropic(url).messages.create
    short = create(model="m", messages=ASK, max_tokens=2)
    stopped = create(model="m", messages=ASK, max_tokens=99, stop_sequences=["o t"])
    thinking = create(model="m", messages=ASK, max_tokens=2048, thinking={"type": "enabled", "budget_tokens": 1024})
    system = [{"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}}]
    cached = create(model="m", messages=ASK, max_tokens=99, system=system)
    return {
        "short": [short.content[0].text, short.stop_reason, short.usage.output_tokens],
        "stopped": [stopped.content[0].text, stopped.stop_reason, stopped.stop_sequence],
        "thought": thinking.content[0].thinking,
        "cached": [cached.usage.input_tokens, cached.usage.cache_creation_input_tokens],
    }


def gemini(url):
    client = _gemini(url)

    def ask(**config):
        return client.models.generate_content(model="m", contents=SAID, config=config)

    short, stopped = ask(max_output_tokens=2), ask(stop_sequences=["o t"])
    thinking = ask(thinking_config={"include_thoughts": True})
    word = ask(response_mime_type="text/x.enum", response_schema={"type": "STRING", "enum": ["rain", "sun"]})
    return {
        "short": [short.text, short.candidates[0].finish_reason.value],
        "stopped": [stopped.text, stopped.candidates[0].finish_reason.value],
        "thought": [part.text for part in thinking.candidates[0].content.parts if part.thought],
        "word": word.text,
    }


def mistral(url):
    complete = _mistral(url).chat.complete
    short, stopped = (complete(model="m", messages=ASK, **more) for more in ({"max_tokens": 2}, {"stop": ["o t"]}))
    return [[one.choices[0].message.content, one.choices[0].finish_reason] for one in (short, stopped)]


def cohere(url):
    chat = _cohere(url).chat
    short, stopped = (
        chat(model="m", messages=ASK, **more) for more in ({"max_tokens": 2}, {"stop_sequences": ["o t"]})
    )
    thinking = chat(model="m", messages=ASK, thinking={"type": "enabled"})
    return {
        "said": [[one.message.content[0].text, one.finish_reason] for one in (short, stopped)],
        "thought": thinking.message.content[0].thinking,
    }


def ollama(url):
    chat = _ollama(url).chat
    short, stopped = (
        chat(model="m", messages=ASK, options=options) for options in ({"num_predict": 2}, {"stop": ["o t"]})
    )
    thinking = chat(model="m", messages=ASK, think=True)
    return {
        "said": [[one.message.content, one.done_reason] for one in (short, stopped)],
        "thought": thinking.message.thinking,
    }
