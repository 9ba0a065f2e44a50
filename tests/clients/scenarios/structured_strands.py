"""Strands gets an object out of a model: by a tool that it must call."""

from pydantic import BaseModel, Field
from strands import Agent
from strands.models.anthropic import AnthropicModel
from strands.models.openai import OpenAIModel

ASK = "How is the weather in Paris?"


class Weather(BaseModel):
    """The weather in a city."""

    city: str = Field(min_length=6)
    days: int = Field(ge=3)
    kinds: list[str]


def _models(url):
    openai = {"base_url": f"{url}/openai/v1", "api_key": "any", "max_retries": 0}
    anthropic = {"base_url": f"{url}/anthropic", "api_key": "any", "max_retries": 0}
    return {
        "openai": OpenAIModel(client_args=openai, model_id="gpt-4.1"),
        "anthropic": AnthropicModel(client_args=anthropic, model_id="claude-sonnet-4-5", max_tokens=100),
    }


def structured_output(url):
    return {
        name: Agent(model=model, callback_handler=None)(ASK, structured_output_model=Weather).structured_output
        for name, model in _models(url).items()
    }
