"""What servers are asked for, and the files that are too long to keep: made anew for every run."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from benchmarks.paths import GENERATED, PEERS

EVENTS = 500
"""Events in a stream without delay: the same for all."""
TOKENS = {"short": 20, "long": 500, "paced": 1200}
AROUND_TOKENS = 3
"""Events around the tokens of a chat: the role, the reason of the end, `[DONE]`."""
DELAY_MS = 50.0
RANDOM_SEED, RANDOM_MIN_MS, RANDOM_MAX_MS = 7, 20, 80
"""As in mocks/streams.json, `paced-random`."""
PLAIN = PEERS / "plain.json"
"""The body of a plain answer, 1 KiB: as everybody sends it, byte for byte."""


@dataclass(frozen=True)
class Work:
    """A request, POST if it has a body, and what comes back: `events` in all, None if there is no end, and `length`
    bytes of body, None if servers differ in that."""

    path: str
    body: str | None = None
    format: str = "sse"
    events: int | None = None
    length: int | None = None

    def options(self) -> dict[str, Any]:
        """As options of the load client."""
        return {
            "path": self.path,
            "body": self.body,
            "format": self.format,
            "expect": self.events,
            "expect_bytes": self.length,
        }


def _chat(prompt: str) -> Work:
    body = {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    events = TOKENS[prompt.partition(" ")[0]] + AROUND_TOKENS
    return Work("/v1/chat/completions", json.dumps(body), events=events)


WORKS: dict[str, Work] = {
    "static": Work("/events", events=EVENTS),
    "uuid": Work("/uuid", events=EVENTS),
    "random": Work("/random", events=EVENTS),
    "flushed": Work("/flushed", events=EVENTS),
    "ndjson": Work("/ndjson", format="ndjson", events=EVENTS),
    "chat-short": _chat("short"),
    "chat-long": _chat("long"),
    "paced": Work("/paced"),
    "paced-random": Work("/paced-random"),
    "paced-counted": Work("/paced-counted", events=100),
    "paced-few": Work("/paced-few", events=50),
    "paced-many": Work("/paced-many", events=450),
    "one": Work("/one", events=1),
    "plain": Work("/plain", length=PLAIN.stat().st_size),
    "idle": Work("/idle"),
    "endless": Work("/endless"),
    "ten-million": Work("/ten-million", events=10_000_000),
}
PACED_CHAT = _chat("paced")
ECHOED_CHAT = _chat("short" + 16 * " a")
"""For a server that answers `Hello! You said: …`, a word a token: 20 in all."""


def generate() -> None:
    """Write the mocks and the peers' files that are too long to keep."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    event = json.loads((PEERS / "event.json").read_text())
    _write(
        "long.json",
        [
            {
                "id": "ndjson",
                "matcher": {"method": "GET", "path": "/ndjson"},
                "chunked": {"ndjsonItems": [event] * EVENTS},
            },
            {
                "id": "plain",
                "matcher": {"method": "GET", "path": "/plain"},
                "response": {"body": json.loads(PLAIN.read_text())},
            },
            {
                "id": "chat-long",
                "matcher": {
                    "method": "POST",
                    "path": "/v1/chat/completions",
                    "bodyJsonPath": {"$.stream": True, "$.messages[-1].content": "long"},
                },
                "sse": {
                    "template": "openai-chat",
                    "templateParams": {"tokens": ["word "] * TOKENS["long"]},
                    "lifecycle": {"keepaliveInterval": 15},
                },
            },
        ],
    )
    _write("others.json", [_other(number) for number in range(1000)])
    fixtures = [
        {"match": {"userMessage": prompt}, "response": {"content": "word " * tokens}}
        for prompt, tokens in TOKENS.items()
    ]
    _write("aimock.json", {"fixtures": fixtures})
    # YAML is a superset of JSON. A character is a token there.
    _write("mockllm.yml", {"responses": {}, "defaults": {"unknown_response": "x" * TOKENS["short"]}})
    _write_schedule()


def _write(name: str, value: Any) -> None:
    (GENERATED / name).write_text(json.dumps(value))


def _other(number: int) -> dict[str, Any]:
    """One of the thousand others, in the mixture of a large test suite: mostly paths as they are."""
    kind = number % 40
    if kind < 26:
        matcher: dict[str, Any] = {"method": "GET", "path": f"/api/v1/resource-{number}"}
    elif kind < 32:
        matcher = {"method": "GET", "path": f"/api/v1/resource-{number}/{{id}}"}
    elif kind < 38:
        matcher = {"method": "POST", "path": f"/api/v2/orders-{number}", "bodyJsonPath": {"$.kind": "order"}}
    elif kind == 38:
        matcher = {"method": "GET", "path": f"/files-{number}/*"}
    else:
        matcher = {"pathPattern": f"^/legacy/{number}/[0-9]+$"}
    return {"id": f"other-{number}", "matcher": matcher, "response": {"body": {"number": number}}}


def _write_schedule() -> None:
    """When the events of `paced-random` are due, by its seed, in milliseconds after the head."""
    rng = random.Random(RANDOM_SEED)
    spread = RANDOM_MAX_MS - RANDOM_MIN_MS + 1
    due, lines = 0, []
    for _ in range(20_000):
        lines.append(f"{due}\n")
        due += RANDOM_MIN_MS + int(rng.random() * spread)
    (GENERATED / "schedule.txt").write_text("".join(lines))
