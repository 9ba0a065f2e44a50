"""Replies that end early: at a text that the request names, or after so many tokens."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from mockd.sources.llm.replies.reply import Call, Reply
from mockd.sources.llm.requests.options import Options


def cut(reply: Reply, options: Options) -> Reply:
    """The part of a reply that a request asks for. The reason of its end says what cut it."""
    if options.stops:
        reply = _before_stop(reply, options.stops)
    if options.max_tokens is not None:
        reply = _at_most(reply, options.max_tokens)
    return reply


def _before_stop(reply: Reply, stops: Iterable[str]) -> Reply:
    text = reply.text
    found = [(place, -len(stop), stop) for stop in stops if (place := text.find(stop)) >= 0]
    if not found:
        return reply
    place, _, stop = min(found)
    return replace(reply, tokens=_beginning(reply.tokens, place), calls=(), citations=(), finish="stop", stop=stop)


def _beginning(tokens: tuple[str, ...], characters: int) -> tuple[str, ...]:
    """The tokens of the first so many characters."""
    kept: list[str] = []
    for token in tokens:
        if characters <= 0:
            break
        kept.append(token[:characters])
        characters -= len(token)
    return tuple(kept)


def _at_most(reply: Reply, most: int) -> Reply:
    """The first tokens of a reply, in the order in which they are sent. A call that is not whole is left out."""
    if reply.pieces <= most:
        return reply
    reasoning = reply.reasoning[:most]
    most -= len(reasoning)
    tokens = reply.tokens[:most]
    refusal = reply.refusal[:most]
    most -= len(tokens) + len(refusal)
    calls: list[Call] = []
    for call in reply.calls:
        most -= len(call.fragments)
        if most < 0:
            break
        calls.append(call)
    return replace(
        reply,
        reasoning=reasoning,
        tokens=tokens,
        refusal=refusal,
        calls=tuple(calls),
        citations=reply.citations if tokens == reply.tokens else (),
        finish="length",
        stop=None,
    )
