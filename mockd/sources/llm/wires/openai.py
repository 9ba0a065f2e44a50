"""The parts that OpenAI's wires share: headers, IDs, error types, log probabilities and padding."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from mockd.events import Fill, Hole, Text
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import OPENAI
from mockd.sources.llm.wires.wire import Failure, IdForm, Wire

_ALPHANUMERIC = string.ascii_letters + string.digits
_MOST_TOP_LOGPROBS = 20
_TIERS = ("flex", "priority", "scale")

_CODES = {
    "context_length_exceeded": ("invalid_request_error", 400),
    "empty_array": ("invalid_request_error", 400),
    "insufficient_quota": ("insufficient_quota", 429),
    "invalid_api_key": ("invalid_request_error", 401),
    "missing_required_parameter": ("invalid_request_error", 400),
    "model_not_found": ("invalid_request_error", 404),
    "rate_limit_exceeded": ("requests", 429),
    "server_is_overloaded": ("service_unavailable_error", 503),
}
"""Words for errors that are sent as `code`, each with its `type` and HTTP status. All other words are sent as
`type`."""

_EMPTY = "Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty array instead."


class OpenAIWire(Wire):
    """Base class of OpenAI's wires."""

    error_types = {
        400: "invalid_request_error",
        401: "invalid_api_key",
        404: "model_not_found",
        429: "rate_limit_exceeded",
        500: "server_error",
        503: "server_is_overloaded",
    }
    not_json = (
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
        "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    )
    request_id = (b"x-request-id", IdForm("req_", 32))
    common_headers: ClassVar[tuple[tuple[str, str], ...]] = (
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "12"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999900"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "3ms"),
    )
    retry_in_ms = True
    access = OPENAI

    def complaint(self, ask: Ask) -> Failure | None:
        complaint = super().complaint(ask)
        if complaint is None or complaint.param is None:
            return complaint
        name = complaint.param
        if ask.body.get(name) == []:
            return Failure(400, _EMPTY.format(name), "empty_array", name)
        return Failure(400, complaint.message, "missing_required_parameter", name)

    def limit_reset(self, after_s: float, now: float) -> str:
        """The time until then, in Go's form: `20ms`, `1.5s`, `1m30s`."""
        if after_s < 1:
            return f"{round(after_s * 1000)}ms"
        minutes, seconds = divmod(round(after_s, 3), 60)
        return f"{minutes:.0f}m{seconds:g}s" if minutes else f"{seconds:g}s"

    def error_body(self, failure: Failure) -> Any:
        return {"error": self.error_in(failure)}

    def error_in(self, failure: Failure) -> dict[str, Any]:
        """The error object in answers and streams."""
        word = self.error_type(failure.type, failure.status)
        type_, _ = _CODES.get(word, (None, None))
        return {
            "message": failure.message,
            "type": type_ or word,
            "param": failure.param,
            "code": failure.code or (word if type_ else None),
        }

    def error_status(self, type: str | None) -> int:
        return _CODES[type][1] if type in _CODES else super().error_status(type)


@dataclass(frozen=True, slots=True)
class Padding(Hole):
    """Random letters that hide the lengths of tokens from eavesdroppers."""

    def text(self, fill: Fill) -> str:
        rng = fill.rng
        return "".join(rng.choices(_ALPHANUMERIC, k=rng.randrange(1, 17)))


PADDING = Text((Padding(),))


def top_logprobs_of(ask: Ask) -> int:
    """The number of alternatives for each token that a request asks for."""
    top = ask.body.get("top_logprobs")
    return min(top, _MOST_TOP_LOGPROBS) if isinstance(top, int) and top > 0 else 0


def logprobs_of(tokens: Sequence[str], top: int) -> list[dict[str, Any]]:
    """The log probability of each token, with `top` alternatives: the token itself, and invented ones."""
    found = []
    for token in tokens:
        others = [_logprob(f"{token}{rank}", -4.0 - rank) for rank in range(1, top)]
        itself = _logprob(token, -0.01)
        found.append({**itself, "top_logprobs": [itself, *others] if top else []})
    return found


def _logprob(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def tier_of(ask: Ask) -> str:
    """The tier in which a request is served: the one that it asks for, if it is not the default one."""
    tier = ask.body.get("service_tier")
    return tier if tier in _TIERS else "default"


def schema_in(form: Any, key: str | None = None) -> Any:
    """The JSON schema in a request's response format, or None if there is none. `key` is the key of the object that
    holds the schema."""
    if not isinstance(form, dict):
        return None
    if form.get("type") == "json_object":
        return {"type": "object"}
    if form.get("type") != "json_schema":
        return None
    holder = form.get(key) if key else form
    return holder.get("schema") if isinstance(holder, dict) else None


def name_in(form: Any) -> str | None:
    """The name of the schema in a response format, or None if it has none."""
    name = form.get("name") if isinstance(form, dict) else None
    return name if isinstance(name, str) else None
