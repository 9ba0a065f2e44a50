"""Choosing a mock's reply: an entry of its script, in order, then a side call of an agent, last its own reply.

The first that fits a request, and whose reply the request allows, is sent.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from mockd.errors import ConfigError
from mockd.patterns import OutOfTimeError
from mockd.sources.llm.choosing import behaviour
from mockd.sources.llm.choosing.asked import Asked
from mockd.sources.llm.choosing.criteria import Check, checks_of
from mockd.sources.llm.replies.params import ReplyFields, ReplyParams, Scripted

logger = logging.getLogger("mockd")

_KIND = "replies"
"""The kind of what is kept: how far each conversation has come in the replies of an entry."""
_SIZE = 200
"""About the number of bytes that one takes."""
_RETRIES = b"x-stainless-retry-count"
"""The header in which clients of OpenAI and Anthropic say how often they have sent a request before."""


class Entry(Struct, frozen=True):
    """An entry. `place` is its place in the parameters; each reply has its own."""

    place: str
    checks: tuple[Check, ...]
    replies: tuple[tuple[str, ReplyFields], ...]

    @property
    def is_in_turn(self) -> bool:
        return len(self.replies) > 1

    def failing(self, asked: Asked) -> Check | None:
        """The first check that a request does not meet, or None. Raises as `Effort.left` does."""
        for check in self.checks:
            if not check.holds(asked):
                return check
        return None


class Taken(NamedTuple):
    """The number of the reply that a conversation got last, and whether that was the reply itself, and no error."""

    number: int
    is_used: bool


class Choice(NamedTuple):
    """A reply that was chosen, in the form that the request allows, its place in the parameters, and the words for
    it."""

    fields: ReplyFields
    place: str
    told: str
    entry: Entry | None = None
    number: int = 0


class Passed(NamedTuple):
    """An entry that was passed over, and why."""

    told: str
    reason: str


_Number = Callable[[Entry], int]
"""The number of the reply that an entry gives now."""


class Chooser:
    """The entries of a mock. `name` tells its conversations from those of other mocks."""

    def __init__(self, params: ReplyParams, template: str, name: str) -> None:
        self._params = params
        self._template = template
        self._name = name
        self._script = tuple(
            _entry(number, scripted, has_side_calls=params.side_calls) for number, scripted in enumerate(params.script)
        )
        self._has_turns = any(entry.is_in_turn for entry in self._script)
        self._own = Choice(params, "", "the reply for all else")

    def choose(self, asked: Asked, passed: list[Passed] | None = None) -> Choice:
        """The reply to a request. The entries that are passed over are added to `passed`. Raises `NotAtOnceError`."""
        number_of: _Number = _zero
        if self._has_turns:
            number_of = partial(_count_of, self._given(asked)) if asked.replies else partial(self._next, asked)
        return self._first(asked, number_of, passed) or self._without_script(asked)

    def _first(self, asked: Asked, number_of: _Number, passed: list[Passed] | None = None) -> Choice | None:
        """The reply of the first entry that has one for a request, or None."""
        passed = [] if passed is None else passed
        for entry in self._script:
            try:
                if (failing := entry.failing(asked)) is not None:
                    if self._params.explain:
                        passed.append(Passed(told(entry.place), failing.told(asked)))
                    continue
                number = min(number_of(entry), len(entry.replies) - 1) if entry.is_in_turn else 0
                place, fields = entry.replies[number]
                if (accepted := self._accepted(fields, asked)) is not None:
                    return Choice(accepted, place, told(place), entry, number)
                passed.append(Passed(told(place), "it fits, but the request allows no such reply"))
            except OutOfTimeError:
                text = "%s: %s is not for a request, as it would take too long to see whether it is"
                logger.warning(text, self._template, entry.place)
        return None

    def _without_script(self, asked: Asked) -> Choice:
        if self._params.side_calls and (call := asked.side_call) is not None:
            fields = ReplyFields(text=call.text, model=self._params.model)
            shown = f"the reply to the side call {call.name}"
            return Choice(self._accepted(fields, asked) or behaviour.without_content(fields), "", shown)
        try:
            accepted = self._accepted(self._params, asked)
        except OutOfTimeError:
            accepted = None
        if accepted is self._params:
            return self._own
        return self._own._replace(fields=accepted or behaviour.without_content(self._params))

    def _accepted(self, fields: ReplyFields, asked: Asked) -> ReplyFields | None:
        if not self._params.obey:
            return fields
        if fields is self._params and self._params.auto_tools and fields.refusal is None and behaviour.offered(asked):
            # The tools come first.
            if asked.options.must_call:
                return None
            if calls := behaviour.offered_calls(asked):
                return replace(behaviour.without_content(fields), tool_calls=calls)
        return behaviour.accepted(fields, asked)

    # -- replies in turn -------------------------------------------------------------------------------------------

    def _given(self, asked: Asked) -> Counter[str]:
        """How many of the replies in a conversation each entry has given: the conversation is gone through again from
        its start, so nothing need be kept of it."""
        given: Counter[str] = Counter()
        for earlier in asked.earlier():
            asked.effort.left()
            choice = self._first(earlier, partial(_count_of, given))
            if choice is not None and choice.entry is not None:
                given[choice.entry.place] += 1
        return given

    def _next(self, asked: Asked, entry: Entry) -> int:
        """The number of the reply to a request that carries no earlier reply, so that such requests are counted."""
        kept, request = asked.ask.context.kept, asked.ask.request
        taken: Taken | None = None if kept is None else kept.get(request.key, _KIND, self._id(asked, entry))
        if taken is None:
            return 0
        is_retry = request.raw_headers.get(_RETRIES, b"0") != b"0"
        return taken.number if is_retry else taken.number + taken.is_used

    def note(self, choice: Choice, asked: Asked, *, is_error: bool) -> None:
        """Take note of the answer to a request. Belongs to the thread of the event loop. Raises
        `TooManyKeysError`."""
        kept, entry = asked.ask.context.kept, choice.entry
        if entry is None or not entry.is_in_turn or kept is None:
            return
        key, id = asked.ask.request.key, self._id(asked, entry)
        if asked.replies:
            kept.drop(key, _KIND, id)  # when it is begun again, it is from the first reply
        else:
            kept.keep(key, _KIND, id, Taken(choice.number, not is_error), _SIZE)

    def _id(self, asked: Asked, entry: Entry) -> str:
        return f"{self._name}:{entry.place}:{asked.opening}"


def _zero(_: Entry) -> int:
    return 0


def _count_of(given: Counter[str], entry: Entry) -> int:
    return given[entry.place]


def _entry(number: int, scripted: Scripted, *, has_side_calls: bool) -> Entry:
    try:
        checks = checks_of(scripted.when, has_side_calls=has_side_calls)
    except ConfigError as error:
        raise error.under(("script", number, "when")) from None
    place = f"script/{number}/"
    if scripted.reply is not None:
        return Entry(place, checks, ((place, scripted.reply),))
    return Entry(place, checks, tuple((f"{place}replies/{at}/", reply) for at, reply in enumerate(scripted.replies)))


def told(place: str) -> str:
    """A place in the parameters, as it stands in the problems of a script: `script[0].replies[1]`."""
    return "".join(_steps(place))


def _steps(place: str) -> Iterator[str]:
    for step in place.strip("/").split("/"):
        yield f"[{step}]" if step.isdigit() else step if step == "script" else f".{step}"
