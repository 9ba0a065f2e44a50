"""The variants of a stream: every form of its bytes that is worth trying, and with faults every way to break it."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from mockd.config.conversion import convert
from mockd.config.faults import ACTIONS
from mockd.config.framing import FramingConfig
from mockd.config.load import parse_mock
from mockd.engine import Engine
from mockd.errors import ConfigError
from mockd.framing.variants import Body, variants
from mockd.settings import Settings
from mockd.torture.marks import Mark, events_of, marks_for
from mockd.torture.source import Mock, Source, part_of

_TOGETHER = 3
"""Number of variants that are combined."""
_COMBINATIONS = 8
"""Number of combinations that are tried."""
_LARGE = 10_000
"""Size of padding, in bytes, above which a variant is tried alone: in pieces of a few bytes it would take long."""
_SEED = 1
OF_DATA = "data-"
"""Beginning of the names of variants that have an odd mark in their data."""
_LIKELIEST = ("lineEnding-crlf", "split-utf8", "split-bytes-1", "bom", "comments", "spaceAfterColon", "split-bytes-7")
"""What most clients get wrong that get anything wrong: these are tried first."""
UNSEEN = {
    "retry": "retry: 100000\n\n",
    "type": "event: unseen\n\n",
    "unknown": "unknown: field\n\n",
    "spaced": " data: unseen\n\n",
    "upper": "DATA: unseen\n\n",
}
"""Blocks between events from which a reader that follows the standard gets none."""


class Variant(Struct, frozen=True):
    """One form of a stream. `framing` and `faults` are what a mock has for it, and `mark` stands in the place of plain
    marks in its data. A parser that follows the standard reads a neutral one as it reads the clean stream, but for the
    mark."""

    name: str
    is_neutral: bool
    framing: Mapping[str, Any] = {}
    faults: Sequence[Any] = ()
    mark: Mark | None = None

    def of(self, mock: Mock) -> Mock:
        """The mock in this form."""
        changed = dict(mock)
        if self.mark is not None and events_of(mock):
            changed = self.mark.put_into(changed)
        if self.framing:
            part = part_of(mock)
            changed[part] = {**changed[part], "framing": {**mock[part].get("framing", {}), **self.framing}}
        if self.faults:
            changed["faults"] = [*mock.get("faults", []), *self.faults]
        return changed


def variants_of(
    source: Source, body: Body, *, has_ids: bool, accepted: Collection[str] = (), with_faults: bool = False
) -> list[Variant]:
    """The variants of a stream with such a body, whose events have IDs or not, for a client that accepts those
    encodings: its framings, those first that most clients get wrong, then its faults. What does not go with the mock's
    own fields is left out."""
    framings = [
        Variant(one.name, one.is_neutral(body, has_ids=has_ids, accepted=accepted), one.framing)
        for one in variants(body)
    ]
    unseen = _unseen(has_ids=has_ids) if body == "sse" else ()
    engine = Engine(Settings())
    forms = sorted((*framings, *unseen), key=_likeliness)
    every = (*forms, *(_faults() if with_faults else ()))
    return [one for one in every if _goes_with(one, source, engine)]


def _goes_with(variant: Variant, source: Source, engine: Engine) -> bool:
    try:
        engine.check(parse_mock(variant.of(source.mock), root=source.root))
    except ConfigError:
        return False
    return True


def _likeliness(variant: Variant) -> int:
    """The place of a variant among all that are tried."""
    return _LIKELIEST.index(variant.name) if variant.name in _LIKELIEST else len(_LIKELIEST)


def of_data(mock: Mock) -> list[Variant]:
    """The variants of a mock in whose data there is a plain mark: each has another mark in its place."""
    return [Variant(OF_DATA + name, True, mark=mark) for name, mark in marks_for(mock).items()]


def _unseen(*, has_ids: bool) -> Iterator[Variant]:
    """Each block that is no event, behind the first event. Behind an ID, many parsers take a blank line for one."""
    for name, raw in UNSEEN.items():
        fault = {"action": "insert", "raw": raw, "after": {"events": 1}}
        yield Variant(f"unseen-{name}", not has_ids, faults=(fault,))


def _faults() -> Iterator[Variant]:
    """Each fault as its own example has it, without a choice of requests."""
    for action in ACTIONS:
        line = action.example.partition(" for requests ")[0]
        yield Variant(f"fault-{action.__struct_config__.tag}", False, faults=(line,))


def combined(passed: Sequence[Variant]) -> list[Variant]:
    """Some combinations of neutral framings, the same each time. Two of one combination have no field in common."""
    suited = [one for one in passed if one.is_neutral and one.framing and one.framing.get("padding", 0) <= _LARGE]
    groups = [group for group in combinations(suited, _TOGETHER) if _fit(group)]
    drawn = random.Random(_SEED).sample(groups, min(_COMBINATIONS, len(groups)))
    return [joined(group) for group in drawn]


def joined(group: Sequence[Variant]) -> Variant:
    """Several variants as one, whose name is theirs with `+` between them. Raises `ConfigError` if two have a mark."""
    name = "+".join(one.name for one in group)
    faults = [line for one in group for line in one.faults]
    marks = [one.mark for one in group if one.mark is not None]
    if len(marks) > 1:
        raise ConfigError(f"{name}: there is one mark in a stream", hint=f"name one variant with `{OF_DATA}`")
    return Variant(name, all(one.is_neutral for one in group), _all_of(group), faults, *marks)


def _all_of(group: Sequence[Variant]) -> dict[str, Any]:
    return {field: value for one in group for field, value in one.framing.items()}


def _fit(group: Sequence[Variant]) -> bool:
    framing = _all_of(group)
    if len(framing) < sum(len(one.framing) for one in group):
        return False
    try:
        convert(framing, FramingConfig)
    except ConfigError:
        return False
    return True


# -- what is known of a stream -----------------------------------------------------------------------------------------


def body_of(mock: Mock) -> Body:
    """The kind of body that a mock sends, as far as its configuration tells."""
    if "sse" in mock:
        return "sse"
    chunked = mock["chunked"]
    is_ndjson = chunked.get("format") == "ndjson" or chunked.keys() & {"ndjsonItems", "template"}
    return "ndjson" if is_ndjson else "raw"


def may_have_ids(mock: Mock) -> bool:
    """Whether events of a mock may have IDs."""
    sse = mock.get("sse", {})
    has_list = "events" in sse and not sse.get("resume", {}).get("enabled")
    return any("id" in event for event in sse["events"]) if has_list else "sse" in mock
