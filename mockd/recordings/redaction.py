"""Redaction of an exchange before anything of it is written.

Secrets are: the values that the names of `mockd.journal.credentials` have in headers, URLs and bodies, cookies, and
what the user gave: values, and patterns. The text that stands for one has the same length in bytes, so that lengths,
offsets and the borders of pieces hold.
"""

from __future__ import annotations

import contextlib
import os
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec import structs

from mockd.errors import ConfigError
from mockd.journal import credentials
from mockd.patterns import check_pattern
from mockd.recordings import members
from mockd.recordings.bodies import Stream
from mockd.recordings.lines import (
    Begun,
    BrokenLineError,
    Head,
    Headers,
    Info,
    Line,
    Other,
    Piece,
    Trailers,
    decode,
    encode,
)
from mockd.recordings.members import MemberSearch
from mockd.recordings.needles import NeedleSearch, Secrets
from mockd.recordings.searching import Chain, Found, Held, Span, filling

HELD_BY_PATTERNS = 4096
"""Most bytes of what a pattern finds; so much is held back."""

_SHOWN = 100
"""Characters of a pattern that an error repeats."""
_COOKIES = ("cookie", "set-cookie")
_UNKNOWN = ("more", "more_of_request", "beyond")
"""The fields of lines that have what is not known of them."""
_USER = re.compile(r"(?<=://)[^/?#@]+(?=@)")

Answer = TypeVar("Answer", Head, Info)
AnyLine = TypeVar("AnyLine", bound=Line)


class Redaction:
    """What is redacted in recordings. Raises `ConfigError` for what cannot be searched for.

    `values` are secrets, `patterns` are regular expressions for others. If `is_on` is false, nothing is redacted.
    """

    def __init__(self, values: Iterable[str] = (), patterns: Sequence[str] = (), *, is_on: bool = True) -> None:
        self.is_on = is_on
        self.values = frozenset(values)
        for option, given in (("--redact", self.values), ("--redact-pattern", patterns)):
            if "" in given:
                raise ConfigError(f"{option}: the text is empty", hint="give what no recording should have")
        self.patterns = [_engine(pattern) for pattern in patterns]
        if is_on:
            members.prepare()

    @classmethod
    def of(
        cls, values: Iterable[str], names: Iterable[str], patterns: Sequence[str], *, is_on: bool = True
    ) -> Redaction:
        """What the settings say, with values that are in the environment under these names."""
        found = list(values)
        for name in names:
            if not (value := os.environ.get(name)):
                raise ConfigError(
                    f"--redact-env: the environment has no {name} to redact, or it is empty", hint="export it first"
                )
            found.append(value)
        return cls(found, patterns, is_on=is_on)

    def exchange(self) -> Redacted:
        return Redacted(self)


class Redacted:
    """The redaction of one exchange. Credentials that are seen in it are looked for in all that follows. `places` says
    where something was redacted."""

    def __init__(self, redaction: Redaction) -> None:
        self.is_searched = redaction.is_on
        self.places: list[str] = []
        self._patterns = redaction.patterns
        self._secrets = Secrets(redaction.values)

    def begun(self, line: Begun) -> Begun:
        if not self.is_searched:
            return line
        headers = self._headers(line.headers, "header")
        url = self._redacted(line.url, "query", "url")
        user = _USER.search(url)
        if user is not None:
            self._note("url")
            url = _USER.sub(lambda found: _filled(found[0]), url, count=1)
        path, method = self._redacted(line.path, "query", "url"), self._redacted(line.method, "", "method")
        return self.unknown(structs.replace(line, url=url, path=path, headers=headers, method=method))

    def answer(self, line: Answer, part: str) -> Answer:
        if not self.is_searched:
            return line
        reason = self._redacted(line.reason, "", "reason")
        return structs.replace(line, headers=self._headers(line.headers, part), reason=reason)

    def trailers(self, line: Trailers) -> Trailers:
        return structs.replace(line, headers=self._headers(line.headers, "trailers")) if self.is_searched else line

    def unknown(self, line: AnyLine) -> AnyLine:
        """A line without the secrets that are in what is not known of it. If it could not be read then, as a secret is
        a number or a part of its form, nothing of what is not known is left."""
        if not (self.is_searched and line.has_unknown):
            return line
        # The bytes of a piece were searched with those before and behind them.
        bare = structs.replace(line, data=b"") if isinstance(line, Piece) else line
        try:
            found = decode(self._redacted(encode(bare).decode(), "unknown", "unknown").encode())
        except BrokenLineError:
            return structs.replace(line, **self._blank(line))
        if not isinstance(found, type(line)):
            return structs.replace(line, **self._blank(line))
        return structs.replace(found, data=line.data) if isinstance(line, Piece) else found

    def _blank(self, line: Line) -> dict[str, Any]:
        """What is not known of a line, without its texts and numbers."""
        blank = {name: _blanked(getattr(line, name)) for name in _UNKNOWN if hasattr(line, name)}
        return {**blank, "kind": self._redacted(line.kind, "", "unknown")} if isinstance(line, Other) else blank

    def text(self, text: str, part: str) -> str:
        """What is said of the exchange, without its secrets."""
        return self._redacted(text, "", part) if self.is_searched else text

    def stream(self, part: str) -> Stream:
        """What redacts a body, the `input` or the `output`."""
        if not self.is_searched:
            return Chain(())
        chain = Chain(())

        def found(name: str) -> None:
            chain.has_found = True
            self._note(f"{part}:{name}" if name else part)

        is_request = part == "input"
        # A form begins as if a field were before it.
        named = Held(MemberSearch(found, self._secrets.learn, is_request=is_request), b"&" if is_request else b"")
        chain.searches = (named, *self._others(found))
        return chain

    def _others(self, found: Found) -> list[Held]:
        patterns = [Held(_PatternSearch(self._patterns, found))] if self._patterns else []
        return [Held(NeedleSearch(self._secrets, found)), *patterns]

    def _redacted(self, text: str, part: str, place: str) -> str:
        """A text that is there as a whole. `part` is the place of a value with a name, if such are looked for."""

        def found(name: str) -> None:
            self._note(f"{part}:{name}" if name and part else place)

        named = [Held(MemberSearch(found, self._secrets.learn, is_request=False))] if part else []
        chain = Chain([*named, *self._others(found)])
        raw = text.encode("utf-8", "surrogateescape")
        return (chain.feed(raw) + chain.finish()).decode("utf-8", "surrogateescape")

    def _headers(self, headers: Headers, part: str) -> Headers:
        kept, secret = [], []
        for name, value in headers:
            if value and credentials.is_credential("headers", name):
                secret.append((name.lower(), value))
                kept.append((name, _filled(value)))
            else:
                kept.append((name, value))
        for name, value in sorted(secret, key=lambda header: header[0] in _COOKIES):  # of which there may be many
            for found in _secrets_in(name, value):
                self._secrets.learn(found)
        searched = self._searched(kept)
        names = {name for name, _ in secret}
        for (name, value), (_, found) in zip(headers, searched, strict=True):
            if value and (found != value or name.lower() in names):
                self._note(f"{part}:{name.lower()}")
        return searched

    def _searched(self, headers: Headers) -> Headers:
        """Headers without the secrets inside their values. If there is none in many, that is seen at once."""
        if len(headers) > 1:
            if not self._may_have_secrets(headers):
                return headers
            middle = len(headers) // 2
            return [*self._searched(headers[:middle]), *self._searched(headers[middle:])]
        return [(name, self._header(value)) for name, value in headers]

    def _may_have_secrets(self, headers: Headers) -> bool:
        raw = "\n".join(value for _, value in headers).encode("latin-1")
        finders = self._secrets.finders
        return bool(self._patterns) or members.has_opening(raw) or any(finder.spans(raw, True)[0] for finder in finders)

    def _header(self, value: str) -> str:
        raw = value.encode("latin-1")
        named = Held(MemberSearch(_nothing, self._secrets.learn, is_request=False))
        chain = Chain([named, *self._others(_nothing)])
        return (chain.feed(raw) + chain.finish()).decode("latin-1")

    def _note(self, place: str) -> None:
        if place not in self.places:
            self.places.append(place)


class _PatternSearch:
    """The search for what patterns match. What begins in the last bytes is not final, as more may come."""

    def __init__(self, patterns: Sequence[Any], found: Found) -> None:
        self._patterns = patterns
        self._found = found

    def spans(self, text: bytes, complete: bool) -> tuple[list[Span], int]:
        hold = len(text) if complete else max(0, len(text) - HELD_BY_PATTERNS + 1)
        spans = [
            Span(*match.span())
            for pattern in self._patterns
            for match in pattern.finditer(text)
            if match.start() < hold and match.end() > match.start()
        ]
        if spans:
            self._found("")
        return spans, max([hold, *(span.stop for span in spans)])


def _nothing(name: str) -> None:
    """Whoever asks sees by the text itself whether anything was found in it."""


def _engine(pattern: str) -> Any:
    """A pattern that takes linear time. Raises `ConfigError` if it cannot be run so."""
    name = f"--redact-pattern {pattern[:_SHOWN]!r}"
    try:
        check_pattern(pattern, name)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    from mockd.patterns.dialects import Unsupported, for_re2

    try:
        import re2  # type: ignore[import-untyped]

        options = re2.Options()
        options.log_errors = False
        return re2.compile(for_re2(pattern, is_ascii=False).source, options)
    except ImportError:
        raise ConfigError(f"{name} needs RE2, which is not installed", hint="give values instead") from None
    except (Unsupported, re2.error) as error:
        text = f"{name} cannot be searched for in linear time: {error}"
        raise ConfigError(text, hint="do without look-around and references to groups") from None


def _secrets_in(name: str, value: str) -> list[str]:
    """The secrets in the value of a credential header."""
    if name in _COOKIES:
        pairs = value.split(";") if name == "cookie" else value.split(";")[:1]
        return [pair.partition("=")[2].strip().strip('"') for pair in pairs]
    scheme, _, rest = value.strip().partition(" ")
    secrets = [rest.strip() or scheme]
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            secrets.append(b64decode(rest).decode("utf-8", "surrogateescape").partition(":")[2])
    return secrets


def _blanked(value: Any) -> Any:
    """A value without its texts, numbers and names."""
    match value:
        case str():
            return _filled(value)
        case dict():
            return {_filled(name): _blanked(inside) for name, inside in value.items()}
        case list():
            return [_blanked(inside) for inside in value]
        case bool() | None:
            return value
    return 1


def _filled(text: str) -> str:
    return filling(len(text)).decode()
