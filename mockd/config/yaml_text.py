"""Reading and writing YAML with the core schema of YAML 1.2: dates, times, `yes` and `on` are text. Errors have a line
and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from typing import Any, NoReturn

import yaml

from mockd.config.places import Marks, Place
from mockd.config.values import MAX_DEPTH, TOO_DEEP, TOO_LONG
from mockd.errors import ConfigError, Problem

Parser: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's parser, which is libyaml's if PyYAML was built with libyaml."""

MAX_EXPANSION = 200_000
"""Most values that all aliases of one text together may stand for."""

_TAG = "tag:yaml.org,2002:"
_MERGE = object()
_OLD_BREAKS = "\x85\u2028\u2029"
_NUMBER_START = frozenset("-+.0123456789")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGERS = (
    (re.compile(r"[-+]?[0-9]+"), 10),
    (re.compile(r"0o[0-7]+"), 8),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_yaml(text: str, source: str | None) -> tuple[Any, Marks]:
    """The value of a YAML text, and the places in it. Raises `ConfigError` with line and column if it is malformed."""
    return _Builder(text, source).build()


class _Open:
    """A list or mapping whose end has not been reached."""

    __slots__ = ("anchor", "key", "marks", "merged", "size", "value")

    def __init__(self, value: dict[str, Any] | list[Any], marks: Marks, anchor: str | None) -> None:
        self.value = value
        self.marks = marks
        self.anchor = anchor
        self.size = 1
        self.key: Any = None  # in a mapping, the key whose value comes next
        self.merged: list[tuple[dict[str, Any], Marks]] = []

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None


class _Built:
    """A finished value. `size` is the number of values in it, with aliases expanded."""

    __slots__ = ("marks", "size", "value")

    def __init__(self, value: Any, marks: Marks, size: int) -> None:
        self.value = value
        self.marks = marks
        self.size = size


class _Builder:
    """A builder of values from the parser's events. It does not recurse, so no nesting can overflow the stack."""

    def __init__(self, text: str, source: str | None) -> None:
        self._text = text
        self._source = source
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._expanded = 0
        self._root: _Built | None = None
        self._to_text: dict[int, str] = {}

    def build(self) -> tuple[Any, Marks]:
        for event in self._events():
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._open(event)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and self._root:
                self._fail("a second YAML document", event.start_mark, "put several mocks in a list, or under `mocks`")
        if self._root is None:
            raise ConfigError(Problem("there is nothing in it but comments", source=self._source))
        return self._root.value, self._root.marks

    def _events(self) -> Iterator[yaml.Event]:
        if bad := yaml.reader.Reader.NON_PRINTABLE.search(self._text):
            lines = self._text[: bad.start()].split("\n")
            place = Place(len(lines), len(lines[-1]) + 1)
            self._fail(f"not YAML: the character U+{ord(bad[0]):04X}", place, 'write it as an escape in "…"')
        parser = Parser(self._shielded())
        try:
            while (event := parser.get_event()) is not None:
                yield event
        except yaml.MarkedYAMLError as error:
            message = ": ".join(filter(None, ("not YAML", error.context, error.problem)))
            mark = error.problem_mark or error.context_mark
            self._fail(message, mark or Place(1, 1), self._syntax_hint(mark))
        finally:
            parser.dispose()

    def _shielded(self) -> str:
        """The text with stand-ins for the three characters that are line breaks only in YAML 1.1."""
        breaks = [char for char in _OLD_BREAKS if char in self._text]
        spare = (code for code in range(0x10F000, 0x10FFFE) if chr(code) not in self._text)
        hidden = {ord(char): next(spare) for char in breaks}
        self._to_text = {code: chr(char) for char, code in hidden.items()}
        return self._text.translate(hidden) if hidden else self._text

    def _syntax_hint(self, mark: Any) -> str | None:
        lines = self._text.splitlines()
        if mark is None or mark.line >= len(lines):
            return None
        char = lines[mark.line][mark.column : mark.column + 1]
        return _SYNTAX_HINTS.get(char)

    def _fail(self, message: str, at: Any, hint: str | None = None) -> NoReturn:
        place = at if isinstance(at, Place) else _place(at)
        raise ConfigError(Problem(message, (), hint, self._source, *place))

    def _open(self, event: Any) -> None:
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _TAG + kind):
            self._refuse_tag(event)
        if self._stack and self._stack[-1].wants_key:
            self._fail("a key must be text, not a list or mapping", event.start_mark)
        if len(self._stack) >= MAX_DEPTH:
            self._fail(TOO_DEEP, event.start_mark)
        self._stack.append(_Open({} if kind == "map" else [], Marks(_place(event.start_mark)), event.anchor))

    def _close(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            for merged, marks in done.merged:
                for key in merged.keys() - done.value.keys():
                    done.marks.keys[key] = marks.keys[key]
                    done.marks.children[key] = marks.children[key]
                done.value.update({key: merged[key] for key in merged if key not in done.value})
        self._add(_Built(done.value, done.marks, done.size), done.anchor)

    def _alias(self, event: Any) -> None:
        built = self._anchors.get(event.anchor)
        if built is None:
            self._fail(f"`*{event.anchor}` has no finished `&{event.anchor}` before it", event.start_mark)
        self._expanded += built.size
        if self._expanded > MAX_EXPANSION:
            self._fail(f"aliases stand for more than {MAX_EXPANSION:,} values", event.start_mark)
        if self._stack and self._stack[-1].wants_key:
            self._key(built.value, str(built.value), event)
        else:
            self._add(built, None, event)

    def _scalar(self, event: Any) -> None:
        text = event.value.translate(self._to_text) if self._to_text else event.value
        value = self._value(text, event)
        built = _Built(value, Marks(_place(event.start_mark), leaf=True), 1 + len(text) // 64)
        if self._stack and self._stack[-1].wants_key:
            if event.anchor:
                self._anchors[event.anchor] = built
            is_merge = text == "<<" and event.implicit[0] and event.tag is None
            self._key(_MERGE if is_merge else value, text, event)
        else:
            self._add(built, event.anchor)

    def _value(self, text: str, event: Any) -> Any:
        if event.tag is None:
            try:
                return core_value(text) if event.implicit[0] else text
            except ValueError:
                self._fail(TOO_LONG, event.start_mark)
        if event.tag in ("!", _TAG + "str"):
            return text
        wanted = _SCALAR_TAGS.get(event.tag.removeprefix(_TAG))
        value = core_value(text) if wanted else None
        if wanted is float and type(value) is int:
            value = float(value)
        if wanted is None or type(value) is not wanted:
            self._refuse_tag(event)
        return value

    def _refuse_tag(self, event: Any) -> NoReturn:
        tag = event.tag.replace(_TAG, "!!")
        self._fail(f"the tag `{tag}` does not go with this value", event.start_mark, "values need no tags here")

    def _key(self, key: Any, text: str, event: Any) -> None:
        top, place = self._stack[-1], _place(event.start_mark)
        top.key = key
        if key is _MERGE:
            return
        if not isinstance(key, str):
            self._fail(f"key `{text}` is not text", place, f'quote it: "{text}"')
        if key in top.marks.keys:
            self._fail(f"key `{key}` is given twice (first on line {top.marks.keys[key].line})", place)
        top.marks.keys[key] = place

    def _add(self, built: _Built, anchor: str | None, event: Any = None) -> None:
        if anchor:
            self._anchors[anchor] = built
        if not self._stack:
            self._root = built
            return
        top = self._stack[-1]
        top.size += built.size
        if isinstance(top.value, list):
            top.marks.children[len(top.value)] = built.marks
            top.value.append(built.value)
            return
        if top.key is _MERGE:
            self._merge(top, built, event)
        else:
            top.marks.children[top.key] = built.marks
            top.value[top.key] = built.value
        top.key = None

    def _merge(self, top: _Open, built: _Built, event: Any) -> None:
        parts = built.value if isinstance(built.value, list) else [built.value]
        for index, part in enumerate(parts):
            if not isinstance(part, dict):
                self._fail("`<<` takes a mapping, or a list of mappings", event or built.marks.place)
            marks = built.marks.children[index] if isinstance(built.value, list) else built.marks
            top.merged.append((part, marks))


_SCALAR_TAGS: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}
_SYNTAX_HINTS = {
    "\t": "indent with spaces, not tabs",
    **dict.fromkeys("@`%", 'text that begins with this character must be quoted: "…"'),
}


def _place(mark: Any) -> Place:
    return mark if isinstance(mark, Place) else Place(mark.line + 1, mark.column + 1)


def core_value(text: str) -> Any:
    """The value of plain (unquoted) text in the core schema. Raises `ValueError` if an integer is too long for
    Python."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_START:
        for pattern, base in _INTEGERS:
            if pattern.fullmatch(text):
                return int(text.removeprefix("0o").removeprefix("0x") if base != 10 else text, base)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _NOT_FINITE.fullmatch(text):
            return float(text.replace(".", "").lower())
    return text


_PLAIN_OR_QUOTED = ((True, False), (False, True))
"""The ways to write a scalar, in the form that PyYAML's resolver takes."""


class _Dumper(yaml.SafeDumper):
    """A dumper that quotes text which any version of YAML would read as another type, and escapes the characters that
    are line breaks only in YAML 1.1."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def emit_value(self, value: Any) -> None:
        """Emit a value piece by piece. PyYAML would make a tree of all its nodes first, and to free such a tree for
        thousands of mocks would block all other threads."""
        if isinstance(value, dict):
            self.emit(yaml.MappingStartEvent(None, None, True, flow_style=False))
            for item in chain.from_iterable(value.items()):
                self.emit_value(item)
            self.emit(yaml.MappingEndEvent())
        elif isinstance(value, list):
            self.emit(yaml.SequenceStartEvent(None, None, True, flow_style=False))
            for item in value:
                self.emit_value(item)
            self.emit(yaml.SequenceEndEvent())
        else:
            node: Any = self.represent_data(value)
            resolve: Any = self.resolve
            implicit = tuple(node.tag == resolve(yaml.ScalarNode, node.value, way) for way in _PLAIN_OR_QUOTED)
            self.emit(yaml.ScalarEvent(None, node.tag, implicit, node.value, style=node.style))

    def represent_text(self, text: str) -> yaml.ScalarNode:
        is_broken = any(char in text for char in _OLD_BREAKS)
        return self.represent_scalar(_TAG + "str", text, style='"' if is_broken else None)


_Dumper.add_representer(str, _Dumper.represent_text)
for _pattern in (*(pattern for pattern, _ in _INTEGERS), _FLOAT):
    _Dumper.add_implicit_resolver(_TAG + "core-number", re.compile(f"(?:{_pattern.pattern})$"), sorted(_NUMBER_START))


def write_yaml(value: Any) -> str:
    """A value as YAML that readers of YAML 1.1 and of 1.2 read as the same value. Keys keep their order."""
    stream = StringIO()
    dumper = _Dumper(stream, allow_unicode=True, width=120)
    try:
        dumper.open()
        dumper.emit(yaml.DocumentStartEvent(explicit=False))
        dumper.emit_value(value)
        dumper.emit(yaml.DocumentEndEvent(explicit=False))
        dumper.close()
    finally:
        dumper.dispose()
    return stream.getvalue()
