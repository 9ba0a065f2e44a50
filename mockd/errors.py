"""The tree of errors.

    MockdError
    ├── ConfigError          the configuration is wrong; has one `Problem` for each mistake
    ├── NotFoundError        no mock, connection or template has that name
    ├── ConflictError        the request conflicts with the present state (a taken ID, an ended connection)
    ├── BodyTooLargeError    a request body is larger than the limit
    ├── InvalidKeyError      a request has no key that can be used
    ├── TooManyKeysError     a new key cannot be remembered
    ├── TooManyReadersError  as many follow the live feed as may
    ├── TooManyHoldsError    as many streams are held as may
    ├── TooManyWaitsError    as many wait on the admin API as may
    ├── SourceError          an event source failed while a stream was running
    ├── RateLimitedError     a stream exceeded its rate limit, and its strategy is `error`
    └── AdminError           the admin API refused a request (raised by `mockd.client`)
        └── UnreachableError     the admin API did not answer

On the admin API, all errors have the same JSON shape: `{"error": code, "message": text}`, with `path` and `hint` if
there is one. On the mock port they have the shape of `error_body`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

Path = tuple[str | int, ...]
"""A place in a document: keys and list indexes from the root."""

MAX_PROBLEMS = 100
"""Most problems that are reported at once. A text of some megabytes can have a million."""

MAX_SHOWN = 1000
"""Most characters that a problem says, and that are compared with known words. A configuration may have texts of some
megabytes, which would be repeated in each problem about them."""


def format_path(path: Path) -> str:
    """A path in the form that users see: `$.sse.events[2].data`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step[:MAX_SHOWN]}" for step in path)


def error_body(code: str, message: str) -> dict[str, Any]:
    """The JSON body of a refusal on the mock port. Clients of model APIs show their users `error.message`."""
    return {"error": {"message": message, "type": code, "code": code}}


def sentence(described: Mapping[str, Any]) -> str:
    """A problem as the admin API writes it, in one line: the place, the message, and the hint."""
    path, hint = described.get("path"), described.get("hint")
    text = f"{path}: {described.get('message')}" if path else str(described.get("message"))
    return f"{text} ({hint})" if hint else text


class Problem(Struct, frozen=True):
    """One mistake in a configuration: the message, the place, and a hint how to correct it.

    `line` and `column` count from 1. `source` is the file, or None if the text is not from a file.
    """

    message: str
    path: Path = ()
    hint: str | None = None
    source: str | None = None
    line: int | None = None
    column: int | None = None

    def __post_init__(self) -> None:
        for name in ("message", "hint"):
            text = getattr(self, name)
            if text is not None and len(text) > MAX_SHOWN:
                structs.force_setattr(self, name, text[:MAX_SHOWN] + "…")

    def at(self, source: str | None, position: tuple[int, int] | None) -> Problem:
        """The same problem with its file, and its line and column if they are known."""
        line, column = position if position else (None, None)
        return structs.replace(self, source=source, line=line, column=column)

    def under(self, prefix: Path) -> Problem:
        """The same problem with `prefix` before its path."""
        return structs.replace(self, path=prefix + self.path)

    def __str__(self) -> str:
        place = self.source or ""
        if self.line is not None:
            place += f":{self.line}:{self.column}" if place else f"line {self.line}, column {self.column}"
        parts = [place] if place else []
        parts += [f"{format_path(self.path)}: {self.message}" if self.path else self.message]
        text = ": ".join(parts)
        return f"{text} ({self.hint})" if self.hint else text


class MockdError(Exception):
    """Base class of mockd's errors. `code` is the word for which programs test."""

    code = "error"
    hint: str | None = None

    @property
    def message(self) -> str:
        return str(self)


class ConfigError(MockdError):
    """A configuration that cannot be used, with the problems found in it: all of them, or the first `MAX_PROBLEMS`."""

    code = "validation_error"

    def __init__(self, problems: Problem | Sequence[Problem] | str, *, path: Path = (), hint: str | None = None):
        if isinstance(problems, str):
            problems = Problem(problems, path, hint)
        problems = (problems,) if isinstance(problems, Problem) else problems
        self.problems: tuple[Problem, ...] = tuple(problems[:MAX_PROBLEMS])
        self.hint = self.problems[0].hint if self.problems else None
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def under(self, prefix: Path) -> ConfigError:
        """The same error with `prefix` before the path of each problem."""
        return type(self)([problem.under(prefix) for problem in self.problems])


class NotFoundError(MockdError):
    """There is no mock, connection or template of that name."""

    code = "not_found"


class ConflictError(MockdError):
    """The request conflicts with the present state: the ID is taken, or the connection has ended."""

    code = "conflict"


class BodyTooLargeError(MockdError):
    """A request body is larger than the limit."""

    code = "body_too_large"


class InvalidKeyError(MockdError):
    """A request has a key that is none, several keys, or none at all although one is required."""

    code = "invalid_key"


class TooManyKeysError(MockdError):
    """Something must be kept for a new key, and as many keys are remembered as there may be."""

    code = "too_many_keys"


class TooManyReadersError(MockdError):
    """As many follow the live feed as may."""

    code = "too_many_subscribers"


class TooManyHoldsError(MockdError):
    """As many streams are held, or will be, as may be."""

    code = "too_many_holds"


class TooManyWaitsError(MockdError):
    """As many wait on the admin API as may."""

    code = "too_many_waits"


class SourceError(MockdError):
    """An event source raised an error while its stream was running."""

    code = "source_error"
    breaks_off = False
    """Whether the body ends without its end, as its client would take an error in it for content."""
    filled: Mapping[str, str] = {}
    """What the environment gave to the mock, which no message shows."""


class RateLimitedError(MockdError):
    """A stream exceeded its rate limit, and its strategy is `error`."""

    code = "rate_limited"


class AdminError(MockdError):
    """The admin API refused a request. The message has all its problems, one a line. `status` is the HTTP status of its
    answer, `details` the JSON body."""

    def __init__(self, message: str, *, code: str, status: int, details: dict[str, object] | None = None):
        super().__init__(message)
        self.code = code
        self.status = status
        self.details = details or {}


class UnreachableError(AdminError):
    """The admin API did not answer."""

    def __init__(self, message: str):
        super().__init__(message, code="unreachable", status=0)
