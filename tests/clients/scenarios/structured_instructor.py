"""Instructor gets an object out of a model: by a tool that it must call, or by JSON whose schema is in the prompt."""

import instructor
from anthropic import Anthropic
from openai import OpenAI
from pydantic import BaseModel, Field

ASK = "How is the weather in Paris?"


class Weather(BaseModel):
    """The weather in a city."""

    city: str = Field(min_length=6)
    days: int = Field(ge=3)
    kinds: list[str]


def _openai(url, **mode):
    client = instructor.from_openai(OpenAI(base_url=f"{url}/openai/v1", api_key="any", max_retries=0), **mode)
    return _asked(client, model="gpt-4.1")


def _anthropic(url, **mode):
    client = instructor.from_anthropic(Anthropic(base_url=f"{url}/anthropic", api_key="any", max_retries=0), **mode)
    return _asked(client, model="claude-sonnet-4-5", max_tokens=100)


def _asked(client, **more):
    messages = [{"role": "user", "content": ASK}]
    return client.chat.completions.create(messages=messages, response_model=Weather, max_retries=0, **more)


def openai(url):
    return _openai(url)


def openai_json(url):
    """The request demands any JSON."""
    return _openai(url, mode=instructor.Mode.JSON)


def openai_json_in_a_block(url):
    """The request demands nothing."""
    return _openai(url, mode=instructor.Mode.MD_JSON)


def anthropic(url):
    return _anthropic(url)


def anthropic_json(url):
    """The request demands nothing."""
    return _anthropic(url, mode=instructor.Mode.ANTHROPIC_JSON)
