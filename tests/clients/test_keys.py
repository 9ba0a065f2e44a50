"""OpenAI's own client with a key in its base URL, beside others: none sees what another has done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from mockd.testing import RunningMockd
from tests.clients.conftest import PATIENCE_S, TOKENS, Serve, chat

pytestmark = pytest.mark.clients

ASK: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Say hello, please"}]


def read(mockd: RunningMockd, key: str, *, by_header: bool = False) -> list[str]:
    """What comes of a streamed reply, up to its end or an error, whose name is the last."""
    seen: list[str] = []
    base, headers = (mockd.url, {"X-Mockd-Key": key}) if by_header else (f"{mockd.url}/~{key}", {})
    with openai.OpenAI(
        base_url=base + "/v1", api_key="sk-any", max_retries=0, timeout=PATIENCE_S, default_headers=headers
    ) as client:
        try:
            for chunk in client.chat.completions.create(model="gpt-4.1", messages=ASK, stream=True):
                seen += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        except openai.APIError as error:
            seen.append(type(error).__name__)
    return seen


@pytest.mark.parametrize("by_header", [False, True])
def test_each_key_has_its_own_weather(serve: Serve, by_header: bool) -> None:
    mockd = serve({"id": "chat", **chat(error={"status": 429, "times": 1}), "faults": ["reset after 3 events every 3"]})
    plain = [read(mockd, "plain", by_header=by_header) for _ in range(3)]
    assert plain[:2] == [["RateLimitError"], list(TOKENS)]
    assert plain[2][-1] == "APIConnectionError"
    with ThreadPoolExecutor(8) as pool:

        def test(number: int) -> list[list[str]]:
            return [read(mockd, f"test-{number}", by_header=by_header) for _ in range(3)]

        assert list(pool.map(test, range(16))) == [plain] * 16


def test_a_mock_of_its_own(serve: Serve) -> None:
    mockd = serve({"id": "chat", **chat()})
    mockd.engine.create({"id": "chat", **chat(tokens=["mine"])}, "a")
    assert [read(mockd, key) for key in "ab"] == [["mine"], list(TOKENS)]
