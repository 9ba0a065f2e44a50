"""Replies that a script breaks off, on every wire and in every way of being asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockd.settings import Settings
from mockd.sources.llm.replies.params import UNSAID
from mockd.testing import running_mockd
from tests.presets.asking import ONLY_STREAMS, PATHS, asked
from tests.servers.answers import BREAKS, Answer, read_answer
from tests.wire.conftest import TLS
from tests.wire.sockets import Client

Ask = Callable[..., Answer]

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    # the version of HTTP, and uvicorn's options
    "HTTP/1.1": ("1.1", {}),
    "HTTP/1.0": ("1.0", {}),
    "TLS": ("1.1", TLS),
    "HTTP/1.0 over TLS": ("1.0", TLS),
    "h11": ("1.1", {"http": "h11", "loop": "asyncio"}),
}
GEMINI = {"gemini": "?alt=sse", "gemini, an array": ""}
"""The streams of Gemini, with their queries."""
STREAMED = [*(name for name in PATHS if name != "gemini"), *GEMINI]
WHOLE = [name for name in PATHS if name not in ONLY_STREAMS]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks a server, one for each way and script."""
    with ExitStack() as running:
        urls: dict[str, str] = {}

        def served(options: dict[str, Any], reply: dict[str, Any]) -> str:
            key = json.dumps([options, reply])
            if key not in urls:
                file = tmp_path_factory.mktemp("script") / "script.json"
                file.write_text(json.dumps([{"reply": reply}]), encoding="utf-8")
                settings = Settings(preset="llm", preset_script=str(file))
                urls[key] = running.enter_context(running_mockd(settings=settings, **options)).url
            return urls[key]

        def ask(way: str, kind: str, reply: dict[str, Any], *, stream: bool, **more: Any) -> Answer:
            version, options = WAYS[way]
            url = served(options, reply)
            scheme = "https" if options is TLS else "http"
            template = kind.partition(",")[0]
            path = PATHS[template].replace("{model}", "m")
            if stream and kind in GEMINI:
                path = path.replace(":generateContent", ":streamGenerateContent") + GEMINI[kind]
            body = json.dumps(asked(template, stream=stream, **more)).encode()
            with Client(f"{scheme}://{urlsplit(url).netloc}") as client:
                if isinstance(client.socket, ssl.SSLSocket):
                    client.socket.suppress_ragged_eofs = False
                client.ask(path, method="POST", version=version, body=body)
                return read_answer(client, "POST")

        yield ask


def cut(how: str) -> dict[str, Any]:
    return {"text": "One two three.", "error": {"cut": how, "afterTokens": 2}}


@pytest.mark.parametrize("kind", STREAMED)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_a_stream_breaks_off(ask: Ask, way: str, kind: str, how: str) -> None:
    answer = ask(way, kind, cut(how), stream=True)
    assert answer.status == 200
    if how != "reset":  # which throws away what is still on its way
        assert b"two" in answer.body
    assert b"three" not in answer.body
    assert UNSAID.encode() not in answer.body
    in_order = "closed" if WAYS[way][0] == "1.0" else "whole"
    assert answer.end == (in_order if how == "end" else "broken")


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["end", "close", "reset"])
def test_an_answer_in_one_piece_does_not_begin(ask: Ask, way: str, kind: str, how: str) -> None:
    with pytest.raises((*BREAKS, AssertionError), match=r"Connection reset|EOF occurred|the connection ended before"):
        ask(way, kind, cut(how), stream=False)
