"""The table of framing variants: what each field of `framing` does, and values of it that are worth trying on a client.

Validation, the reference and `mockd torture` read this table. A new variant is one entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

Body = Literal["sse", "ndjson", "raw"]
"""Kinds of bodies: events, lines of JSON, bytes without a form."""

Neutral = Literal["yes", "no", "without IDs", "if accepted"]
"""Whether a parser that follows the standard reads the same: always; not; if no event has an ID, as many parsers take a
blank line behind an ID for an event; if the client says that it accepts the encoding."""


class Variant(NamedTuple):
    """One form of a stream. `framing` is the field of that name of a mock; `neutral` has the bodies that can have this
    form, each with whether it is neutral there."""

    name: str
    framing: Mapping[str, Any]
    neutral: Mapping[Body, Neutral]

    def is_neutral(self, body: Body, *, has_ids: bool, accepted: Collection[str] = ()) -> bool:
        """Whether a parser that follows the standard reads the same from such a body, whose events have IDs or not.
        `accepted` are the encodings that the client accepts."""
        said = self.neutral[body]
        if said == "without IDs":
            return not has_ids
        return self.framing["encoding"] in accepted if said == "if accepted" else said == "yes"

    @property
    def package(self) -> str | None:
        """The package that this variant needs and that is not installed; None if nothing is missing."""
        return missing_package(self.framing.get("encoding"))


class Word(NamedTuple):
    """One field of `framing`: what it does, and its variants."""

    summary: str
    variants: tuple[Variant, ...]


def _everywhere(neutral: Neutral = "yes") -> dict[Body, Neutral]:
    return {"sse": neutral, "ndjson": neutral, "raw": neutral}


_SPLIT = _everywhere()
_TEXT: dict[Body, Neutral] = {"sse": "yes", "ndjson": "yes"}
_EVENTS: dict[Body, Neutral] = {"sse": "yes"}

_NO_LINE_ENDS = "a comment\u2028data: \u0085data: \x0bdata: \x0cdata: no event"
"""A line with characters at which Python's `str.splitlines` ends lines, and the standard does not."""

WORDS: dict[str, Word] = {
    "lineEnding": Word(
        "Ends lines with LF, CRLF or CR, or with all three in turn.",
        (
            Variant("lineEnding-lf", {"lineEnding": "lf"}, _TEXT),
            Variant("lineEnding-crlf", {"lineEnding": "crlf"}, _TEXT),
            Variant("lineEnding-cr", {"lineEnding": "cr"}, _EVENTS),
            Variant("lineEnding-mixed", {"lineEnding": "mixed"}, _EVENTS),
        ),
    ),
    "bom": Word(
        "Begins the body with a byte order mark.",
        (Variant("bom", {"bom": True}, {"sse": "yes", "ndjson": "no"}),),
    ),
    "spaceAfterColon": Word(
        "Leaves out the space behind the colon of a field.",
        (Variant("spaceAfterColon", {"spaceAfterColon": False}, _EVENTS),),
    ),
    "fieldOrder": Word(
        "Sends the fields of an event in another order.",
        (
            Variant("fieldOrder-data-first", {"fieldOrder": ["data", "event", "id"]}, _EVENTS),
            Variant("fieldOrder-reversed", {"fieldOrder": ["retry", "data", "event", "id", "comment"]}, _EVENTS),
        ),
    ),
    "comments": Word(
        "Sends comments between the events.",
        (
            Variant("comments", {"comments": {"every": 1, "text": "a comment"}}, _EVENTS),
            Variant("comments-unicode", {"comments": {"every": 1, "text": _NO_LINE_ENDS}}, _EVENTS),
            Variant(
                "comments-blankLine",
                {"comments": {"every": 1, "text": "a comment", "blankLine": True}},
                {"sse": "without IDs"},
            ),
        ),
    ),
    "emptyLines": Word(
        "Sends more empty lines between two events.",
        (Variant("emptyLines-2", {"emptyLines": 2}, {"sse": "without IDs", "ndjson": "no"}),),
    ),
    "padding": Word(
        "Sends a comment of that size before each event.",
        (
            Variant("padding-2048", {"padding": 2048}, _EVENTS),
            Variant("padding-600000", {"padding": 600_000}, _EVENTS),
        ),
    ),
    "finalBlankLine": Word(
        "Leaves out the blank line of the last event, which by the standard is lost with it; in NDJSON the end of the "
        "last line.",
        (Variant("finalBlankLine", {"finalBlankLine": False}, {"sse": "no", "ndjson": "no"}),),
    ),
    "split": Word(
        "Sends the body in pieces of its own choice, each an HTTP chunk.",
        (
            Variant("split-bytes-1", {"split": {"bytes": 1}}, _SPLIT),
            Variant("split-bytes-7", {"split": {"bytes": 7}}, _SPLIT),
            Variant("split-characters", {"split": "characters"}, _SPLIT),
            Variant("split-utf8", {"split": "utf8"}, _SPLIT),
            Variant("split-lines", {"split": "lines"}, _SPLIT),
            Variant("split-crlf", {"split": "crlf", "lineEnding": "crlf"}, _TEXT),
            Variant("split-random-1", {"split": {"random": 1}}, _SPLIT),
            Variant("split-random-2", {"split": {"random": 2}}, _SPLIT),
        ),
    ),
    "pause": Word(
        "Waits between two pieces, so that a client reads each by itself.",
        (
            Variant("pause-utf8", {"split": "utf8", "pause": 2}, _SPLIT),
            Variant("pause-lines", {"split": "lines", "pause": 2}, _SPLIT),
        ),
    ),
    "coalesce": Word(
        "Sends several events in one HTTP chunk.",
        (
            Variant("coalesce-2", {"coalesce": 2}, _SPLIT),
            Variant("coalesce-100", {"coalesce": 100}, _SPLIT),
            Variant("coalesce-by-size-and-time", {"coalesce": {"bytes": 4096, "ms": 20}}, _SPLIT),
        ),
    ),
    "encoding": Word(
        "Compresses the body, whether or not the client asks for it.",
        tuple(
            Variant(f"encoding-{encoding}", {"encoding": encoding}, _everywhere("if accepted"))
            for encoding in ("gzip", "deflate", "br", "zstd")
        ),
    ),
    "flush": Word(
        "Keeps back what the encoder keeps back, mostly until all is sent.",
        (Variant("flush-end", {"encoding": "gzip", "flush": "end"}, _everywhere("if accepted")),),
    ),
    "charset": Word(
        "Names a charset in the Content-Type. Events are UTF-8 whatever it says, but Chromium reads none that says "
        "something else.",
        (
            Variant("charset-utf-8", {"charset": "utf-8"}, _everywhere()),
            Variant("charset-latin-1", {"charset": "iso-8859-1"}, _everywhere("no")),
        ),
    ),
}
"""Every field of `framing`, by its name."""

PACKAGES = {"br": "brotli", "zstd": "zstandard"}
"""The package that an encoding needs; Python has the other encodings in its library."""


def missing_package(encoding: str | None) -> str | None:
    """The package that an encoding needs and that is not installed; None if nothing is missing."""
    needed = PACKAGES.get(encoding or "")
    return None if needed is None or find_spec(needed) is not None else needed


def variants(body: Body) -> Iterator[Variant]:
    """The variants that such a body can have here, in the order of the table."""
    for word in WORDS.values():
        for variant in word.variants:
            if body in variant.neutral and variant.package is None:
                yield variant


def bodies_of(field: str, value: Any) -> set[Body]:
    """The bodies that can have this value of a field of `framing`: those of the variant that has just this value, or of
    all of the field's variants."""
    listed = [variant for variant in WORDS[field].variants if variant.framing == {field: value}]
    return {body for variant in listed or WORDS[field].variants for body in variant.neutral}
