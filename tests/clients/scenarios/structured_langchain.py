"""LangChain gets an object out of every provider: by a tool that the model must call."""

from langchain_anthropic import ChatAnthropic
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_mistralai import ChatMistralAI
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

ASK = "How is the weather in Paris?"


class Weather(BaseModel):
    """The weather in a city, without bounds: LangChain does not tell Gemini of any."""

    city: str
    days: int
    kinds: list[str]


def _models(url):
    openai = {"base_url": f"{url}/openai/v1", "api_key": "any", "model": "gpt-4.1", "max_retries": 0}
    return {
        "openai": ChatOpenAI(**openai),
        "responses": ChatOpenAI(**openai, use_responses_api=True),
        "anthropic": ChatAnthropic(
            base_url=f"{url}/anthropic", api_key="any", model="claude-sonnet-4-5", max_retries=0
        ),
        "gemini": ChatGoogleGenerativeAI(base_url=f"{url}/gemini", google_api_key="any", model="gemini-2.5-flash"),
        "mistral": ChatMistralAI(endpoint=f"{url}/mistral/v1", api_key="any", model="mistral-small"),
    }


def function_calling(url):
    return {
        name: model.with_structured_output(Weather, method="function_calling").invoke(ASK)
        for name, model in _models(url).items()
    }


def ollama(url):
    """Ollama cannot be told to call a tool: its schema is for the text."""
    model = ChatOllama(base_url=f"{url}/ollama", model="llama3.2")
    return model.with_structured_output(Weather, method="json_schema").invoke(ASK)
