"""Rules: what a provider's service refuses, looked for in order.

A rule is looked at only if the request has its field, so that plain requests pay for next to nothing. `seen` says
where its words are documented, `SEEN` if reports of real answers have them, `OWN` if they are mockd's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockd.sources.llm.requests.ask import Ask
from mockd.sources.llm.wires.access import Words
from mockd.sources.llm.wires.wire import Failure

Found = Mapping[str, Any]
"""What is wrong with a request, for the braces in the words about it."""


SEEN, OWN = "as seen", "own words"


class Rule(NamedTuple):
    """Something that a service refuses: what is wrong with a request that has the top-level field, the words for it,
    and where they are documented."""

    field: str
    wrong: Callable[[Ask], Found | None]
    words: Words
    seen: str
    param: str | None = None
    status: int = 400


Rules = tuple[Rule, ...]


def broken(rules: Rules, ask: Ask) -> Failure | None:
    """The error for the first rule that a request breaks, or None."""
    body = ask.body
    for rule in rules:
        if rule.field in body and (found := rule.wrong(ask)) is not None:
            words, param = rule.words, rule.param
            message = words.message.format(**found)
            param = None if param is None else param.format(**found)
            return Failure(rule.status, message, words.type, param, code=words.code)
    return None
