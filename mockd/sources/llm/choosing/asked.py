"""A request to a model, in the same terms for every provider. Each part is read when it is first needed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from mockd.jsontext import encode_json
from mockd.patterns import Effort
from mockd.sources.llm.choosing.side_calls import SHORTEST, SideCall, side_call_in
from mockd.sources.llm.requests.ask import Ask, ToolResult, ToolUse, Turn
from mockd.sources.llm.requests.options import Options
from mockd.sources.llm.schemas.example import example_text
from mockd.sources.llm.schemas.prompts import demands_json, schema_in_prompts

if TYPE_CHECKING:
    from mockd.sources.llm.wires.wire import Wire

_ANY_OBJECT = {"type": "object"}
_INSTRUCTING = ("system", "developer")


_OF_TURNS = (
    "said",
    "turn",
    "step",
    "replies",
    "has_results",
    "results",
    "called",
    "system",
    "side_call",
    "opening",
    "_end",
)
"""What follows from the conversation."""


class Asked:
    """What a request asks: the conversation, and what the reply must be like."""

    def __init__(self, wire: Wire, ask: Ask) -> None:
        self.wire = wire
        self.ask = ask

    @property
    def effort(self) -> Effort:
        """The effort that looking into the request may take."""
        return self.ask.request.effort

    @cached_property
    def turns(self) -> list[Turn]:
        """The conversation so far."""
        return list(self.wire.turns(self.ask))

    @cached_property
    def provider(self) -> str:
        """The name of the provider that is asked."""
        return self.wire.params.provider or self.wire.provider or self.wire.name

    @cached_property
    def streams(self) -> bool:
        return self.wire.streams(self.ask)

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names of all tools that the request declares."""
        return frozenset(self.wire.declared(self.ask))

    @cached_property
    def model(self) -> str | None:
        return self.wire.model(self.ask)

    @cached_property
    def options(self) -> Options:
        return self.wire.options(self.ask)

    @cached_property
    def schema(self) -> Any:
        """The JSON schema against which the text must be valid, or None. If the request demands JSON without saying
        which, it may stand in its prompts."""
        schema = self.wire.json_schema(self.ask)
        if schema == _ANY_OBJECT:
            return schema_in_prompts(self._prompts()) or schema
        if schema is None and any(map(demands_json, self._prompts())):
            return schema_in_prompts(self._prompts())
        return schema

    @cached_property
    def schema_name(self) -> str | None:
        """The name of the schema that is demanded, or its title."""
        return self.wire.schema_name(self.ask, self.schema)

    def _prompts(self) -> list[str]:
        """The texts that say what the reply must be like."""
        return [*(turn.text for turn in self.turns if turn.role in _INSTRUCTING), self.said]

    @property
    def example(self) -> str:
        """A text that is valid against the schema. Raises `Refused` if that takes too much."""
        text = example_text(self.schema)
        word = None if self.wire.writes_json(self.ask) else msgspec.json.decode(text)
        return word if isinstance(word, str) else text

    @cached_property
    def said(self) -> str:
        """The text of the last user message."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text), "")

    @cached_property
    def turn(self) -> int:
        """The number of the user's messages so far."""
        return sum(turn.role == "user" and not turn.results for turn in self.turns)

    @cached_property
    def has_results(self) -> bool:
        """Whether the last message has the result of a tool."""
        return bool(self._end and self.turns[self._end - 1].results)

    @cached_property
    def system(self) -> str:
        """The text of the system prompt, and of the developer's messages."""
        return "\n".join(turn.text for turn in self.turns if turn.role in _INSTRUCTING and turn.text)

    @cached_property
    def replies(self) -> list[int]:
        """Where the model's earlier replies begin in the conversation. One may have several turns; what the request
        ends with, for the model to continue, is none of them."""
        turns = self.turns
        begin = [
            at
            for at, turn in enumerate(turns)
            if turn.role == "assistant" and (at == 0 or turns[at - 1].role != "assistant")
        ]
        return begin[:-1] if begin and turns[-1].role == "assistant" and not turns[-1].results else begin

    @cached_property
    def step(self) -> int:
        """The number of the model's replies since the user's last message."""
        last = max((at for at, turn in enumerate(self.turns) if turn.role == "user" and not turn.results), default=-1)
        return sum(at > last for at in self.replies)

    @cached_property
    def results(self) -> list[ToolResult]:
        """The results in the last messages, each with the name of its tool if that can be known."""
        start = self._end
        while start and self.turns[start - 1].results:
            start -= 1
        uses = [use for turn in self.turns[:start] for use in turn.calls]
        uses += [use for turn in self.turns[start:] for use in turn.calls]
        names = {use.id: use.name for use in uses if use.id is not None}
        found = [result for turn in self.turns[start:] for result in turn.results]
        latest = uses[-len(found) :] if found else []
        return [
            result._replace(name=result.name or names.get(result.call_id or "") or _name_at(latest, at, result))
            for at, result in enumerate(found)
        ]

    @cached_property
    def _end(self) -> int:
        """The number of turns without instructions at the end, which may follow what the model is to answer."""
        end = len(self.turns)
        while end and self.turns[end - 1].role in _INSTRUCTING:
            end -= 1
        return end

    @cached_property
    def side_call(self) -> SideCall | None:
        """The side call of an agent that the request is; None if it is none that is known."""
        if len(self.ask.request.body) < SHORTEST:
            return None
        return side_call_in(self.system, self.said)

    def earlier(self) -> Iterator[Asked]:
        """The requests to which the model's earlier replies were the answers, the first one first."""
        for at in self.replies:
            before = Asked(self.wire, self.ask)
            before.__dict__ |= {name: value for name, value in self.__dict__.items() if name not in _OF_TURNS}
            before.turns = self.turns[:at]
            yield before

    @cached_property
    def opening(self) -> str:
        """What tells the conversation from others: its messages before the model's first reply."""
        first = self.turns[: self.replies[0]] if self.replies else self.turns
        return sha256(encode_json([(turn.role, turn.text) for turn in first])).hexdigest()

    @cached_property
    def called(self) -> frozenset[str]:
        """The names of the tools that were called since the user's last message."""
        names: set[str] = set()
        for turn in reversed(self.turns):
            if turn.role == "user" and not turn.results:
                break
            names.update(call.name for call in turn.calls)
        return frozenset(names)


def _name_at(uses: list[ToolUse], at: int, result: ToolResult) -> str | None:
    """The name of the call at the place of a result that does not say of which call it is."""
    return uses[at].name if result.call_id is None and at < len(uses) else None
