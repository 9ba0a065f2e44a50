"""Path templates, and an index that finds the templates that fit a path without trying all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Generic, TypeVar
from urllib.parse import unquote

from msgspec import Struct

from mockd.errors import ConfigError
from mockd.matching.fitting import Fit, Part, captured, fitting, texts_around
from mockd.patterns import Effort

E = TypeVar("E")

EXACT_SCORE = 15
CAPTURE_SCORE = 12
STAR_SCORE = 10

_PART = r"\{(?P<capture>[^{}/:]+)\}|(?P<star>\*+)|(?P<text>[^{}*]+)"
_PATH = ("matcher", "path")


class Segment(Struct, frozen=True, dict=True):
    """The parts of a template between two slashes."""

    parts: tuple[Part, ...]

    @cached_property
    def literal(self) -> str | None:
        """The segment's text if it has neither captures nor stars, otherwise None."""
        return "".join(part.value for part in self.parts) if all(part.kind == "text" for part in self.parts) else None

    @cached_property
    def folded(self) -> str:
        """The segment as it is written, but decoded and case-folded."""
        text = "".join(f"{{{part.value}}}" if part.kind == "capture" else part.value for part in self.parts)
        return text.casefold()

    @cached_property
    def has_star(self) -> bool:
        return any(part.kind == "star" for part in self.parts)

    @cached_property
    def is_capture(self) -> bool:
        """Whether the whole segment is one `{name}`."""
        return len(self.parts) == 1 and self.parts[0].kind == "capture"

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts around the captures of a segment without stars."""
        return texts_around("capture", self.parts)

    @cached_property
    def fit(self) -> Fit:
        return fitting(self.parts)


class PathTemplate(Struct, frozen=True, dict=True):
    """The `path` of a matcher, compiled by `parse_path`. It is compared with the whole of a decoded path.

    `{name}` stands for one segment or a part of one (`{file}.json`), never empty. `*` stands for any number of any
    characters, even `/`: `/a/*` fits `/a/` and `/a/b/c`, but not `/a`. A trailing slash matters.
    """

    text: str
    parts: tuple[Part, ...]
    names: tuple[str, ...]
    segments: tuple[Segment, ...]

    @cached_property
    def literal(self) -> str | None:
        """The only path that the template fits, if it has neither captures nor stars, otherwise None."""
        return "".join(part.value for part in self.parts) if all(part.kind == "text" for part in self.parts) else None

    @cached_property
    def has_star(self) -> bool:
        return any(segment.has_star for segment in self.segments)

    @cached_property
    def outline(self) -> tuple[Segment, ...]:
        """The template's segments without the empty ones."""
        return tuple(segment for segment in self.segments if segment.parts)

    @property
    def score(self) -> int:
        """Specificity of the template."""
        if self.has_star:
            return STAR_SCORE
        return CAPTURE_SCORE if self.names else EXACT_SCORE

    @cached_property
    def _fit(self) -> Fit:
        # Made when first needed: the index decides about most requests without it.
        return fitting(self.parts)

    def fits(self, path: str, effort: Effort) -> bool:
        """Whether the template fits a decoded path. Raises as `Effort.left` does."""
        return path == self.literal if self.literal is not None else self._fit(path, effort) is not None

    def captures(self, path: str, effort: Effort) -> dict[str, str]:
        """The values of the template's `{name}`s in a path that it fits. Raises as `Effort.left` does."""
        if not self.names:
            return {}
        values = self._fit(path, effort)
        assert values is not None, "asked for captures of a path that does not fit"
        return dict(zip(self.names, values, strict=True))


def parse_path(text: str) -> PathTemplate:
    """Compile the `path` of a matcher. Raises `ConfigError` for a brace outside a `{name}` and for a name used twice.

    Percent-encoded text is decoded, so `%7B` and `%2A` are a literal brace and a literal star.
    """
    parts = tuple(_parts(text))
    names = tuple(part.value for part in parts if part.kind == "capture")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ConfigError(
            f"the path {text!r} has {{{twice}}} more than once", path=_PATH, hint="give each capture a name of its own"
        )
    return PathTemplate(text, parts, names, tuple(_segments(parts)))


def _parts(text: str) -> Iterator[Part]:
    if not any(char in text for char in "{}*"):  # true of most paths
        yield Part("text", unquote(text))
        return
    part, position = re.compile(_PART), 0
    while position < len(text):
        match = part.match(text, position)
        if match is None:
            raise ConfigError(
                f"the path {text!r} has a brace that is not part of a `{{name}}`",
                path=_PATH,
                hint="a name is anything but `{ } / :`; use `*` for any characters, `%7B` and `%7D` for literal braces",
            )
        if match["capture"]:
            yield Part("capture", match["capture"])
        elif match["star"]:
            yield Part("star", "*")
        else:
            yield Part("text", unquote(match["text"]))
        position = match.end()


def _segments(parts: Sequence[Part]) -> Iterator[Segment]:
    current: list[Part] = []
    for part in parts:
        if part.kind != "text":
            current.append(part)
            continue
        first, *others = part.value.split("/")
        current.append(Part("text", first))
        for piece in others:
            yield _segment(current)
            current = [Part("text", piece)]
    yield _segment(current)


def _segment(parts: Sequence[Part]) -> Segment:
    return Segment(tuple(part for part in parts if part.value))


class _Node(Generic[E]):
    """A node of the index: the templates that have the same leading segments."""

    __slots__ = ("below", "capture", "here", "literals", "mixed")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[E]] = {}
        self.capture: _Node[E] | None = None
        self.mixed: dict[tuple[str, ...], _Node[E]] = {}
        """Nodes for segments of text and captures, by the texts around the captures."""
        self.here: list[E] = []
        """Entries whose templates end at this node."""
        self.below: list[E] = []
        """Entries whose templates have a star in the next segment."""

    def step(self, segment: Segment) -> _Node[E]:
        """The node below this one for a segment of a template. It is made if there is none."""
        if segment.literal is not None:
            return self.literals.setdefault(segment.literal, _Node())
        if segment.is_capture:
            if self.capture is None:
                self.capture = _Node()
            return self.capture
        return self.mixed.setdefault(segment.texts, _Node())

    def follow(self, segment: str, nodes: list[_Node[E]]) -> None:
        """Add to `nodes` the nodes below this one that fit a segment of a path."""
        literal = self.literals.get(segment)
        if literal is not None:
            nodes.append(literal)
        if self.capture is not None and segment:
            nodes.append(self.capture)
        for texts, node in self.mixed.items():
            if captured(texts, segment) is not None:
                nodes.append(node)


class PathIndex(Generic[E]):
    """Entries by path template. The cost of a look-up depends on the path, and hardly on the number of entries."""

    def __init__(self) -> None:
        self._exact: dict[str, list[E]] = {}
        self._root: _Node[E] | None = None

    def add(self, template: PathTemplate, entry: E) -> None:
        if template.literal is not None:
            self._exact.setdefault(template.literal, []).append(entry)
            return
        node = self._root = self._root or _Node()
        for segment in template.segments:
            if segment.has_star:
                node.below.append(entry)
                return
            node = node.step(segment)
        node.here.append(entry)

    def find(self, path: str) -> list[list[E]]:
        """The entries whose templates fit a decoded path, in lists that keep the order in which entries were added.

        If a template has a star, only the segments before the star are compared. The caller must test the whole.
        """
        exact = self._exact.get(path)
        found = [exact] if exact else []
        if self._root is None:
            return found
        nodes = [self._root]
        for segment in path.split("/"):
            deeper: list[_Node[E]] = []
            for node in nodes:
                if node.below:
                    found.append(node.below)
                node.follow(segment, deeper)
            if not deeper:
                return found
            nodes = deeper
        return found + [node.here for node in nodes if node.here]
