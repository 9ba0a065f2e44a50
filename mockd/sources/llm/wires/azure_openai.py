"""`azure-openai`: Chat Completions as Azure serves them, with the results of its content filters.

The first chunk of a stream has no choices, only the filters' results for the prompt. Clients that take the first choice
of every chunk fail on it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, ClassVar

from mockd.events import Event
from mockd.source import Headers
from mockd.sources.llm.replies.reply import Reply
from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import AZURE
from mockd.sources.llm.wires.openai_chat import ChatShape, OpenAIChat
from mockd.sources.llm.wires.wire import STRUCTURE, Failure, IdForm, UuidForm

_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
_CATEGORIES = ("hate", "self_harm", "sexual", "violence")
_SAFE = {category: {"filtered": False, "severity": "safe"} for category in _CATEGORIES}
_FILTERED = {**_SAFE, "violence": {"filtered": True, "severity": "high"}}
_JAILBREAK = {"jailbreak": {"filtered": False, "detected": False}}


class AzureOpenAI(OpenAIChat):
    """Azure's Chat Completions."""

    name = "azure-openai"
    provider = "azure"
    summary = "OpenAI Chat Completions as Azure serves them."
    required = ("messages",)
    opening_events = 2
    ids = {"id": IdForm("chatcmpl-", 29), "apim_request_id": UuidForm()}
    request_id = (b"x-request-id", UuidForm())
    about = {"system_fingerprint": None}
    common_headers: ClassVar[tuple[tuple[str, str], ...]] = (
        ("x-ms-region", "East US"),
        ("azureml-model-session", "mockd"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-remaining-tokens", "1999900"),
    )
    access = AZURE
    error_types = {
        400: "invalid_request_error",
        401: "401",
        403: "403",
        404: "DeploymentNotFound",
        408: "Timeout",
        429: "429",
        500: "server_error",
        503: "ServiceUnavailable",
    }

    # -- what a request asks ---------------------------------------------------------------------------------------

    def model(self, ask: Ask) -> str | None:
        """The model in the body, otherwise the deployment in the path."""
        deployment = _DEPLOYMENT.search(ask.request.path)
        return super().model(ask) or (deployment[1] if deployment else None)

    def headers_of(self, ask: Ask, slots: Mapping[str, bytes], *, is_stream: bool) -> Headers:
        own = super().headers_of(ask, slots, is_stream=is_stream)
        return (*own, (b"apim-request-id", slots["apim_request_id"][1:-1]))

    # -- what is sent ----------------------------------------------------------------------------------------------

    def events(self, reply: Reply, shape: Hashable) -> Iterator[Event]:
        chunk = {"choices": [], "created": 0, "id": "", "model": "", "object": "", **_prompt_filter()}
        yield Event(chunk, delay_s=STRUCTURE)
        yield from super().events(reply, shape)

    def choice(
        self, index: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None
    ) -> dict[str, Any]:
        found = _SAFE if delta.get("content") else {}
        return {
            **super().choice(index, delta, finish, logprobs),
            "content_filter_results": _FILTERED if finish == "content_filter" else found,
        }

    def whole(self, reply: Reply, shape: Hashable) -> dict[str, Any]:
        return {**super().whole(reply, shape), **_prompt_filter()}

    def whole_choice(self, index: int, reply: Reply, shape: ChatShape) -> dict[str, Any]:
        found = _FILTERED if reply.finish == "content_filter" else _SAFE
        return {**super().whole_choice(index, reply, shape), "content_filter_results": found}

    # -- errors ----------------------------------------------------------------------------------------------------

    def error_body(self, failure: Failure) -> Any:
        """The model's own errors have OpenAI's form. Errors of the gateway before it have only a code. A refusal by the
        content filters has their results."""
        word = self.error_type(failure.type, failure.status)
        if word == "content_filter":
            found = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {**_FILTERED, **_JAILBREAK}}
            error = {"message": failure.message, "type": None, "param": "prompt", "code": word}
            return {"error": {**error, "status": failure.status, "innererror": found}}
        if word in _GATEWAY:
            return {"error": {"code": word, "message": failure.message}}
        return super().error_body(failure)

    def error_status(self, type: str | None) -> int:
        return 400 if type == "content_filter" else super().error_status(type)


_GATEWAY = frozenset(AzureOpenAI.error_types.values()) - {"invalid_request_error", "server_error"}


def _prompt_filter() -> dict[str, Any]:
    return {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {**_SAFE, **_JAILBREAK}}]}
