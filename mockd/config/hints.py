"""Hints for unknown keys: what the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec.inspect as inspect

from mockd.config import framing, models, verification
from mockd.config.paths import at
from mockd.errors import MAX_SHOWN, Path

CONFUSIONS: dict[type, dict[str, str]] = {
    models.Mock: {
        "answers": "responses",
        "disabled": "enabled",
        "request": "matcher",
        "route": "matcher",
        "sequence": "responses",
        "title": "name",
    },
    models.SequenceEntry: {"count": "times", "repeat": "times"},
    models.Scenario: {
        "newState": "set",
        "next": "set",
        "requiredScenarioState": "when",
        "requiredState": "when",
        "newScenarioState": "set",
        "scenarioName": "name",
        "state": "when",
    },
    models.Matcher: {
        "url": "path",
        "urlPath": "path",
        "regex": "pathPattern",
        "params": "queryParams",
        "query": "queryParams",
        "body": "bodyEquals",
        "jsonPath": "bodyJsonPath",
    },
    models.ValueTest: {"matches": "pattern", "present": "exists", "regex": "pattern"},
    models.SseConfig: {
        "delay": "timing.fixedDelay",
        "file": "eventsFile",
        "keepalive": "lifecycle.keepaliveInterval",
        "loop": "repeat",
        "params": "templateParams",
    },
    models.EventConfig: {
        "content": "data",
        "event": "type",
        "message": "data",
        "name": "type",
        "payload": "data",
        "text": "data",
        "value": "data",
    },
    models.Timing: {
        "delay": "fixedDelay",
        "interTokenLatency": "itl",
        "interval": "fixedDelay",
        "jitter": "randomDelay",
        "random": "randomDelay",
        "timeToFirstToken": "ttft",
        "tps": "tokensPerSecond",
    },
    models.Distribution: {
        "distribution": "dist",
        "high": "max",
        "low": "min",
        "sd": "stddev",
        "sigma": "stddev",
        "std": "stddev",
        "type": "dist",
    },
    models.Lifecycle: {
        "duration": "connectionTimeout",
        "maxDuration": "connectionTimeout",
        "ping": "heartbeat",
    },
    models.ChunkedLifecycle: {
        "duration": "connectionTimeout",
        "keepaliveInterval": "heartbeat",
        "maxDuration": "connectionTimeout",
        "ping": "heartbeat",
    },
    models.Heartbeat: {"comment": "text", "data": "event", "interval": "every"},
    models.Termination: {"delay": "closeDelay", "event": "finalEvent"},
    framing.FramingConfig: {
        "blankLines": "emptyLines",
        "byteOrderMark": "bom",
        "compression": "encoding",
        "contentEncoding": "encoding",
        "delay": "pause",
        "eol": "lineEnding",
        "lineEndings": "lineEnding",
        "newline": "lineEnding",
        "order": "fieldOrder",
    },
    framing.Comments: {"comment": "text", "emptyLine": "blankLine"},
    framing.SplitEvery: {"seed": "random", "size": "bytes"},
    models.RateLimit: {"burst": "burstSize", "rate": "eventsPerSecond"},
    models.ChunkedConfig: {
        "body": "data",
        "delay": "chunkDelay",
        "file": "dataFile",
        "items": "ndjsonItems",
        "size": "chunkSize",
    },
    models.ResponseConfig: {"content": "body", "data": "body", "file": "bodyFile", "json": "body"},
    verification.Times: {"max": "atMost", "min": "atLeast"},
    verification.Verification: {
        "atLeast": "times",
        "atMost": "times",
        "count": "times",
        "matcher": "request",
        "requests": "order",
        "timeout": "withinSeconds",
    },
}
"""Keys that other tools and older formats use, and mockd's key for each, by the part in which they are written."""

_WHOLES: dict[type, str] = {models.SequenceEntry: "entry"}
"""What people call the whole in which a key is looked for, if it is not the mock."""

_KNOWN_SHOWN = 16


def type_at(root: type, path: Path) -> inspect.Type:
    """The type that the format wants at a path. `T | None` counts as `T`."""
    node = _bare(_type_info(root))
    for step in path:
        node = _container(node, step)
        if isinstance(node, inspect.StructType):
            node = next((field.type for field in node.fields if field.encode_name == step), inspect.AnyType())
        elif isinstance(node, inspect.ListType | inspect.VarTupleType):
            node = node.item_type
        elif isinstance(node, inspect.DictType):
            node = node.value_type
        else:
            return inspect.AnyType()
        node = _bare(node)
    return node


def unknown_key(root: type, value: Any, parent: Path, key: str) -> str | None:
    """A hint for an unknown key in the part at `parent`: the key that was meant, or the keys that the part has."""
    if root is models.Mock and parent[:1] == ("responses",) and len(parent) > 1:
        return unknown_key(models.SequenceEntry, at(value, parent[:2]), parent[2:], key)
    part = _container(type_at(root, parent), key)
    if not isinstance(part, inspect.StructType):
        return None
    confused = next((CONFUSIONS[cls] for cls in part.cls.__mro__ if cls in CONFUSIONS), {})
    meant = confused.get(key) or _elsewhere(root, value, parent, key)
    known = [field.encode_name for field in part.fields]
    if meant is None and (close := nearest(key, known)):
        meant = f"`{close}`"
    elif meant is not None and "`" not in meant:
        meant = f"`{meant}`"
    if meant:
        return f"did you mean {meant}?"
    return "known here: " + ", ".join(f"`{name}`" for name in known) if len(known) <= _KNOWN_SHOWN else None


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that is most similar to this one, in any case, or None if none is similar."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word[:MAX_SHOWN].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _elsewhere(root: type, value: Any, parent: Path, key: str) -> str | None:
    """The place to which a known key belongs if it is written in the wrong part: below this part if possible, otherwise
    elsewhere in the same mock."""
    base = tuple(step for step in parent if isinstance(step, str))
    places = [place for place in _places(root) if place[-1] == key]
    present = [place for place in places if len(place) == 1 or place[0] in value]
    if present or parent:
        places = present
    if not places:
        return None
    below = [place[len(base) :] for place in places if place[: len(base)] == base and base == parent]
    if below:
        return " or ".join(f"`{'.'.join(place)}`" for place in _shortest(below))
    whole = _WHOLES.get(root, "mock")
    return " or ".join(f"`{'.'.join(place)}` of the {whole}" for place in _shortest(places))


def _shortest(places: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    length = min(map(len, places))
    return [place for place in places if len(place) == length]


@cache
def _places(root: type) -> list[tuple[str, ...]]:
    """The path of every key of the format, except those inside lists."""
    return list(_walk(_bare(_type_info(root)), ()))


def _walk(node: inspect.Type, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(node, inspect.StructType):
        for field in node.fields:
            yield (*path, field.encode_name)
            if field.encode_name not in path:  # a part may have another of its kind in it
                yield from _walk(_bare(field.type), (*path, field.encode_name))


@cache
def _type_info(root: type) -> inspect.Type:
    return inspect.type_info(root)


def _container(node: inspect.Type, step: str | int) -> inspect.Type:
    """The member of a union whose values have the step inside: a list for an index, an object for a key. A type that is
    no such union is returned as it is."""
    parts = [_bare(part) for part in node.types] if isinstance(node, inspect.UnionType) else [node]
    containers = (inspect.ListType,) if isinstance(step, int) else (inspect.StructType, inspect.DictType)
    return next((part for part in parts if isinstance(part, containers)), node)


def _bare(node: inspect.Type) -> inspect.Type:
    while True:
        if isinstance(node, inspect.Metadata):
            node = node.type
        elif isinstance(node, inspect.UnionType):
            others = [part for part in node.types if not isinstance(part, inspect.NoneType)]
            if len(others) != 1:
                return node
            node = others[0]
        else:
            return node
