"""What clients of every provider call besides chats, on the preset."""

import json

import anthropic
import cohere
import ollama
import openai
from anthropic import Anthropic, AnthropicVertex
from google import genai
from google.oauth2.credentials import Credentials
from mistralai.client import Mistral

ASK = [{"role": "user", "content": "Say hello to me"}]
PATIENCE_S = 20


def _openai(url):
    return openai.OpenAI(base_url=url, api_key="any", max_retries=0, timeout=PATIENCE_S)


def _anthropic(url):
    return Anthropic(base_url=url, api_key="any", max_retries=0, timeout=PATIENCE_S)


def _options(url):
    return genai.types.HttpOptions(base_url=url, timeout=PATIENCE_S * 1000)


def _mistral(url):
    return Mistral(api_key="any", server_url=url, timeout_ms=PATIENCE_S * 1000)


# -- tokens, models ----------------------------------------------------------------------------------------------------


def anthropic_tokens(url):
    client = _anthropic(f"{url}/anthropic")
    counted = client.messages.count_tokens(model="any", messages=ASK, system="Be kind.")
    answered = client.messages.create(model="any", messages=ASK, system="Be kind.", max_tokens=99)
    return counted.input_tokens, answered.usage.input_tokens


def gemini_tokens(url):
    client = genai.Client(api_key="any", http_options=_options(f"{url}/gemini"))
    counted = client.models.count_tokens(model="any", contents="Say hello to me")
    return counted.total_tokens


def openai_tokens(url):
    return _openai(f"{url}/openai/v1").responses.input_tokens.count(model="any", input="Say hello to me").input_tokens


def models_with_slashes(url):
    return [
        _openai(url + base).models.retrieve("meta-llama/Llama-3").id
        for base in ("/v1", "/openai/v1", "/azure/openai/v1", "/ollama/v1")
    ]


def azure_models(url):
    return [model.id for model in _openai(f"{url}/azure/openai/v1").models.list()]


def known_embeddings(url):
    client = _openai(f"{url}/v1")
    return [
        len(client.embeddings.create(model=model, input="a").data[0].embedding)
        for model in ("text-embedding-3-small", "text-embedding-3-large")
    ]


def health(url):
    return _openai(f"{url}/v1").get(f"{url}/health", cast_to=dict[str, str])


# -- OpenAI's older Completions ----------------------------------------------------------------------------------------


def completions(url):
    client = _openai(f"{url}/openai/v1")
    whole = client.completions.create(model="any", prompt=["one two", "three"], n=2, echo=True, logprobs=1)
    stream = client.completions.create(model="any", prompt="one two", suffix="end", stream=True)
    return (
        [choice.text for choice in whole.choices],
        whole.choices[0].logprobs.tokens,
        [chunk.choices[0].text for chunk in stream],
    )


def limits_of_completions(url):
    create = _openai(f"{url}/openai/v1").completions.create
    found = []
    for limit in ({"max_tokens": 1}, {"stop": ["o"]}, {"max_tokens": 0, "echo": True}):
        whole = create(model="any", prompt="one two", **limit).choices[0]
        chunks = [chunk.choices[0] for chunk in create(model="any", prompt="one two", stream=True, **limit)]
        found.append([whole.text, whole.finish_reason])
        found.append(["".join(chunk.text for chunk in chunks), chunks[-1].finish_reason])
    best = create(model="any", prompt="one two", n=2, best_of=5)
    try:
        create(model="any", prompt="one two", n=5, best_of=2)
    except openai.BadRequestError as error:
        param = error.body["param"]
    try:
        create(model="any", prompt="one two", best_of=2, stream=True)
    except openai.BadRequestError as error:
        return found, [len(best.choices), best.usage.completion_tokens], [param, error.body["message"]]


# -- bases in the form of OpenAI ---------------------------------------------------------------------------------------


def bases_in_the_form_of_openai(url):
    bases = (
        "/ollama/v1",
        "/gemini/v1beta/openai/",
        "/cohere/compatibility/v1",
        "/anthropic/v1/",
        "/mistral/v1",
        "/azure/openai/v1",
    )
    found = []
    for base in bases:
        client = _openai(url + base)
        whole = client.chat.completions.create(model="any", messages=ASK).choices[0].message.content
        chunks = client.chat.completions.create(model="any", messages=ASK, stream=True)
        found.append([whole, "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)])
    return found


def claude_by_ollama(url):
    return _anthropic(f"{url}/ollama").messages.create(model="any", messages=ASK, max_tokens=99).content[0].text


# -- Vertex AI ---------------------------------------------------------------------------------------------------------


def gemini_on_vertex(url):
    client = genai.Client(
        vertexai=True, project="p", location="l", credentials=Credentials("any"), http_options=_options(f"{url}/vertex")
    )
    whole = client.models.generate_content(model="gemini-any", contents="Say hello to me")
    chunks = client.models.generate_content_stream(model="gemini-any", contents="Say hello to me")
    counted = client.models.count_tokens(model="gemini-any", contents="Say hello to me")
    return whole.text, whole.model_version, [chunk.text for chunk in chunks if chunk.text], counted.total_tokens


def gemini_on_vertex_with_a_key(url):
    client = genai.Client(vertexai=True, api_key="any", http_options=_options(url))
    return client.models.generate_content(model="gemini-any", contents="Say hello to me").text


def embeddings_on_vertex(url):
    client = genai.Client(
        vertexai=True, project="p", location="l", credentials=Credentials("any"), http_options=_options(f"{url}/vertex")
    )
    config = {"output_dimensionality": 3, "task_type": "RETRIEVAL_QUERY"}
    found = {}
    for model in ("text-embedding-005", "gemini-embedding-001"):
        for contents in ("one two", ["one two", "b"]):
            answer = client.models.embed_content(model=model, contents=contents, config=config)
            statistics = answer.embeddings[0].statistics
            tokens = None if statistics is None else statistics.token_count
            found[f"{model} {len(answer.embeddings)}"] = [answer.embeddings[0].values, tokens]
    usual = client.models.embed_content(model="text-embedding-005", contents="one two")
    return found, len(usual.embeddings[0].values), usual.metadata.billable_character_count


def claude_on_vertex(url):
    client = AnthropicVertex(
        base_url=f"{url}/vertex/v1", region="l", project_id="p", access_token="any", max_retries=0, timeout=PATIENCE_S
    )
    whole = client.messages.create(model="claude-any@1", messages=ASK, max_tokens=99)
    with client.messages.stream(model="claude-any@1", messages=ASK, max_tokens=99) as stream:
        streamed = list(stream.text_stream)
    counted = client.messages.count_tokens(model="claude-any@1", messages=ASK)
    return whole.content[0].text, whole.model, streamed, counted.input_tokens


# -- stored responses and conversations --------------------------------------------------------------------------------


def stored_response(url):
    client = _openai(f"{url}/openai/v1")
    made = client.responses.create(model="any", input="Say hello to me")
    found = client.responses.retrieve(made.id)
    items = [item.content[0].text for item in client.responses.input_items.list(made.id)]
    client.responses.delete(made.id)
    try:
        client.responses.retrieve(made.id)
    except openai.NotFoundError as error:
        return found.output_text, found == made, items, error.body["message"].replace(made.id, "ID")


def response_in_the_background(url):
    client = _openai(f"{url}/openai/v1")
    found = [client.responses.create(model="any", input="Say hello to me", background=True)]
    while found[-1].status in ("queued", "in_progress"):
        found.append(client.responses.retrieve(found[0].id))
    return [response.status for response in found], found[-1].output_text


def cancelled_response(url):
    client = _openai(f"{url}/openai/v1")
    made = client.responses.create(model="any", input="Say hello to me", background=True)
    return client.responses.cancel(made.id).status, client.responses.retrieve(made.id).status


def stream_that_goes_on(url):
    client = _openai(f"{url}/openai/v1")
    seen = []
    with client.responses.create(model="any", input="Say hello to me", background=True, stream=True) as stream:
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    last = seen[-1].sequence_number
    rest = list(client.responses.retrieve(seen[0].response.id, stream=True, starting_after=last))
    numbers = [event.sequence_number for event in (*seen, *rest)]
    text = "".join(event.delta for event in (*seen, *rest) if event.type == "response.output_text.delta")
    return numbers == list(range(len(numbers))), text, rest[-1].type, rest[-1].response.output_text


def conversation(url):
    client = _openai(f"{url}/openai/v1")
    made = client.conversations.create(metadata={"a": "b"}, items=[{"role": "user", "content": "First."}])
    client.responses.create(model="any", input="Say hello to me", conversation=made.id)
    client.conversations.items.create(made.id, items=[{"role": "user", "content": "Last."}])
    items = [item.content[0].text for item in client.conversations.items.list(made.id, order="asc", limit=2)]
    one = client.conversations.items.list(made.id, limit=1).data[0]
    found = client.conversations.items.retrieve(one.id, conversation_id=made.id).content[0].text
    client.conversations.items.delete(one.id, conversation_id=made.id)
    updated = client.conversations.update(made.id, metadata={"c": "d"}).metadata
    left = len(list(client.conversations.items.list(made.id)))
    return items, found, updated, left, client.conversations.delete(made.id).deleted


def reasoning_without_a_summary(url):
    client = _openai(f"{url}/reasons")
    with client.responses.stream(model="any", input="Hi", reasoning={"effort": "low"}) as stream:
        bare = stream.get_final_response()
    summed = client.responses.create(model="any", input="Hi", reasoning={"effort": "low", "summary": "auto"})
    return [[item.model_dump() for item in response.output] for response in (bare, summed)]


def websocket(url):
    try:
        with _openai(f"{url}/v1").responses.connect():
            return None
    except Exception as error:
        return str(error)


# -- Cohere, Mistral, Ollama -------------------------------------------------------------------------------------------


def cohere_ranks(url):
    documents = ["A cat sat.", "Paris is the capital of France.", "Madrid is a capital."]
    asked = {"model": "any", "query": "capital of France", "documents": documents, "top_n": 2}
    old, new = (client(api_key="any", base_url=f"{url}/cohere") for client in (cohere.Client, cohere.ClientV2))
    with_texts = old.rerank(**asked, return_documents=True).results
    return [result.index for result in new.rerank(**asked).results], [result.document.text for result in with_texts]


def _cohere_of_version_1(url):
    return cohere.Client(api_key="any", base_url=f"{url}/cohere", timeout=PATIENCE_S)


def cohere_chat_of_version_1(url):
    client = _cohere_of_version_1(url)
    events = list(client.chat_stream(message="Say hello to me", model="any"))
    whole = client.chat(message="Say hello to me", model="any")
    texts = [event.text for event in events if event.event_type == "text-generation"]
    return whole.text, whole.finish_reason, texts, events[-1].response.text


def cohere_limits_of_version_1(url):
    client = _cohere_of_version_1(url)
    found = []
    for limit in ({"max_tokens": 2}, {"stop_sequences": ["o t"]}):
        whole = client.chat(message="Say hello to me", model="any", **limit)
        *_, end = client.chat_stream(message="Say hello to me", model="any", **limit)
        found += [(one.text, one.finish_reason, one.meta.tokens.output_tokens) for one in (whole, end.response)]
    return found


def cohere_steps_of_version_1(url):
    """The loop over several steps in Cohere's documentation."""
    client = _cohere_of_version_1(f"{url}/calls")
    parameters = {"city": {"type": "str", "required": True}, "days": {"type": "List[int]", "required": True}}
    tools = [{"name": "look", "description": "Look.", "parameter_definitions": parameters}]
    answer = client.chat(message="How is it?", model="any", tools=tools)
    called = []
    while answer.tool_calls:
        called += answer.tool_calls
        results = [{"call": call, "outputs": [{"sky": "sunny"}]} for call in answer.tool_calls]
        asked = {"model": "any", "message": "", "tools": tools, "tool_results": results}
        answer = client.chat(chat_history=answer.chat_history, **asked)
    *_, end = client.chat_stream(message="How is it?", model="any", tools=tools)
    streamed = end.response.tool_calls
    return [[(call.name, call.parameters) for call in calls] for calls in (called, streamed)], answer.text


def cohere_refusals_of_version_1(url):
    found = []
    for wrong in ({"message": ""}, {"message": "Hi", "temperature": 2}):
        try:
            _cohere_of_version_1(url).chat(model="any", **wrong)
        except cohere.BadRequestError as error:
            found.append(error.body["message"])
    return found


def cohere_embeddings(url):
    """In each form, with both versions."""
    forms = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    asked = {"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_document"}
    old, new = (client(api_key="any", base_url=f"{url}/cohere") for client in (cohere.Client, cohere.ClientV2))
    bare = old.embed(**asked)
    typed = [client.embed(**asked, embedding_types=forms).embeddings for client in (old, new)]
    lengths = [{form: len(getattr(one, "float_" if form == "float" else form)[0]) for form in forms} for one in typed]
    return bare.response_type, len(bare.embeddings), bare.embeddings == typed[1].float_, lengths


def mistral_not_valid(url):
    """The client has a class for what is not valid."""
    try:
        _mistral(f"{url}/mistral").chat.complete(model="any", messages=ASK, temperature=1.6)
    except Exception as error:
        return type(error).__name__, error.status_code, json.loads(error.body)["message"]["detail"][0]["msg"]


def mistral_fim(url):
    client = _mistral(f"{url}/mistral")
    whole = client.fim.complete(model="codestral-latest", prompt="def f():", suffix="return 1")
    stream = client.fim.stream(model="codestral-latest", prompt="def f():", suffix="return 1")
    texts = [event.data.choices[0].delta.content for event in stream]
    return whole.choices[0].message.content, [text for text in texts if text]


def ollama_models(url):
    client = ollama.Client(host=f"{url}/ollama")
    pulled = [(step.status, step.completed) for step in client.pull("llama3.2", stream=True)]
    return {
        "pulled": [pulled[0], pulled[-1]],
        "whole": client.pull("llama3.2").status,
        "running": [model.model for model in client.ps().models],
        "digests": [model.digest for model in client.list().models],
        "chats": client.show("llama3.2").capabilities,
        "embeds": client.show("nomic-embed-text").capabilities,
    }


def anthropic_error(url):
    try:
        _anthropic(url).messages.count_tokens(model="any", messages=[])
    except anthropic.BadRequestError as error:
        return error.body["error"]["message"]
