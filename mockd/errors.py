"""What can go wrong, as a tree.

    MockdError
    ├── ConfigError          what a user wrote is wrong; carries one `Problem` per mistake
    ├── NotFoundError        no mock or connection with that id
    ├── ConflictError        it would clash with what is there (a taken id, an ended connection)
    ├── BodyTooLargeError    a request body over the limit
    ├── SourceError          an event source failed while a stream was running
    ├── RateLimitedError     a stream's rate limit was passed, and its strategy is to end it
    └── AdminError           the admin API could not be asked, or refused (raised by `mockd.client`)
        └── UnreachableError     nothing answered there

Every error is one JSON shape on the admin API: `{"error": code, "message": text}` plus `path` and `hint`
where there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

Path = tuple[str | int, ...]
"""Where in a document: keys and list positions from the root."""


def format_path(path: Path) -> str:
    """A path as users read it: `$.sse.events[2].data`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


class Problem(Struct, frozen=True):
    """One mistake in a configuration: what is wrong, where, and what to do about it.

    `line` and `column` count from 1; `source` is the file, or None where the text came another way.
    """

    message: str
    path: Path = ()
    hint: str | None = None
    source: str | None = None
    line: int | None = None
    column: int | None = None

    def at(self, source: str | None, position: tuple[int, int] | None) -> Problem:
        """The same problem with the place it was found at."""
        line, column = position if position else (None, None)
        return structs.replace(self, source=source, line=line, column=column)

    def under(self, prefix: Path) -> Problem:
        """The same problem seen from further up: its path behind `prefix`."""
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
    """Anything mockd refuses or fails at. `code` is the word programs test for."""

    code = "error"
    hint: str | None = None

    @property
    def message(self) -> str:
        return str(self)


class ConfigError(MockdError):
    """A configuration that cannot be used, with every problem found in it."""

    code = "validation_error"

    def __init__(self, problems: Problem | Sequence[Problem] | str, *, path: Path = (), hint: str | None = None):
        if isinstance(problems, str):
            problems = Problem(problems, path, hint)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.hint = self.problems[0].hint if self.problems else None
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def under(self, prefix: Path) -> ConfigError:
        """The same error seen from further up the document."""
        return type(self)([problem.under(prefix) for problem in self.problems])


class NotFoundError(MockdError):
    """There is no mock, connection or route of that name."""

    code = "not_found"


class ConflictError(MockdError):
    """What was asked clashes with the present state: a taken id, a connection that has ended."""

    code = "conflict"


class BodyTooLargeError(MockdError):
    """A request body over the limit set for it."""

    code = "body_too_large"


class SourceError(MockdError):
    """An event source raised while its stream was running."""

    code = "source_error"


class RateLimitedError(MockdError):
    """A stream passed its rate limit, and its strategy is `error`."""

    code = "rate_limited"


class AdminError(MockdError):
    """The admin API refused. `status` is its HTTP status, `details` its JSON answer."""

    def __init__(self, message: str, *, code: str, status: int, details: dict[str, object] | None = None):
        super().__init__(message)
        self.code = code
        self.status = status
        self.details = details or {}


class UnreachableError(AdminError):
    """Nothing answered at the admin URL."""

    def __init__(self, message: str):
        super().__init__(message, code="unreachable", status=0)
