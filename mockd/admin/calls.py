"""The parts that are common to all operations of the admin API: the incoming call and the outgoing answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, Literal, TypeVar

from msgspec import Struct, field
from starlette.responses import Response

from mockd.config.conversion import convert
from mockd.config.load import parse_text
from mockd.engine import Engine
from mockd.errors import (
    MAX_PROBLEMS,
    BodyTooLargeError,
    ConfigError,
    ConflictError,
    InvalidKeyError,
    MockdError,
    NotFoundError,
    Problem,
    TooManyHoldsError,
    TooManyKeysError,
    TooManyReadersError,
    TooManyWaitsError,
    format_path,
)
from mockd.jsontext import encode_large_json
from mockd.keys.reading import check_key
from mockd.keys.registry import Key
from mockd.mocks.mock_set import MockSet
from mockd.request import RequestView
from mockd.streaming.answers import RETRY_AFTER_S

Word = TypeVar("Word", bound=str)
Part = TypeVar("Part")

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of every answer: no cache keeps it, and no browser guesses another type than its `Content-Type`."""

YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})

_FLAGS = {"true": True, "1": True, "false": False, "0": False}

_STATUS: dict[type[MockdError], int] = {
    ConfigError: 400,
    NotFoundError: 404,
    ConflictError: 409,
    BodyTooLargeError: 413,
    InvalidKeyError: 400,
    TooManyKeysError: 503,
    TooManyReadersError: 503,
    TooManyHoldsError: 503,
    TooManyWaitsError: 503,
}


class Call(Struct, frozen=True):
    """One request to an operation. `params` are the decoded parameters in its path, and `place` has the mocks that it
    is about; `read` is what its body had."""

    view: RequestView
    params: Mapping[str, str]
    place: Key
    read: list[Any] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The ID in the path."""
        return self.params["id"]

    @property
    def key(self) -> str | None:
        """The key whose things the operation is about, or None for those of all."""
        return key_of(self.view)

    @property
    def mocks(self) -> MockSet:
        """The mocks that the operation is about: those for all keys, or those of one."""
        assert self.place.mocks is not None
        return self.place.mocks

    @property
    def prefix(self) -> str:
        """The path under which the admin API is mounted; empty at the root."""
        return str(self.view.scope.get("root_path", ""))

    def json(self) -> Any:
        """The body as JSON, whatever its `Content-Type` is. Raises `ConfigError` with line and column."""
        return self._parse("json")

    def json_or_yaml(self) -> Any:
        """The body, read as YAML if its `Content-Type` is YAML, otherwise as JSON. Raises as `json` does."""
        media_type = (self.view.header("content-type") or "").partition(";")[0].strip().lower()
        return self._parse("yaml" if media_type in YAML_TYPES else "json")

    def _parse(self, format: Literal["json", "yaml"]) -> Any:
        try:
            value = parse_text(self.view.body, source=None, format=format)
        except ConfigError as error:
            error.code = f"invalid_{format}"
            raise
        self.read.append(value)
        return value

    def read_as(self, type: type[Part]) -> Part:
        """The body as a struct, which has its defaults if there is no body. Raises `ConfigError`."""
        return convert(self.json() if self.view.body else {}, type)

    def flag(self, name: str) -> bool | None:
        """A query parameter that is true or false; None if it is absent."""
        text = self.text(name)
        if text is None:
            return None
        if text.lower() not in _FLAGS:
            raise ConfigError(f"query parameter `{name}`: {text!r} is neither true nor false")
        return _FLAGS[text.lower()]

    def count(self, name: str) -> int | None:
        """A query parameter that is a whole number, 0 or more; None if it is absent."""
        text = self.text(name)
        if text is None:
            return None
        if not re.fullmatch("[0-9]{1,9}", text):
            raise ConfigError(f"query parameter `{name}`: {text!r} is no whole number from 0 to 999999999")
        return int(text)

    def choice(self, name: str, words: Collection[Word], default: Word) -> Word:
        """A query parameter that is one of `words`; `default` if it is absent."""
        text = self.text(name)
        if text is None:
            return default
        for word in words:
            if word == text:
                return word
        raise ConfigError(f"query parameter `{name}`: {text!r} is none of {', '.join(words)}")

    def text(self, name: str) -> str | None:
        """A query parameter, which must not be given twice; None if it is absent."""
        return _text(self.view, name)


def check_query(view: RequestView, known: tuple[str, ...]) -> None:
    """Refuse a query parameter that is not in `known`, so that a misspelt `dryRun` changes nothing."""
    for name in view.query:
        if name not in known:
            near = get_close_matches(name.lower(), [word.lower() for word in known], 1, 0.6)
            nearest = next((word for word in known if near == [word.lower()]), None)
            hint = f"did you mean `{nearest}`?" if nearest else f"known here: {', '.join(known)}"
            raise ConfigError(f"unknown query parameter {name!r}", hint=hint)


def key_of(view: RequestView) -> str | None:
    """The key in the query of a request to the admin API, or None if it has none. Raises `InvalidKeyError`."""
    key = _text(view, "key")
    if key:
        check_key(key)
    return key


def _text(view: RequestView, name: str) -> str | None:
    values = view.query.get(name, [])
    if len(values) > 1:
        raise ConfigError(f"query parameter `{name}` is given {len(values)} times")
    return values[0] if values else None


Handler = Callable[[Engine, Call], Any]
"""The handler of one operation. It calls the engine once, and returns the answer's JSON value or a `Response`.

A plain function runs apart from the event loop (`Serving.apart`), and may change `call.mocks`. A coroutine function
runs on the loop, for things that belong to the loop, such as live streams. It never waits for other operations."""


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(encode_large_json(value), status, {**HEADERS, **(headers or {})}, "application/json")


def no_content() -> Response:
    """The answer of a deletion."""
    return Response(status_code=204, headers=HEADERS)


def refusal(
    status: int, code: str, message: str, *, hint: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An error answer, in the JSON shape of all errors."""
    return answer({"error": code, "message": message} | ({"hint": hint} if hint else {}), status, headers)


def error_answer(error: MockdError) -> Response:
    """The answer to an operation that raised `error`."""
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, ConfigError) and error.problems:
        return answer({"error": error.code} | _describe_problems(error.problems), status)
    headers = {"retry-after": str(RETRY_AFTER_S)} if status == 503 else None
    return refusal(status, error.code, error.message, hint=error.hint, headers=headers)


def _describe_problems(problems: tuple[Problem, ...]) -> dict[str, Any]:
    described = [describe(problem) for problem in problems]
    if len(described) == 1:
        return described[0]
    first, count = described[0], f"{len(described)} problems"
    if len(described) == MAX_PROBLEMS:
        count += " or more"
    return first | {"message": f"{count}; the first: {first['message']}", "problems": described}


def describe(problem: Problem) -> dict[str, Any]:
    """A problem in its JSON shape."""
    place = "" if problem.line is None else f"line {problem.line}, column {problem.column}: "
    described = {"message": place + problem.message}
    if problem.path:
        described["path"] = format_path(problem.path)
    if problem.hint:
        described["hint"] = problem.hint
    return {key: _sendable(text) for key, text in described.items()}


def _sendable(text: str) -> str:
    """Text in which halves of surrogate pairs are written as escapes. A problem may be about such a half."""
    return text.encode("utf-8", "backslashreplace").decode()
