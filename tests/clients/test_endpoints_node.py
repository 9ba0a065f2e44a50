"""What clients for Node call besides chats, on the preset."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockd.settings import Settings
from mockd.testing import running_mockd
from tests.clients.node_sdk import run_module

pytestmark = [pytest.mark.clients(group="node"), pytest.mark.usefixtures("node_clients")]

SAID = "Say hello to me"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_mockd(settings=Settings(preset="llm")) as mockd:
        yield mockd.url


def seen(url: str, code: str) -> Any:
    """The value that a module prints. It has `url` and `said`."""
    return json.loads(run_module(f"const url = {json.dumps(url)}, said = {json.dumps(SAID)};\n{code}"))


def test_openai(url: str) -> None:
    code = """
        import OpenAI from "openai";
        const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: "any", maxRetries: 0 });
        const events = [];
        const stream = await client.responses.create({ model: "any", input: said, background: true, stream: true });
        for await (const event of stream) {
          events.push(event);
          if (event.type === "response.output_text.delta") break;
        }
        const id = events[0].response.id;
        const starting_after = events.at(-1).sequence_number;
        for await (const event of await client.responses.retrieve(id, { stream: true, starting_after })) {
          events.push(event);
        }
        const stored = await client.responses.retrieve(id);
        const counted = await client.responses.inputTokens.count({ model: "any", input: said });
        const completion = await client.completions.create({ model: "any", prompt: said, echo: true });
        const conversation = await client.conversations.create({ items: [{ role: "user", content: said }] });
        const items = await client.conversations.items.list(conversation.id);
        console.log(JSON.stringify({
          numbers: events.map((event) => event.sequence_number),
          last: events.at(-1).type,
          text: stored.output_text,
          tokens: counted.input_tokens,
          completion: completion.choices[0].text,
          items: items.data.map((item) => item.content[0].text),
          model: (await client.models.retrieve("meta-llama/Llama-3")).id,
        }));
    """
    found = seen(url, code)
    numbers = found.pop("numbers")
    assert numbers == list(range(len(numbers)))
    assert found == {
        "last": "response.completed",
        "text": SAID,
        "tokens": 4,
        "completion": SAID + SAID,
        "items": [SAID],
        "model": "meta-llama/Llama-3",
    }


def test_anthropic(url: str) -> None:
    code = """
        import Anthropic from "@anthropic-ai/sdk";
        const client = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: "any", maxRetries: 0 });
        const messages = [{ role: "user", content: said }];
        const counted = await client.messages.countTokens({ model: "any", messages });
        console.log(JSON.stringify(counted));
    """
    assert seen(url, code) == {"input_tokens": 4}


def test_gemini(url: str) -> None:
    code = """
        import { GoogleGenAI } from "@google/genai";
        const plain = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: `${url}/gemini` } });
        const vertex = new GoogleGenAI({ vertexai: true, apiKey: "any", httpOptions: { baseUrl: `${url}/vertex` } });
        const asked = { model: "gemini-any", contents: said };
        const counted = [];
        for (const client of [plain, vertex]) counted.push((await client.models.countTokens(asked)).totalTokens);
        console.log(JSON.stringify([counted, (await vertex.models.generateContent(asked)).text]));
    """
    assert seen(url, code) == [[4, 4], SAID]


def test_ollama(url: str) -> None:
    code = """
        import { Ollama } from "ollama";
        const client = new Ollama({ host: `${url}/ollama` });
        const steps = [];
        for await (const step of await client.pull({ model: "llama3.2", stream: true })) steps.push(step.status);
        const running = (await client.ps()).models.map((model) => model.name);
        const can = (await client.show({ model: "nomic-embed-text" })).capabilities;
        console.log(JSON.stringify([steps[0], steps.at(-1), running, can]));
    """
    assert seen(url, code) == ["pulling manifest", "success", ["llama3.2:latest"], ["embedding"]]
