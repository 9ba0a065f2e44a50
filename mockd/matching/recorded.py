"""Requests that are like a recorded one: the same query and the same JSON body, but for what was redacted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET

from mockd.config.models import Recorded
from mockd.errors import ConfigError
from mockd.journal.credentials import is_credential, squeezed
from mockd.matching.json_path import json_equal, steps_of
from mockd.patterns.wildcards import fits_pieces
from mockd.recordings.searching import pieces_of
from mockd.request import NOT_JSON, RequestView

_STANDS_FOR_ANY = "REDACTED"
_PARTS = ("query_params", "body")

Steps = tuple[str | int | None, ...]
"""The path to members of a value: names and indexes; None for all."""


class Redacted:
    """What was redacted in some parts of a request, by the places that the recording names. `has_any` is true if
    anything was.

    `in` tells of the name of a parameter or a member whether any value may stand there. A place has as much of the
    name of a credential as makes it one: `api_key` of `openai_api_key`.
    """

    def __init__(self, places: Iterable[str], *parts: str) -> None:
        found = [name.lower() for of, _, name in (place.partition(":") for place in places) if of in parts]
        self.has_any = bool(found)
        self._names = frozenset(filter(None, found))
        self._endings = tuple(filter(None, map(squeezed, found)))

    def __contains__(self, name: str) -> bool:
        if not self._names or name.lower() in self._names:
            return bool(self._names)
        return squeezed(name).endswith(self._endings) and any(is_credential(part, name) for part in _PARTS)

    def comparable(self, text: str) -> str:
        """A text that has the same in the place of each part that was redacted."""
        return _STANDS_FOR_ANY.join(pieces_of(text)) if self.has_any else text

    def fits(self, wanted: str, given: str) -> bool:
        """Whether a text is a recorded one, in which redacted parts stand for any others."""
        return wanted == given or (self.has_any and fits_pieces(pieces_of(wanted), given))


def comparable(body: Any, ignored: Sequence[Steps], redacted: Redacted) -> Any:
    """What is compared of a JSON body: without ignored members, and with the same for all that was redacted."""
    if isinstance(body, dict):
        return {
            name: _STANDS_FOR_ANY if name in redacted else comparable(value, below, redacted)
            for name, value in body.items()
            if () not in (below := below_of(ignored, name))
        }
    if isinstance(body, list):
        parts = ((value, below_of(ignored, index)) for index, value in enumerate(body))
        return [None if () in below else comparable(value, below, redacted) for value, below in parts]
    return redacted.comparable(body) if isinstance(body, str) else body


class Likeness:
    """What a request must have to be like a recorded one. Raises `ConfigError`."""

    def __init__(self, recorded: Recorded) -> None:
        self._query = recorded.query
        self._body = recorded.body
        self._ignored = [ignored_steps(text) for text in recorded.ignore]
        self._of_query = Redacted(recorded.redacted, "query", "url")
        self._of_body = Redacted(recorded.redacted, "input")

    def difference(self, request: RequestView) -> str | None:
        """The first difference of a request, in words; None if it is like the recorded one. Raises as `Effort.left`
        does."""
        if self._query is not None:
            for name in sorted(self._query.keys() | request.query.keys()):
                if not self._has_alike(name, self._query.get(name), request.query.get(name)):
                    return f"the query parameter {name}"
        if self._body is UNSET or () in self._ignored:
            return None
        request.effort.left()
        if request.json is NOT_JSON:
            return "its body is not JSON"
        try:
            place = self._place(self._body, request.json, self._ignored)
        except RecursionError:
            return "its body is nested too deeply"
        return None if place is None else f"the body at ${place}"

    def _has_alike(self, name: str, wanted: list[str] | None, given: list[str] | None) -> bool:
        if wanted is None or given is None:
            return False
        if name in self._of_query:
            return True
        return len(wanted) == len(given) and all(map(self._of_query.fits, wanted, given))

    def _place(self, wanted: Any, given: Any, ignored: Sequence[Steps]) -> str | None:
        """The place of the first difference; None if there is none."""
        if isinstance(wanted, dict) and isinstance(given, dict):
            for name in (*wanted, *(name for name in given if name not in wanted)):
                below = below_of(ignored, name)
                if () in below:
                    continue
                if name not in wanted or name not in given:
                    return f".{name}"
                place = None if name in self._of_body else self._place(wanted[name], given[name], below)
                if place is not None:
                    return f".{name}{place}"
            return None
        if isinstance(wanted, list) and isinstance(given, list):
            if len(wanted) != len(given):
                return ""
            for index, (one, other) in enumerate(zip(wanted, given, strict=True)):
                below = below_of(ignored, index)
                place = None if () in below else self._place(one, other, below)
                if place is not None:
                    return f"[{index}]{place}"
            return None
        if isinstance(wanted, str) and isinstance(given, str):
            return None if self._of_body.fits(wanted, given) else ""
        return None if json_equal(wanted, given) else ""


def below_of(ignored: Sequence[Steps], step: str | int) -> list[Steps]:
    """The rest of the paths that begin with a step; an empty one if it leads to what is ignored itself."""
    return [steps[1:] for steps in ignored if steps and steps[0] in (step, None)]


def ignored_steps(text: str) -> Steps:
    """The steps of a path to members that are not compared. Raises `ConfigError`."""
    try:
        return steps_of(text)
    except ConfigError as error:
        [problem] = error.problems
        raise ConfigError(problem.message, path=("matcher", "recorded", "ignore"), hint=problem.hint) from None
