"""Every provider's client on the preset, pointed at its base URL and at the server alone: what is not a chat, and who
answers where providers share a path."""

import ollama
from anthropic import Anthropic
from cohere import ClientV2
from google import genai
from mistralai.client import Mistral
from openai import OpenAI
from pydantic import BaseModel

WORDS = ["one two", "three"]
ASK = [{"role": "user", "content": "Say hello"}]


class Person(BaseModel):
    """What a reply is asked to be."""

    name: str
    age: int
    friends: list[str]


def _openai(url):
    return OpenAI(base_url=url, api_key="any", max_retries=0, timeout=20)


def _gemini(url):
    return genai.Client(api_key="any", http_options=genai.types.HttpOptions(base_url=url, timeout=20_000))


def _mistral(url):
    return Mistral(api_key="any", server_url=url, timeout_ms=20_000)


def openai_embeddings(url):
    client = _openai(f"{url}/openai/v1")
    packed = client.embeddings.create(model="any", input=WORDS, dimensions=4)
    plain = client.embeddings.create(model="any", input=WORDS, dimensions=4, encoding_format="float")
    return [[one.embedding for one in answer.data] for answer in (packed, plain)]


def openai_moderations(url):
    return _openai(f"{url}/v1").moderations.create(input=WORDS).model_dump()["results"]


def openai_models(url):
    client = _openai(f"{url}/v1")
    return [model.id for model in client.models.list()], client.models.retrieve("gpt-any").id


def openai_parsed(url):
    answer = _openai(f"{url}/v1").chat.completions.parse(model="any", messages=ASK, response_format=Person)
    return answer.choices[0].message.parsed.model_dump()


def responses_parsed(url):
    return _openai(f"{url}/v1").responses.parse(model="any", input="Hi", text_format=Person).output_parsed.model_dump()


def openai_without_a_version(url):
    return _openai(f"{url}/openai").chat.completions.create(model="any", messages=ASK).choices[0].message.content


def anthropic_models(url):
    client = Anthropic(base_url=url, api_key="any", max_retries=0, timeout=20)
    return [model.id for model in client.models.list()], client.models.retrieve("claude-any").id


def gemini_embeddings(url):
    config = genai.types.EmbedContentConfig(output_dimensionality=4)
    client = _gemini(f"{url}/gemini")
    one = client.models.embed_content(model="any", contents="one two", config=config)
    several = client.models.embed_content(model="any", contents=WORDS, config=config)
    return [[found.values for found in answer.embeddings] for answer in (one, several)]


def gemini_models(url):
    client = _gemini(url)
    return [model.name for model in client.models.list()], client.models.get(model="gemini-any").name


def gemini_parsed(url):
    config = genai.types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person)
    client = _gemini(url)
    return client.models.generate_content(model="any", contents="Hi", config=config).parsed.model_dump()


def mistral_embeddings(url):
    return [
        one.embedding for one in _mistral(url).embeddings.create(model="any", inputs=WORDS, output_dimension=4).data
    ]


def mistral_models(url):
    client = _mistral(url)
    return [model.id for model in client.models.list().data], client.models.retrieve(model_id="mistral-any").id


def mistral_on_the_path_of_openai(url):
    answer = _mistral(url).chat.complete(model="any", messages=ASK)
    return answer.choices[0].message.content, answer.model_dump(mode="json")["usage"]


def cohere_embeddings(url):
    answer = ClientV2(api_key="any", base_url=url, timeout=20).embed(
        model="any",
        texts=WORDS,
        input_type="search_document",
        embedding_types=["float", "int8", "ubinary"],
        output_dimension=8,
    )
    return answer.embeddings.float_, answer.embeddings.int8, answer.embeddings.ubinary


def ollama_embeddings(url):
    client = ollama.Client(host=url)
    several = client.embed(model="any", input=WORDS, dimensions=4).embeddings
    return [list(one) for one in several], len(client.embeddings(model="any", prompt="one two").embedding)


def ollama_models(url):
    client = ollama.Client(host=f"{url}/ollama")
    return [model.model for model in client.list().models], client.show("any").capabilities


def ollama_on_the_path_of_the_ui(url):
    return ollama.Client(host=url).chat(model="any", messages=ASK).message.content
