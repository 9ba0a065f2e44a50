"""What clients of models ask, of every provider."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tests.presets.asking import PATHS, SAID, asked
from tests.stress.asking import ask
from tests.stress.server import Server

_EMBEDDINGS = {
    "/v1/embeddings": "input",
    "/mistral/v1/embeddings": "input",
    "/api/embed": "input",
    "/v2/embed": "texts",
}
_WORDS = ("hello", "world")
"""What is said: so little that all replies to it are soon known, and what is kept of them grows no more."""


def chat(server: Server, random: Random) -> None:
    """A chat, whole or streamed. The reply has what was said."""
    template = random.choice(list(PATHS))
    said = random.choice(_WORDS)
    body = json.dumps(asked(template, stream=random.random() < 0.5)).replace(SAID, said)
    status, answer = ask(server.mocks + PATHS[template].replace("{model}", "m"), "POST", body.encode())
    assert status == 200, answer
    assert said.encode() in answer


def refused(server: Server, random: Random) -> None:
    """A request that the real service refuses."""
    template = random.choice(list(PATHS))
    status, answer = ask(server.mocks + PATHS[template].replace("{model}", "m"), "POST", b"{")
    assert 400 <= status < 500, answer


def embeddings(server: Server, random: Random) -> None:
    path = random.choice(list(_EMBEDDINGS))
    texts = random.choices(_WORDS, k=random.randint(1, 10))
    body = {"model": "m", _EMBEDDINGS[path]: texts, "input_type": "search_document", "embedding_types": ["float"]}
    assert ask(server.mocks + path, "POST", body)[0] == 200


MODELS: dict[str, Callable[[Server, Random], None]] = {
    "chats": chat,
    "refused chats": refused,
    "embeddings": embeddings,
}
